/** Where sessions are, by their records. */
import type { RedisCommand, RunCommands } from './commands.ts';
import type { Keys } from './keys.ts';

/**
 * The tag of the boot that owns each, or `waiting` while its owner is gone and nobody has claimed it. Undefined for one that is not there.
 * @throws what Redis fails with
 */
export async function locate(run: RunCommands, keys: Keys, sids: readonly string[]): Promise<(string | undefined)[]> {
  const records = await run(sids.map((sid): RedisCommand => ['hget', keys.ofSid(sid).sessions, sid]));
  const owners = records.map((record) => (typeof record === 'string' ? record.split('|', 1)[0]! : undefined));
  const known = [...new Set(owners.filter((owner) => owner !== undefined))];
  if (known.length === 0) return owners;
  const answers = await run(
    known.flatMap((owner): RedisCommand[] => [
      ['exists', keys.lease(owner)],
      ['hget', keys.owners, owner],
    ]),
  );
  const tags = new Map(
    known.map((owner, at) => {
      const ownership = answers[2 * at + 1];
      const isAlive = answers[2 * at] === 1 && typeof ownership === 'string';
      return [owner, isAlive ? ownership.split('|')[1]! : 'waiting'];
    }),
  );
  return owners.map((owner) => (owner === undefined ? undefined : tags.get(owner)));
}
