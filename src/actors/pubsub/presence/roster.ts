/**
 * Who is in one channel, on all nodes, as this node knows it; and what has changed since that was told last. A session that moves from one
 * node to another may be told of by both: it is there once. No I/O, no clock.
 */

import type { Present } from '../../contracts.ts';

/** Where something is known from: this node; one that is connected; or one that is lost, or that the session is leaving. */
export type Trust = 'own' | 'connected' | 'doubtful';

const ranks: Readonly<Record<Trust, number>> = { own: 2, connected: 1, doubtful: 0 };

interface Claim {
  /** The boot that says so. */
  readonly by: string;
  readonly present: Present;
  readonly trust: Trust;
}

/** What has changed, net of what came and went. */
export interface RosterChange {
  readonly joined: readonly (readonly [sid: string, present: Present])[];
  readonly left: readonly (readonly [sid: string, present: Present])[];
  readonly changed: readonly (readonly [sid: string, present: Present])[];
}

export class Roster {
  readonly #claims = new Map<string, readonly Claim[]>();
  readonly #users = new Map<string, number>();
  /** Of those that have changed since the last time: what was told of them. */
  readonly #before = new Map<string, Present | undefined>();
  /** Of the last change that was told, counted over all rosters of the node. */
  version: number;

  constructor(version: number) {
    this.version = version;
  }

  get sessions(): number {
    return this.#claims.size;
  }

  get users(): number {
    return this.#users.size;
  }

  get isChanged(): boolean {
    return this.#before.size > 0;
  }

  sids(): Iterable<string> {
    return this.#claims.keys();
  }

  get(sid: string): Present | undefined {
    return this.#claims.get(sid)?.[0]?.present;
  }

  /** What that boot says of the session. */
  claimOf(sid: string, by: string): Present | undefined {
    return this.#claims.get(sid)?.find((claim) => claim.by === by)?.present;
  }

  /** That boot says that the session is there; undefined: that it is not. */
  put(sid: string, by: string, present: Present | undefined, trust: Trust): void {
    const claims = this.#claims.get(sid) ?? [];
    const before = claims[0]?.present;
    const others = claims.filter((claim) => claim.by !== by);
    const now = present ? [{ by, present, trust }, ...others] : others;
    // Of equal ones, the one that was heard last.
    now.sort((a, b) => ranks[b.trust] - ranks[a.trust]);
    if (now.length > 0) this.#claims.set(sid, now);
    else this.#claims.delete(sid);
    this.#note(sid, before, now[0]?.present);
  }

  #note(sid: string, before: Present | undefined, now: Present | undefined): void {
    if (isSame(before, now)) return;
    this.#count(before?.user, -1);
    this.#count(now?.user, 1);
    if (!this.#before.has(sid)) this.#before.set(sid, before);
    else if (isSame(this.#before.get(sid), now)) this.#before.delete(sid);
  }

  #count(user: string | null | undefined, change: 1 | -1): void {
    if (user === undefined || user === null) return;
    const count = (this.#users.get(user) ?? 0) + change;
    if (count > 0) this.#users.set(user, count);
    else this.#users.delete(user);
  }

  /** What has changed since the last time; undefined if nothing has. @param version of that change */
  take(version: number): RosterChange | undefined {
    if (this.#before.size === 0) return undefined;
    const joined: [string, Present][] = [];
    const left: [string, Present][] = [];
    const changed: [string, Present][] = [];
    for (const [sid, before] of this.#before) {
      const now = this.get(sid);
      if (!before) joined.push([sid, now!]);
      else if (!now) left.push([sid, before]);
      else changed.push([sid, now]);
    }
    this.#before.clear();
    this.version = version;
    return { joined, left, changed };
  }
}

function isSame(one: Present | undefined, other: Present | undefined): boolean {
  if (!one || !other) return one === other;
  return one.user === other.user && JSON.stringify(one.info) === JSON.stringify(other.info);
}
