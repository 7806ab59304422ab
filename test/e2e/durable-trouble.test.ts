/**
 * Redis is there and of no use: it may drop what it holds, is full, wants another password, has become a replica. The node serves on,
 * says why its sessions are not durable, and stores everything as soon as it can.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DefaultNode } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { freePorts } from '../support/ports.ts';
import { missing } from '../support/programs.ts';
import { RedisServer } from '../support/redis.ts';
import { say } from '../support/redis-sets.ts';
import { SocketClient } from '../support/socket-clients.ts';

const skip = missing('redis-server');

test('Redis is there and of no use: the node says why, serves on, and stores what it could not', {
  skip,
}, async (t) => {
  const redis = await RedisServer.start(['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru']);
  const node = await DefaultNode.start((config) => {
    const store = { host: '127.0.0.1', port: redis.port, reconnect_timeout: 100, max_reconnect_timeout: 300 };
    config.connectors = {
      pools: { redis: { connector: 'connector.redis', size: 2, overflow: 2, args: store } },
    };
    Object.assign(config.clients!, { durable: { connector: 'redis', lease: 3000 }, hooks: {}, recovery: {} });
  });
  t.after(async () => {
    await node.stop();
    await redis.stop();
  });
  const health = async () => (await node.monitor('GET', 'health')).text();
  const says = (reason: RegExp) => eventually(async () => reason.test(await health()), `${reason}`, 15_000);
  const isDurable = () => eventually(async () => !/durable/.test(await health()), 'durable sessions', 15_000);
  const records = async () =>
    Number(
      await redis.query(async (client) => {
        const [key] = await client.keys('*:sessions');
        return key === undefined ? 0 : client.hlen(key);
      }),
    );
  const clients: SocketClient[] = [];
  const serves = async () => {
    clients.push(await SocketClient.connect('4.8 websocket', node.url));
  };

  await says(/not durable.*maxmemory-policy is allkeys-lru and must be noeviction/);
  await serves();
  assert.deepEqual(await redis.query((client) => client.keys('*')), []);
  await say(redis, 'config', 'set', 'maxmemory-policy', 'noeviction');
  await isDurable();

  const [nobody] = await freePorts(1);
  const asUser = { password: 'another' };
  const troubles: [RegExp, begin: () => Promise<unknown>, end: () => Promise<unknown>][] = [
    [
      /not durable.*OOM/,
      () => say(redis, 'config', 'set', 'maxmemory', 1),
      () => say(redis, 'config', 'set', 'maxmemory', 0),
    ],
    [
      /NOAUTH/,
      () =>
        redis.query((client) =>
          client.multi().config('SET', 'requirepass', 'another').call('client', 'kill', 'type', 'normal').exec(),
        ),
      () => redis.query((client) => client.config('SET', 'requirepass', ''), asUser),
    ],
    [
      /READONLY|MASTERDOWN/,
      () => say(redis, 'replicaof', '127.0.0.1', nobody!),
      () => say(redis, 'replicaof', 'no', 'one'),
    ],
  ];
  for (const [reason, begin, end] of troubles) {
    await begin();
    await serves();
    await says(reason);
    await end();
    await isDurable();
    await eventually(async () => (await records()) === clients.length, `${clients.length} records`);
  }
  const told = node.process.stderr + node.process.stdout;
  const lines = told.split('\n').filter((line) => line.includes('Sessions are not durable'));
  // Not one for every attempt.
  assert.ok(lines.length <= 6, lines.join('\n'));
  for (const client of clients) await client.disconnect();
  await eventually(async () => (await records()) === 0, 'the end of all records');
});
