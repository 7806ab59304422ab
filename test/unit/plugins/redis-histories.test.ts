/** Histories in a real Redis: the same suite as for any store, and what only Redis can do to one. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Redis } from 'ioredis';
import { RedisHistories } from '../../../src/plugins/history-stores/redis/redis.ts';
import { historyStoreSuite } from '../../support/history-store-suite.ts';
import { RedisServer } from '../../support/redis.ts';

let server: RedisServer;
let redis: Redis;
let prefixes = 0;

before(async () => {
  server = await RedisServer.start();
  redis = new Redis({ port: server.port, host: '127.0.0.1', protocol: 2 });
});

after(async () => {
  redis.disconnect();
  await server.stop();
});

function histories(keyPrefix: string): RedisHistories {
  const run = async (commands: readonly (readonly [string, ...(string | number)[]])[]) => {
    const replies = await redis.pipeline(commands.map((command) => [...command])).exec();
    return replies!.map(([error, reply]) => {
      if (error) throw error;
      return reply;
    });
  };
  return new RedisHistories({ run, keyPrefix, creation: 1 });
}

function newPrefix(): string {
  prefixes += 1;
  return `test:${prefixes}:`;
}

historyStoreSuite('Redis', () => ({
  store: histories(newPrefix()),
  pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  lose: async () => void (await redis.flushall()),
}));

const bounds = { size: 5, ttlMs: 60_000 };
const item = (number: number, origin = 'ann') => ({
  channel: 'a',
  bounds,
  content: number,
  bytes: 100,
  origin,
  number,
});

test('nodes append to one history at the same time, and each offset is given once', async () => {
  const prefix = newPrefix();
  const stores = ['ann', 'ben', 'cid'].map((origin) => ({ origin, store: histories(prefix) }));
  const positions = await Promise.all(
    stores.flatMap(({ origin, store }) => Array.from({ length: 30 }, (_, n) => store.append([item(n + 1, origin)]))),
  );
  const offsets = positions.flat().map((position) => position![1]);
  assert.deepEqual(
    offsets.toSorted((a, b) => a - b),
    Array.from({ length: 90 }, (_, n) => n + 1),
  );
  for (const { store } of stores) assert.equal((await store.read('a', bounds, { limit: 0 })).offset, 90);
});

test('Redis that comes back with less than a node has seen begins a later epoch', async () => {
  const prefix = newPrefix();
  const [one, other] = [histories(prefix), histories(prefix)];
  const [first] = await one.append([item(1)]);
  const key = `${prefix}{a}:numbers`;
  const dump = await redis.dumpBuffer(key);
  await one.append([item(2), item(3)]);
  await redis.restore(key, 0, dump, 'REPLACE');
  const part = await one.read('a', bounds, { epoch: first![0], since: 1, limit: 10 });
  assert.ok(part.epoch > first![0]);
  assert.deepEqual([part.offset, part.complete], [0, false]);
  assert.deepEqual(await other.append([item(1, 'ben')]), [[part.epoch, 1]]);
});

test('the keys of a channel have one slot, and expire', async () => {
  const prefix = newPrefix();
  await histories(prefix).append([item(1)]);
  const keys = (await redis.keys(`${prefix}*`)).sort();
  assert.deepEqual(keys, [`${prefix}{a}:entries`, `${prefix}{a}:numbers`]);
  for (const key of keys) assert.ok((await redis.pttl(key)) > 50_000);
});
