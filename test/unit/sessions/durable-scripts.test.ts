/** The scripts of durable sessions, run by a real Redis: what their heads say. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { RedisCommand } from '../../../src/sessions/durable/commands.ts';
import { Keys } from '../../../src/sessions/durable/keys.ts';
import { claimCommand, keepCommand, putCommand, removeCommand } from '../../../src/sessions/durable/scripts.ts';
import { missing } from '../../support/programs.ts';
import { RedisServer } from '../../support/redis.ts';

const skip = missing('redis-server');
const goneMs = 60_000;
let server: RedisServer;
let boots = 0;

before(async () => {
  if (!skip) server = await RedisServer.start();
});
after(() => server?.stop());

/** The keys of a boot that nobody else uses. */
function newBoot() {
  boots += 1;
  return new Keys('test').ofBoot(`boot${boots}`);
}

function run([name, ...args]: RedisCommand): Promise<unknown> {
  return server.query((redis) => redis.call(name, ...args));
}

test('put writes what is new, changes its own, and touches nobody else’s', { skip }, async () => {
  const keys = newBoot();
  const record = () => server.query((redis) => redis.hget(keys.sessions, 's'));
  assert.equal(await run(putCommand(keys, 's', 'a|0|', '{"n":1}')), 1);
  assert.equal(await run(putCommand(keys, 's', 'a|0|', '{"n":2}')), 1);
  for (const head of ['b|0|', 'a|1|', 'aa|0|']) {
    assert.equal(await run(putCommand(keys, 's', head, '{"n":3}')), 0, head);
  }
  assert.equal(await record(), 'a|0|{"n":2}');
});

test('claim raises the epoch, keeps the contents, and happens once', { skip }, async () => {
  const keys = newBoot();
  // What patterns of Lua might stumble over.
  const contents = '{"n":"|%d\\n|","m":"ä|1|"}';
  await run(putCommand(keys, 's', 'a|0|', contents));
  assert.equal(await run(claimCommand(keys, 's', 'x', 'b')), 0);
  assert.deepEqual(await run(claimCommand(keys, 's', 'a', 'b')), [1, contents]);
  assert.equal(await run(claimCommand(keys, 's', 'a', 'c')), 0);
  // The answer was lost, and it asks again.
  assert.deepEqual(await run(claimCommand(keys, 's', 'a', 'b')), [1, contents]);
  assert.deepEqual(await run(claimCommand(keys, 's', 'b', 'c')), [2, contents]);
  assert.equal(await run(putCommand(keys, 's', 'b|1|', '{}')), 0);
  assert.equal(await run(putCommand(keys, 's', 'c|2|', '{}')), 1);
});

test('claim tells a session that nobody knows from one that has ended', { skip }, async () => {
  const keys = newBoot();
  assert.equal(await run(claimCommand(keys, 's', 'a', 'b')), 1);
  await run(putCommand(keys, 's', 'a|0|', '{}'));
  await run(claimCommand(keys, 's', 'a', 'b'));
  assert.equal(await run(removeCommand(keys, 's', 'b|1|', goneMs, true)), 1);
  assert.equal(await run(claimCommand(keys, 's', 'a', 'c')), 0);
  assert.equal(await run(putCommand(keys, 's', 'a|0|', '{}')), 0, 'its former owner does not bring it back');
});

test('remove deletes its own only, and remembers for a while what was claimed', { skip }, async () => {
  const keys = newBoot();
  await run(putCommand(keys, 'mine', 'a|0|', '{}'));
  await run(putCommand(keys, 'claimed', 'a|0|', '{}'));
  await run(claimCommand(keys, 'claimed', 'a', 'b'));
  assert.equal(await run(removeCommand(keys, 'mine', 'b|0|', goneMs, false)), 0);
  assert.equal(await run(removeCommand(keys, 'nobody', 'a|0|', goneMs, false)), 2);
  assert.equal(await run(removeCommand(keys, 'mine', 'a|0|', goneMs, false)), 1);
  assert.equal(await run(removeCommand(keys, 'claimed', 'b|1|', goneMs, true)), 1);
  assert.equal(await run(removeCommand(keys, 'claimed', 'a|0|', goneMs, false)), 0);
  const left = await server.query(async (redis) => ({
    sessions: await redis.exists(keys.sessions),
    gone: await redis.smembers(keys.gone),
    expires: (await redis.pttl(keys.gone)) > 0,
  }));
  assert.deepEqual(left, { sessions: 0, gone: ['claimed'], expires: true });
});

test('keep gives each publication its numbers once, whoever adds it', { skip }, async () => {
  const keys = new Keys('test').ofOwner('keep');
  assert.equal(await run(keepCommand(keys, ['c:a x/1', 2, '["p","q"]', 'c:a x/2', 1, '["r"]'])), 2);
  assert.equal(await run(keepCommand(keys, ['c:a x/2', 1, '["r"]', 'c:b x/2', 1, '["r"]'])), 1);
  const kept = await server.query((redis) => redis.hgetall(keys.kept));
  assert.deepEqual(kept, { '#': '4', 'c:a x/1': '1|["p","q"]', 'c:a x/2': '3|["r"]', 'c:b x/2': '4|["r"]' });
});
