/** What signs the pids of a cluster. It is made by the first node, and stays in Redis. */
import { randomBytes } from 'node:crypto';
import type { RunCommands } from './commands.ts';
import type { Keys } from './keys.ts';

/** @throws if Redis drops keys when its memory is full: it would drop leases, and nodes that live would be taken for dead */
export async function secretIn(run: RunCommands, keys: Keys): Promise<Buffer> {
  const [info] = await run([['info', 'memory']]);
  const policy = /^maxmemory_policy:(\S+)/m.exec(String(info))?.[1];
  if (policy !== undefined && policy !== 'noeviction') {
    throw new Error(`Redis may drop what it holds: its maxmemory-policy is ${policy} and must be noeviction`);
  }
  const [, secret] = await run([
    ['set', keys.secret, randomBytes(32).toString('base64'), 'nx'],
    ['get', keys.secret],
  ]);
  return Buffer.from(String(secret), 'base64');
}
