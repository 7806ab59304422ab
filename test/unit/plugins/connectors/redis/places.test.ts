/** Where `connector.redis` finds Redis: a URL, Sentinels, a Cluster. Real servers of each kind. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Redis } from 'ioredis';
import { redisConnector } from '../../../../../src/plugins/connectors/redis/redis.ts';
import type { RedisRequest } from '../../../../../src/plugins/connectors/redis/worker.ts';
import { type Connectors, startConnectors } from '../../../../support/connectors.ts';
import { eventually } from '../../../../support/eventually.ts';
import { freePorts } from '../../../../support/ports.ts';
import { missing } from '../../../../support/programs.ts';
import { RedisServer } from '../../../../support/redis.ts';
import { say, startCluster, startReplica, startSentinel } from '../../../../support/redis-sets.ts';

const skip = missing('redis-server');
const times = { reconnect_timeout: 100, max_reconnect_timeout: 5000, tls: false, restart_timeout: 0 };

async function pool(t: TestContext, args: object, size = 2): Promise<Connectors> {
  const all = { ...times, ...args };
  const connectors = await startConnectors({
    pools: { db: { connector: 'connector.redis', size, overflow: 0, args: all } },
  });
  t.after(() => connectors.close());
  return connectors;
}

function run(connectors: Connectors, ...commands: RedisRequest['commands']): Promise<unknown[]> {
  return connectors.pools.get<unknown, unknown[]>('db').request({ commands });
}

test('a URL says host, port, user, password and database', { skip }, async (t) => {
  const server = await RedisServer.start(['--user', 'hive', 'on', '>ses@me', '~*', '+@all']);
  t.after(() => server.stop());
  const connectors = await pool(t, { url: `redis://hive:ses%40me@127.0.0.1:${server.port}/3` });
  assert.deepEqual(await run(connectors, ['acl', 'whoami'], ['set', 'a', 1]), ['hive', 'OK']);
  assert.equal(await server.query((redis) => redis.select(3).then(() => redis.get('a'))), '1');
});

test('Sentinels say who is the master, also after a failover; one that is away does not matter', {
  skip,
}, async (t) => {
  const master = await RedisServer.start();
  const replica = await startReplica(master);
  const sentinel = await startSentinel(master, 'mine', 'watchman');
  t.after(() => Promise.all([master, replica, sentinel].map((server) => server.stop())));
  const [nobody] = await freePorts(1);
  const sentinels = [`127.0.0.1:${nobody}`, `127.0.0.1:${sentinel.port}`];
  const connectors = await pool(t, { sentinels, master_name: 'mine', sentinel_password: 'watchman', database: 2 });
  assert.deepEqual(await run(connectors, ['set', 'a', 1]), ['OK']);
  assert.equal(await master.query((redis) => redis.select(2).then(() => redis.get('a'))), '1');
  const replicas = (redis: Redis) => redis.call('sentinel', 'replicas', 'mine') as Promise<unknown[]>;
  await eventually(
    async () => (await sentinel.query(replicas, { password: 'watchman', enableReadyCheck: false })).length === 1,
    'the Sentinel to know the replica',
    30_000,
  );
  await master.stop('SIGKILL');
  await eventually(() => run(connectors, ['set', 'a', 2]).catch(() => undefined), 'the failover', 60_000);
  assert.equal(await replica.query((redis) => redis.select(2).then(() => redis.get('a'))), '2');
});

test('Sentinels that are all away, or do not know the master, are named', { skip }, async (t) => {
  const [nobody] = await freePorts(1);
  const connectors = await pool(t, {
    sentinels: [`127.0.0.1:${nobody}`],
    master_name: 'mine',
    max_reconnect_timeout: 500,
  });
  await assert.rejects(run(connectors, ['ping']), {
    code: 'redis_error',
    message: new RegExp(
      `^Redis mine of the Sentinels 127\\.0\\.0\\.1:${nobody} is unreachable: All sentinels are unreachable`,
    ),
  });
});

test('a Cluster: every key finds its node, transactions and pipelines too, and slots that move are found again', {
  skip,
}, async (t) => {
  const nodes = await startCluster(3);
  t.after(() => Promise.all(nodes.map((node) => node.stop())));
  const connectors = await pool(t, { cluster: [`127.0.0.1:${nodes[0]!.port}`] });
  for (let n = 0; n < 50; n += 1) {
    const key = `hive:state:${n}`;
    const whole = await run(connectors, ['multi'], ['del', key], ['hset', key, 'a', n], ['exec']);
    assert.deepEqual([whole.length, whole[0]], [4, 'OK']);
    assert.deepEqual(await run(connectors, ['hget', key, 'a'], ['hlen', key]), [`${n}`, 1]);
  }
  const held = await Promise.all(nodes.map((node) => say(node, 'dbsize')));
  assert.ok(
    held.every((keys) => Number(keys) > 0) && held.reduce((sum, keys) => sum + Number(keys), 0) === 50,
    `${held}`,
  );
  // An empty slot changes its owner: the first to ask there is sent on.
  const key = 'moved';
  const slot = Number(await say(nodes[0]!, 'cluster', 'keyslot', key));
  const ids = await Promise.all(nodes.map((node) => say(node, 'cluster', 'myid')));
  const owner = Math.floor((slot * 3) / 16_384);
  const next = (owner + 1) % 3;
  for (const at of [next, owner, 3 - owner - next])
    await say(nodes[at]!, 'cluster', 'setslot', slot, 'node', ids[next]!);
  assert.equal((await run(connectors, ['multi'], ['set', key, 1], ['exec'])).length, 3);
  assert.equal(await say(nodes[next]!, 'get', key), '1');
  // `a`, `b` and `c` belong to three nodes.
  const several: RedisRequest['commands'] = [
    ['set', 'a', 1],
    ['multi'],
    ['incr', 'b'],
    ['incr', 'b'],
    ['exec'],
    ['ping'],
    ['incr', 'a'],
    ['eval', "return redis.call('incrby', KEYS[1], ARGV[1])", 1, 'c', 7],
  ];
  assert.deepEqual(await run(connectors, ...several), ['OK', 'OK', 'QUEUED', 'QUEUED', [1, 2], 'PONG', 2, 7]);
  await assert.rejects(run(connectors, ['get', 'a'], ['multi'], ['set', 'a', 1], ['set', 'b', 2], ['exec']), {
    code: 'redis_error',
    message: /slot/,
  });
});

test('a Cluster that has lost a node fails what belonged there, with the reason, until it is back', {
  skip,
}, async (t) => {
  const nodes = await startCluster(3, ['--cluster-require-full-coverage', 'no']);
  t.after(() => Promise.all(nodes.map((node) => node.stop())));
  const all = nodes.map(({ port }) => `127.0.0.1:${port}`);
  const connectors = await pool(t, { cluster: all, max_reconnect_timeout: 1000 }, 1);
  // `b` belongs to the first third of the slots, `a` to the last.
  assert.deepEqual([await run(connectors, ['set', 'a', 1]), await run(connectors, ['set', 'b', 1])], [['OK'], ['OK']]);
  await nodes[2]!.stop('SIGKILL');
  await assert.rejects(run(connectors, ['set', 'a', 2]), { code: 'redis_error' });
  await eventually(() => run(connectors, ['set', 'b', 2]).catch(() => undefined), 'the other nodes to be used');
  await nodes[2]!.start();
  await eventually(() => run(connectors, ['set', 'a', 3]).catch(() => undefined), 'the node to be used again', 30_000);
});

test('what says nowhere, or twice, where Redis is, is refused with the place', () => {
  const refusal = (args: object) => redisConnector.check!({ ...times, ...args } as never, {} as never);
  const fine: object[] = [
    { host: 'a', port: 1, database: 0, password: '' },
    { host: 'a' },
    { url: 'redis://a' },
    { url: 'rediss://:p%C3%A4ss@[::1]:7000/12' },
    { url: 'redis://a', password: 'p', database: 3 },
    { sentinels: ['a', 'b:1', '[::1]:2'], master_name: 'm' },
    { cluster: ['a:1'], database: 0 },
  ];
  for (const args of fine) assert.equal(refusal(args), undefined, JSON.stringify(args));
  const wrong: [string, object][] = [
    ['host', {}],
    ['cluster', { host: 'a', cluster: ['a'] }],
    ['port', { url: 'redis://a', port: 1 }],
    ['url', { url: 'a:6379' }],
    ['url', { url: 'http://a' }],
    ['url', { url: 'redis://a/x' }],
    ['url', { url: 'redis://a/1?db=2' }],
    ['url', { url: 'redis://u:%zz@a' }],
    ['password', { url: 'redis://:p@a', password: 'q' }],
    ['master_name', { sentinels: ['a'] }],
    ['sentinel_password', { host: 'a', sentinel_password: 'x' }],
    ['sentinels[1]', { sentinels: ['a', 'redis://b'], master_name: 'm' }],
    ['cluster[0]', { cluster: ['a:123456'] }],
    ['database', { cluster: ['a'], database: 1 }],
  ];
  for (const [path, args] of wrong) assert.equal(refusal(args)?.path, path, JSON.stringify(args));
});
