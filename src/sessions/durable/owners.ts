/** The owners of sessions, as Redis has them. Where the lease of one has ended, or was given up, others may claim its sessions. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Claimed } from './adopter.ts';
import type { RedisCommand, RunCommands } from './commands.ts';
import type { Keys } from './keys.ts';
import { type Gone, type Ownership, ownershipOf } from './ownership.ts';
import { pairsOf } from './replies.ts';
import { claimCommand } from './scripts.ts';
import { serverOf } from './witness.ts';

export interface Owner extends Ownership {
  readonly owner: string;
  readonly tags: readonly string[];
  readonly inherits: readonly Gone[];
  /** Its lease is there. */
  readonly isAlive: boolean;
}

const lookMs = 100;

/**
 * Those whose sessions are to be claimed. A node that is cut off from Redis alone has lost its lease, and its clients are well: they are
 * left to it for as long as it answers.
 * @param may as far as they have given up their lease as planned, or not
 * @param lives whether a node is there and answers
 */
export async function claimable(
  dead: readonly Owner[],
  may: { readonly left: boolean; readonly others: boolean },
  lives: (owner: Owner) => Promise<boolean>,
): Promise<Owner[]> {
  const due = dead.filter(({ hasLeft }) => (hasLeft ? may.left : may.others));
  const alive = await Promise.all(due.map((owner) => !owner.hasLeft && lives(owner)));
  return due.filter((_, i) => !alive[i]);
}

/** All of it fails as Redis does. */
export class Owners {
  readonly #run: RunCommands;
  readonly #keys: Keys;
  readonly #self: () => string | undefined;

  /** @param self the owner that this node is */
  constructor(run: RunCommands, keys: Keys, self: () => string | undefined) {
    this.#run = run;
    this.#keys = keys;
    this.#self = self;
  }

  async #rows(): Promise<[owner: string, text: string][]> {
    const [flat] = await this.#run([['hgetall', this.#keys.owners]]);
    return pairsOf(flat);
  }

  /** All but this node. */
  async others(): Promise<Owner[]> {
    const self = this.#self();
    const others = (await this.#rows()).filter(([owner]) => owner !== self);
    if (others.length === 0) return [];
    const alive = await this.#run(others.map(([owner]): RedisCommand => ['exists', this.#keys.lease(owner)]));
    return others.map(([owner, text], i) => ({ owner, ...ownershipOf(text), isAlive: alive[i] === 1 }));
  }

  /** The tags of the boots that live, but for this one. */
  async living(): Promise<string[]> {
    return (await this.others()).filter(({ isAlive }) => isAlive).map(({ tag }) => tag);
  }

  /** Resolves when others go on with all that an owner has left, and know all of it, or to false if they do not in that time. */
  async haveInherited(owner: string, withinMs: number): Promise<boolean> {
    for (const until = performance.now() + withinMs; performance.now() < until; ) {
      const rows = await this.#rows();
      const isThere = ([one, text]: [string, string]): boolean =>
        one === owner || ownershipOf(text).inherits.some((gone) => gone.owner === owner);
      if (!rows.some(isThere)) return true;
      await delay(lookMs);
    }
    return false;
  }

  /** Claims those sessions of one boot; of each that somebody else was faster with, undefined. */
  async claim(
    tag: string,
    sids: readonly string[],
    from: string,
    to: string,
  ): Promise<(Pick<Claimed, 'sid' | 'epoch' | 'contents'> | undefined)[]> {
    if (sids.length === 0) return [];
    const keys = this.#keys.ofBoot(tag);
    const answers = await this.#run(sids.map((sid) => claimCommand(keys, sid, from, to)));
    return answers.map((answer, i) => {
      if (!Array.isArray(answer)) return undefined;
      return { sid: sids[i]!, epoch: Number(answer[0]), contents: JSON.parse(String(answer[1])) as unknown };
    });
  }

  /**
   * The records of sessions of one boot, as they are, some at a time. Some may come twice: a cursor means something to one server only, and
   * another one, or the same after a restart, would skip what it has elsewhere.
   */
  async *recordsOf(tag: string, atOnce: number): AsyncGenerator<[sid: string, record: string][]> {
    const { sessions } = this.#keys.ofBoot(tag);
    for (;;) {
      const server = await serverOf(this.#run, sessions);
      let cursor = '0';
      do {
        const [scanned] = await this.#run([['hscan', sessions, cursor, 'count', atOnce]]);
        const [next, flat] = scanned as [string, unknown];
        cursor = String(next);
        yield pairsOf(flat);
      } while (cursor !== '0');
      if ((await serverOf(this.#run, sessions)) === server) return;
    }
  }

  /** What the records say of the sessions that those boots have made. */
  async *contents(tags: Iterable<string>, atOnce: number): AsyncGenerator<unknown> {
    for (const tag of tags) {
      for await (const records of this.recordsOf(tag, atOnce)) {
        for (const [, record] of records) {
          yield JSON.parse(record.slice(record.indexOf('|', record.indexOf('|') + 1) + 1));
        }
      }
    }
  }
}
