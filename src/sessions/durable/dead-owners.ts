/** Those whose lease has ended, or who have given it up: others may claim their sessions. */
import { setTimeout as delay } from 'node:timers/promises';
import type { RedisCommand, RunCommands } from './commands.ts';
import type { BootKeys, Keys } from './keys.ts';
import { pairsOf } from './replies.ts';

export interface DeadOwner {
  readonly owner: string;
  readonly boot: string;
  /** Of that boot. */
  readonly tag: string;
  readonly tags: readonly string[];
  /** It has given up its lease as planned. */
  readonly hasLeft: boolean;
}

/** At the end of what is known of an owner that has given up its lease. */
export const leftMark = 'left';

/** Those of other leases, by whether these are there. */
async function owners(run: RunCommands, keys: Keys, self: string | undefined, areAlive: boolean): Promise<DeadOwner[]> {
  const [flat] = await run([['hgetall', keys.owners]]);
  const others = pairsOf(flat).filter(([owner]) => owner !== self);
  if (others.length === 0) return [];
  const alive = await run(others.map(([owner]): RedisCommand => ['exists', keys.lease(owner)]));
  return others
    .filter((_, i) => (alive[i] === 1) === areAlive)
    .map(([owner, ownership]) => {
      const [boot = '', tag = '', tags = '', end] = ownership.split('|');
      return { owner, boot, tag, tags: tags.split(','), hasLeft: end === leftMark };
    });
}

export function deadOwners(run: RunCommands, keys: Keys, self: string | undefined): Promise<DeadOwner[]> {
  return owners(run, keys, self, false);
}

/** The tags of the boots whose leases are there. */
export async function livingTags(run: RunCommands, keys: Keys, self: string | undefined): Promise<string[]> {
  return (await owners(run, keys, self, true)).map(({ tag }) => tag);
}

/**
 * Those whose sessions are to be claimed. A node that is cut off from Redis alone has lost its lease, and its clients are well: they are
 * left to it for as long as it answers.
 * @param may as far as they have given up their lease as planned, or not
 * @param lives whether a node is there and answers
 */
export async function claimable(
  dead: readonly DeadOwner[],
  may: { readonly left: boolean; readonly others: boolean },
  lives: (owner: DeadOwner) => Promise<boolean>,
): Promise<DeadOwner[]> {
  const due = dead.filter(({ hasLeft }) => (hasLeft ? may.left : may.others));
  const alive = await Promise.all(due.map((owner) => !owner.hasLeft && lives(owner)));
  return due.filter((_, i) => !alive[i]);
}

const lookMs = 100;

/** Resolves when others have claimed all that an owner has left, or to false if they have not in that time. */
export async function isInherited(run: RunCommands, keys: Keys, owner: string, withinMs: number): Promise<boolean> {
  for (const until = performance.now() + withinMs; performance.now() < until; ) {
    const [isThere] = await run([['hexists', keys.owners, owner]]);
    if (isThere === 0) return true;
    await delay(lookMs);
  }
  return false;
}

/** Those sessions of one boot, some at a time. */
export async function* sessionsOf(
  run: RunCommands,
  { sessions }: BootKeys,
  isWanted: (sid: string, record: string) => boolean,
  atOnce: number,
): AsyncGenerator<string[]> {
  let cursor = '0';
  do {
    const [scanned] = await run([['hscan', sessions, cursor, 'count', atOnce]]);
    const [next, flat] = scanned as [string, string[]];
    cursor = String(next);
    yield pairsOf(flat)
      .filter(([sid, record]) => isWanted(sid, record))
      .map(([sid]) => sid);
  } while (cursor !== '0');
}
