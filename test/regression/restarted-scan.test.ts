/**
 * Redis is restarted, or fails over, while a node looks for the sessions of one that is gone. Old fault: it looked on where it had been
 * before, which is another place in another server, and took what it had not found for not there: those sessions stayed for ever.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RedisCommand } from '../../src/sessions/durable/commands.ts';
import { Keys } from '../../src/sessions/durable/keys.ts';
import { Owners } from '../../src/sessions/durable/owners.ts';
import { missing } from '../support/programs.ts';
import { RedisServer } from '../support/redis.ts';

const skip = missing('redis-server');

test('all sessions of a node that is gone are found though Redis is restarted meanwhile', { skip }, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'hive-redis-'));
  const server = await RedisServer.start(['--dir', dir, '--appendonly', 'yes', '--appendfsync', 'always']);
  t.after(async () => {
    await server.stop();
    rmSync(dir, { recursive: true });
  });
  const run = (commands: readonly RedisCommand[]): Promise<unknown[]> =>
    server.query(async (redis) => {
      const replies: unknown[] = [];
      for (const [name, ...args] of commands) replies.push(await redis.call(name, ...args));
      return replies;
    });
  const keys = new Keys('restarted');
  const tag = 'bootboot';
  const all = Array.from({ length: 1000 }, (_, at) => `sid${at}`);
  await run([['hset', keys.ofBoot(tag).sessions, ...all.flatMap((sid) => [sid, 'dead|0|{}'])]]);
  const found = new Set<string>();
  let restarts = 0;
  for await (const records of new Owners(run, keys, () => undefined).recordsOf(tag, 100)) {
    for (const [sid] of records) found.add(sid);
    if (found.size < 300 || restarts === 2) continue;
    restarts += 1;
    await server.stop('SIGKILL');
    await server.start();
  }
  assert.equal(restarts, 2);
  assert.equal(found.size, all.length);
});
