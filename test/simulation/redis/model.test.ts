/** The model of Redis against a real one: whatever a node may ask, both answer the same and hold the same afterwards. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { RedisCommand } from '../../../src/sessions/durable/commands.ts';
import { Keys } from '../../../src/sessions/durable/keys.ts';
import { pairsOf } from '../../../src/sessions/durable/replies.ts';
import { claimCommand, putCommand, removeCommand } from '../../../src/sessions/durable/scripts.ts';
import { missing } from '../../support/programs.ts';
import { fc } from '../../support/properties.ts';
import { RedisServer } from '../../support/redis.ts';
import { RedisModel } from './model.ts';

const skip = missing('redis-server');
let server: RedisServer;

before(async () => {
  if (!skip) server = await RedisServer.start();
});
after(() => server?.stop());

/** Longer than the test takes. */
const ms = 600_000;
const boot = new Keys('test').ofBoot('tag');

const name = fc.constantFrom('a', 'b', 'c');
const value = fc.constantFrom('', '1', 'a|0|{}', 'ä|%d|\n', '{"n":"|7|"}');
const key = fc.constantFrom('one', 'two');
const number = fc.integer({ min: 1, max: 9 });
const owner = fc.constantFrom('x', 'y');
const head = fc.constantFrom('x|0|', 'x|1|', 'y|1|', 'y|2|');

const command: fc.Arbitrary<RedisCommand> = fc.oneof(
  key.map((it): RedisCommand => ['get', it]),
  fc.tuple(key, value).map(([it, text]): RedisCommand => ['set', it, text, 'nx']),
  fc.tuple(key, value).map(([it, text]): RedisCommand => ['set', it, text, 'px', ms]),
  key.map((it): RedisCommand => ['pexpire', it, ms]),
  fc.tuple(key, key).map(([one, other]): RedisCommand => ['exists', one, other]),
  fc.tuple(key, key).map(([one, other]): RedisCommand => ['del', one, other]),
  fc.tuple(key, name, value, name, value).map((args): RedisCommand => ['hset', ...args]),
  fc.tuple(key, name).map((args): RedisCommand => ['hget', ...args]),
  fc.tuple(key, name, name).map((args): RedisCommand => ['hmget', ...args]),
  fc.tuple(key, name, name).map((args): RedisCommand => ['hdel', ...args]),
  key.map((it): RedisCommand => ['hgetall', it]),
  key.map((it): RedisCommand => ['hlen', it]),
  key.map((it): RedisCommand => ['hscan', it, 0, 'count', 100]),
  fc.tuple(key, name, name).map((args): RedisCommand => ['sadd', ...args]),
  fc.tuple(key, name).map((args): RedisCommand => ['sismember', ...args]),
  fc.tuple(key, number, value).map(([it, at, text]): RedisCommand => ['xadd', it, `${at}-0`, 's', text]),
  fc.tuple(key, number).map(([it, length]): RedisCommand => ['xtrim', it, 'maxlen', length]),
  fc.tuple(key, number).map(([it, at]): RedisCommand => ['xrange', it, `${at}-0`, '+', 'count', 2]),
  key.map((it): RedisCommand => ['xrange', it, '-', '+']),
  key.map((it): RedisCommand => ['xlen', it]),
  fc.tuple(name, head, value).map((args) => putCommand(boot, ...args)),
  fc.tuple(name, owner, owner).map((args) => claimCommand(boot, ...args)),
  fc.tuple(name, head, fc.boolean()).map(([sid, its, isClaimed]) => removeCommand(boot, sid, its, ms, isClaimed)),
);

type Reply = { readonly reply: unknown } | { readonly refused: string };

const reading: readonly RedisCommand[] = [
  ...['one', 'two', boot.sessions, boot.gone].map((it): RedisCommand => ['exists', it]),
  ['hgetall', boot.sessions],
];

/** A refusal by its kind: in scripts Redis adds where it was. */
function refusal(error: unknown): Reply {
  return { refused: /WRONGTYPE|equal or smaller|not an integer/.exec(String(error))?.[0] ?? String(error) };
}

async function ofServer(commands: readonly RedisCommand[]): Promise<Reply[]> {
  return server.query(async (redis) => {
    await redis.flushall();
    const replies: Reply[] = [];
    for (const [command, ...args] of commands) {
      const answer = (reply: unknown) => ({ reply: command === 'hgetall' ? pairsOf(reply).flat() : reply });
      replies.push(await redis.call(command, ...args).then(answer, refusal));
    }
    return replies;
  });
}

function ofModel(commands: readonly RedisCommand[]): Reply[] {
  const model = new RedisModel(() => 0);
  return commands.map((command) => {
    try {
      return { reply: model.run([command])[0] };
    } catch (error) {
      return refusal(error);
    }
  });
}

test('the model answers as Redis does', { skip }, async () => {
  const property = fc.asyncProperty(fc.array(command, { maxLength: 40 }), async (some) => {
    const commands = [...some, ...reading];
    assert.deepEqual(ofModel(commands), await ofServer(commands));
  });
  await fc.assert(property, { numRuns: 300 });
});

test('what expires is gone at its time, and what is queued is answered together', () => {
  let now = 0;
  const model = new RedisModel(() => now);
  const replies = model.run([['multi'], ['set', 'k', 'v', 'px', 10], ['get', 'k'], ['exec']]);
  assert.deepEqual(replies, ['OK', 'QUEUED', 'QUEUED', ['OK', 'v']]);
  now = 9;
  assert.equal(model.call('exists', 'k'), 1);
  now = 10;
  assert.equal(model.call('exists', 'k'), 0);
  assert.throws(() => model.call('flushall'), /does not know flushall/);
});
