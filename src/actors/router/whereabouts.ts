/**
 * Where sessions are that outlive their nodes: a client may come back while its node is gone and nobody has claimed its session yet. All
 * who wait are looked up together.
 *
 *   owner lives ──▶ its node
 *   owner gone ──▶ asked again … ──claimed──▶ the node of who has claimed it
 *   no record ──▶ nobody has it
 */
import { tagIn } from '../../kernel/ids.ts';
import type { TimingWheel } from '../../kernel/timers.ts';
import type { NodeName } from '../../kernel/types.ts';
import type { DurableSessions } from '../../sessions/durable/durable-sessions.ts';
import type { ClusterTable } from '../cluster/cluster-table.ts';

export interface WhereaboutsSetup {
  /** Undefined if sessions end with their node. */
  readonly durable: DurableSessions | undefined;
  readonly cluster: Pick<ClusterTable, 'self' | 'ownerOf' | 'nodeOf' | 'tagOf'>;
  readonly wheel: TimingWheel;
  /** Whether a session is here. */
  readonly isHere: (sid: string) => boolean;
  /** Resolves when a session that is being adopted is here, or has failed to be. */
  readonly settled: (sid: string) => Promise<void> | undefined;
}

/** Beyond a lease: for who claims the sessions, which may be many. */
const patienceMs = 30_000;
/** For a node that has said that a session leaves it: its hooks may take their time still. */
const handOverMs = 60_000;
const askAgainMs = 250;
/** Looked up with one round trip. */
const atOnce = 500;

interface Waiting {
  readonly sid: string;
  readonly deadline: number;
  /** The tag of a boot that does not answer: it may be about to lose its lease. The next one of its node may have the session. */
  readonly silent: string | undefined;
  /** When it is asked again, if it has its lease still. */
  readonly silentUntil: number;
  readonly resolve: (node: NodeName | undefined) => void;
}

export class Whereabouts {
  readonly #setup: WhereaboutsSetup;
  #waiting: Waiting[] = [];
  #isLooking = false;

  constructor(setup: WhereaboutsSetup) {
    this.#setup = setup;
  }

  /**
   * The node that has a session now which a boot has made that is gone, or which is not with the node that has made it: resolves when
   * its lease has ended and somebody has claimed it. Undefined if that boot is connected and to be asked, or sessions are
   * not durable. Resolves to undefined if there is no such session, or nobody can be asked.
   */
  homeOf(sid: string): Promise<NodeName | undefined> | undefined {
    const { durable, cluster, isHere, settled } = this.#setup;
    if (!durable) return undefined;
    // The node that has made it may seem to be there still, and answer nothing.
    if (isHere(sid) || settled(sid)) return Promise.resolve(cluster.self);
    const maker = cluster.ownerOf(sid);
    return maker === undefined || maker === cluster.self ? this.#find(durable, sid) : undefined;
  }

  /**
   * Whether a session's node is gone and nobody has claimed it yet: for who does not wait for that.
   * @throws what Redis fails with
   */
  async isUnclaimed(sid: string): Promise<boolean> {
    const { durable, cluster, isHere } = this.#setup;
    if (!durable || cluster.ownerOf(sid) !== undefined || isHere(sid)) return false;
    const [tag] = await durable.locate([sid]);
    return tag !== undefined && cluster.nodeOf(tag) === undefined;
  }

  /**
   * Whom to ask next for a session that a node does not have, or which does not answer; that one again if it lives after all.
   * @param hasAnswered whether it has said that it does not have it
   */
  async otherHomeOf(sid: string, asked: NodeName | undefined, hasAnswered: boolean): Promise<NodeName | undefined> {
    const { durable, cluster } = this.#setup;
    if (!durable) return undefined;
    const node = asked ?? cluster.ownerOf(sid);
    const found = await this.#find(durable, sid, hasAnswered ? undefined : this.#tagOf(sid, asked));
    return hasAnswered && found === node ? undefined : found;
  }

  /**
   * The same for a session whose node is there, but has handed it over or is about to.
   * @param former that node; the one that has made it if absent
   */
  async nextHomeOf(sid: string, former?: NodeName): Promise<NodeName | undefined> {
    const { durable } = this.#setup;
    return durable && this.#find(durable, sid, this.#tagOf(sid, former), handOverMs, handOverMs);
  }

  #tagOf(sid: string, node: NodeName | undefined): string | undefined {
    return node === undefined ? tagIn(sid) : this.#setup.cluster.tagOf(node);
  }

  /**
   * @param silent the tag of a boot that is not to be asked, for so long
   * @param timeMs after which nobody is
   */
  #find(
    durable: DurableSessions,
    sid: string,
    silent?: string,
    silentMs = durable.lease.ms,
    timeMs = durable.lease.ms + patienceMs,
  ): Promise<NodeName | undefined> {
    return new Promise((resolve) => {
      const now = performance.now();
      this.#waiting.push({ sid, deadline: now + timeMs, silent, silentUntil: now + silentMs, resolve });
      if (this.#isLooking) return;
      this.#isLooking = true;
      // Whoever comes in this turn is looked up with it.
      setImmediate(() => void this.#look(durable));
    });
  }

  /** Never rejects. */
  async #look(durable: DurableSessions): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (let at = 0; at < waiting.length; at += atOnce) {
      const some = waiting.slice(at, at + atOnce);
      let tags: readonly (string | undefined)[];
      try {
        tags = await durable.locate(some.map(({ sid }) => sid));
      } catch {
        // Redis is away: nobody knows, and clients are not to wait for that.
        tags = [];
      }
      for (const [i, one] of some.entries()) this.#answer(one, tags[i]);
    }
    if (this.#waiting.length > 0) this.#setup.wheel.schedule(askAgainMs, () => void this.#look(durable));
    else this.#isLooking = false;
  }

  #answer(one: Waiting, tag: string | undefined): void {
    const { cluster, durable, isHere, settled } = this.#setup;
    const { sid, silent, silentUntil, deadline, resolve } = one;
    const now = performance.now();
    const settling = settled(sid);
    if (settling) return void settling.then(() => resolve(isHere(sid) ? cluster.self : undefined));
    if (isHere(sid)) return resolve(cluster.self);
    if (tag === undefined || now > deadline) return resolve(undefined);
    const node = cluster.nodeOf(tag);
    // It is departing here, unless it is just being claimed.
    if (node === cluster.self && durable?.has(sid)) return resolve(undefined);
    const isSilent = tag === silent && now < silentUntil;
    if (node === undefined || node === cluster.self || isSilent) this.#waiting.push(one);
    else resolve(node);
  }
}
