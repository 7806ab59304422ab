/**
 * The keys of durable sessions. What one script touches has the same hash tag, the boot that made the session ids, and so lies in
 * one slot of a Redis Cluster.
 *
 *   hive:<cluster>:owners               hash: owner → its node, and the boots of whose sessions it may own some: see ownership.ts
 *   hive:<cluster>:secret               signs the pids of the cluster
 *   hive:<cluster>:lease:<owner>        there while that owner lives
 *   hive:<cluster>:{<tag>}:sessions     hash: session id → `owner|epoch|contents`
 *   hive:<cluster>:{<tag>}:gone         set: sessions of that boot that others have ended; expires
 *   hive:<cluster>:{<owner>}:journal    stream: what its recoverable clients were sent
 *   hive:<cluster>:{<owner>}:last       hash: channel or session → number of its last entry in that; `b:<session id>` of those with something to do
 *   hive:<cluster>:{<owner>}:kept       hash: channel and publication → `number|batch of its packets`, what others had kept for it when it was lost;
 *                                       and what they could not keep: see dead-journals.ts
 *
 * An owner is one lease of one node: a node that has lost its lease goes on as another owner. What is left of one that is gone expires
 * when nobody can want it any more.
 */
import { tagLength } from '../../kernel/ids.ts';

export interface BootKeys {
  readonly sessions: string;
  readonly gone: string;
}

export interface OwnerKeys {
  readonly journal: string;
  readonly last: string;
  readonly kept: string;
}

export class Keys {
  readonly owners: string;
  readonly secret: string;
  readonly #prefix: string;

  constructor(cluster: string) {
    this.#prefix = `hive:${cluster}:`;
    this.owners = `${this.#prefix}owners`;
    this.secret = `${this.#prefix}secret`;
  }

  lease(owner: string): string {
    return `${this.#prefix}lease:${owner}`;
  }

  ofOwner(owner: string): OwnerKeys {
    const stem = `${this.#prefix}{${owner}}:`;
    return { journal: `${stem}journal`, last: `${stem}last`, kept: `${stem}kept` };
  }

  ofBoot(tag: string): BootKeys {
    const stem = `${this.#prefix}{${tag}}:`;
    return { sessions: `${stem}sessions`, gone: `${stem}gone` };
  }

  /** Those of the boot that has made a session id. */
  ofSid(sid: string): BootKeys {
    return this.ofBoot(sid.slice(0, tagLength));
  }
}
