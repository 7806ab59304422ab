/**
 * The keys of durable sessions. What one script touches has the same hash tag, the boot that made the session ids, and so lies in
 * one slot of a Redis Cluster.
 *
 *   hive:<cluster>:owners               hash: owner → the boots of whose sessions it may own some, `tag,tag`
 *   hive:<cluster>:lease:<owner>        there while that owner lives
 *   hive:<cluster>:{<tag>}:sessions     hash: session id → `owner|epoch|contents`
 *   hive:<cluster>:{<tag>}:gone         set: sessions of that boot that others have ended; expires
 *
 * An owner is one lease of one node: a node that has lost its lease goes on as another owner.
 */
export interface BootKeys {
  readonly sessions: string;
  readonly gone: string;
}

export class Keys {
  readonly owners: string;
  readonly #prefix: string;

  constructor(cluster: string) {
    this.#prefix = `hive:${cluster}:`;
    this.owners = `${this.#prefix}owners`;
  }

  lease(owner: string): string {
    return `${this.#prefix}lease:${owner}`;
  }

  ofBoot(tag: string): BootKeys {
    const stem = `${this.#prefix}{${tag}}:`;
    return { sessions: `${stem}sessions`, gone: `${stem}gone` };
  }
}
