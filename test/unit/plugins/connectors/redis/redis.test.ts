import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { RedisRequest } from '../../../../../src/plugins/connectors/redis/worker.ts';
import type { PoolDescriptor } from '../../../../../src/plugins/types.ts';
import { type Connectors, type ConnectorsOptions, startConnectors } from '../../../../support/connectors.ts';
import { eventually } from '../../../../support/eventually.ts';
import { freePorts } from '../../../../support/ports.ts';
import { missing } from '../../../../support/programs.ts';
import { RedisServer } from '../../../../support/redis.ts';

const skip = missing('redis-server');
let redis: RedisServer;

before(async () => {
  if (!skip) redis = await RedisServer.start();
});

after(async () => {
  await redis?.stop();
});

interface Cleaner {
  after(done: () => Promise<void>): void;
}

function descriptor(args: object = {}, size = 2, overflow = 0): PoolDescriptor {
  return {
    connector: 'connector.redis',
    size,
    overflow,
    args: {
      host: '127.0.0.1',
      port: redis.port,
      database: 0,
      password: '',
      tls: false,
      restart_timeout: 0,
      reconnect_timeout: 100,
      max_reconnect_timeout: 5000,
      ...args,
    },
  };
}

async function started(t: Cleaner, pool: PoolDescriptor, options: ConnectorsOptions = {}): Promise<Connectors> {
  const connectors = await startConnectors({ ...options, pools: { db: pool } });
  t.after(() => connectors.close());
  return connectors;
}

function run(connectors: Connectors, ...commands: RedisRequest['commands']): Promise<unknown[]> {
  return connectors.pools.get<unknown, unknown[]>('db').request({ commands });
}

test('commands run as one pipeline in the configured database', { skip }, async (t) => {
  const connectors = await started(t, descriptor({ database: 3 }));
  assert.deepEqual(await run(connectors, ['set', 'a', 1], ['incr', 'a'], ['get', 'a'], ['get', 'none']), [
    'OK',
    2,
    '2',
    null,
  ]);
  assert.equal(await redis.query(async (client) => client.select(3).then(() => client.get('a'))), '2');
  await eventually(() => connectors.counter('connectors.redis.db.connected') === 2, 'both connections');
  const counted = { workers: 2, capacity: 2, busy: 0, waiting: 0, connected: 2, requests: 1, errors: 0, queries: 4 };
  const { latency, ...metrics } = connectors.counter('connectors.redis.db') as Record<string, unknown>;
  assert.deepEqual(metrics, counted);
  assert.equal((latency as { count: number }).count, 1);
});

test("Redis' own errors keep its words and do not cost the connection", { skip }, async (t) => {
  const connectors = await started(t, descriptor({}, 1));
  await run(connectors, ['set', 'text', 'x']);
  await assert.rejects(run(connectors, ['incr', 'text']), { code: 'redis_error', message: /not an integer/ });
  await assert.rejects(run(connectors, ['nonsense']), { code: 'redis_error', message: /unknown command/ });
  const clients = await redis.query((client) => client.info('clients'));
  assert.deepEqual(await run(connectors, ['get', 'text']), ['x']);
  assert.match(clients, /connected_clients:2\r/);
});

test('password and user are sent', { skip }, async (t) => {
  const guarded = await RedisServer.start(['--requirepass', 'open', '--user', 'hive', 'on', '>sesame', '~*', '+@all']);
  t.after(() => guarded.stop());
  const { port } = guarded;
  const whoami = async (args: object): Promise<unknown[]> =>
    run(await started(t, descriptor({ port, max_reconnect_timeout: 1000, ...args })), ['acl', 'whoami']);
  assert.deepEqual(await whoami({ password: 'open' }), ['default']);
  assert.deepEqual(await whoami({ username: 'hive', password: 'sesame' }), ['hive']);
  await assert.rejects(whoami({ password: 'wrong' }), { code: 'redis_error', message: /unreachable: WRONGPASS/ });
  await assert.rejects(whoami({}), { code: 'redis_error', message: /NOAUTH/ });
});

test('a server without TLS is unreachable for a pool that wants it', { skip }, async (t) => {
  const connectors = await started(t, descriptor({ tls: true, max_reconnect_timeout: 200 }));
  await assert.rejects(run(connectors, ['ping']), { code: 'redis_error', message: /is unreachable: / });
});

test('a database that does not exist is an error, not another database', { skip }, async (t) => {
  const connectors = await started(t, descriptor({ database: 99, max_reconnect_timeout: 50 }));
  await assert.rejects(run(connectors, ['get', 'a']), { code: 'redis_error', message: /DB index is out of range/ });
});

test('the pool starts while Redis is down, and commands fail with address and reason', { skip }, async (t) => {
  const [port] = await freePorts(1);
  const connectors = await started(t, descriptor({ port, max_reconnect_timeout: 100 }));
  await assert.rejects(run(connectors, ['get', 'a']), {
    code: 'redis_error',
    message: `Redis at 127.0.0.1:${port} is unreachable: connect ECONNREFUSED 127.0.0.1:${port}`,
  });
  assert.equal(connectors.counter('connectors.redis.db.errors'), 1);
});

test('a failed command is tried backoff_num times', { skip }, async (t) => {
  const [port] = await freePorts(1);
  const pool = descriptor({ port, max_reconnect_timeout: 0 });
  const connectors = await started(t, pool, { backoffNum: 4, backoffTime: 20 });
  await assert.rejects(run(connectors, ['get', 'a']), { code: 'redis_error' });
  assert.equal(connectors.counter('connectors.errors'), 3);
});

test('a command that comes during a short outage waits for its end', { skip }, async (t) => {
  const server = await RedisServer.start();
  t.after(() => server.stop());
  const connectors = await started(t, descriptor({ port: server.port }));
  await run(connectors, ['set', 'a', 1]);
  await server.stop();
  const waiting = run(connectors, ['set', 'b', 2]);
  await eventually(
    () => connectors.warnings.some((line) => line.includes('is unreachable')),
    'the outage to be noticed',
  );
  await eventually(() => connectors.counter('connectors.redis.db.connected') === 0, 'the loss of both connections');
  await server.start();
  assert.deepEqual(await waiting, ['OK']);
});

test('workers give up in a long outage, are replaced, and heal by themselves', { skip }, async (t) => {
  const server = await RedisServer.start();
  t.after(() => server.stop());
  const args = { port: server.port, reconnect_timeout: 100, max_reconnect_timeout: 150 };
  const connectors = await started(t, descriptor(args, 5, 5));
  await Promise.all(Array.from({ length: 10 }, () => run(connectors, ['ping'])));
  const before = connectors.kernel.registered();
  await server.stop('SIGKILL');
  const ids = await workers(connectors);
  await eventually(async () => {
    await assert.rejects(run(connectors, ['ping']), { code: 'redis_error' });
    const now = await workers(connectors);
    return now.size > 0 && [...now].every((id) => !ids.has(id));
  }, 'all workers to be replaced');
  const since = performance.now();
  await assert.rejects(run(connectors, ['ping']), { code: 'redis_error', message: /ECONNREFUSED/ });
  assert.ok(performance.now() - since < 1000, 'fails fast once the outage is known to be long');
  await server.start();
  await eventually(() => run(connectors, ['ping']).catch(() => undefined), 'Redis to be used again');
  assert.deepEqual(connectors.kernel.registered(), before);
  assert.deepEqual(connectors.crashes, []);
});

async function workers(connectors: Connectors): Promise<Set<string>> {
  const supervisor = connectors.kernel.whereis('hive_connectors_pool_sup')!;
  const inspected = connectors.kernel.inspect(supervisor)!.state as { children: { ref: string }[] };
  assert.equal(inspected.children.length, 1);
  const ids = new Set<string>();
  for (let id = 0; id < 5000; id += 1) {
    const ref = connectors.kernel.local(id, 0, connectors.kernel.creation);
    if (ref && connectors.kernel.inspect(ref)?.label === 'db worker') ids.add(ref.toString());
  }
  return ids;
}

test('a Redis that hangs fails the command in time and is given up as a connection', { skip }, async (t) => {
  const server = await RedisServer.start();
  t.after(() => server.stop());
  const connectors = await started(t, descriptor({ port: server.port, max_reconnect_timeout: 300 }, 1));
  await run(connectors, ['set', 'n', 0]);
  server.pause();
  await assert.rejects(run(connectors, ['incr', 'n']), { code: 'redis_error', message: /no answer within 1000 ms/ });
  server.resume();
  await eventually(() => run(connectors, ['ping']).catch(() => undefined), 'Redis to be used again');
  // Nobody has sent it twice: it was executed when the server woke up, or not at all.
  assert.ok(Number((await run(connectors, ['get', 'n']))[0]) <= 1);
});

test('workers are replaced under load without a command lost or done twice', { skip }, async (t) => {
  const connectors = await started(t, descriptor({ restart_timeout: 40 }, 3, 2));
  await run(connectors, ['del', 'count']);
  const first = await workers(connectors);
  let sent = 0;
  const lanes = Array.from({ length: 8 }, async () => {
    for (const end = performance.now() + 1000; performance.now() < end; sent += 1)
      await run(connectors, ['incr', 'count']);
  });
  await Promise.all(lanes);
  assert.equal(Number((await run(connectors, ['get', 'count']))[0]), sent);
  assert.equal(connectors.counter('connectors.redis.db.errors'), 0);
  const last = await workers(connectors);
  assert.ok(
    [...last].every((id) => !first.has(id)),
    'all workers are new',
  );
  await eventually(
    async () => (await redis.query((client) => client.info('clients'))).match(/connected_clients:(\d+)/)![1]! <= '6',
    'the connections of replaced workers to be closed',
  );
});

test('commands that were sent when the connection broke fail and are not repeated', { skip }, async (t) => {
  const connectors = await started(t, descriptor({}, 1), { backoffNum: 5 });
  await run(connectors, ['del', 'list']);
  const blocked = run(connectors, ['rpush', 'list', 'once'], ['blpop', 'never', 0]);
  await eventually(() => redis.query((client) => client.llen('list')), 'the command to be executed');
  await Promise.all([
    assert.rejects(blocked, { code: 'redis_error', message: /did not answer/ }),
    redis.query((client) => client.call('client', 'kill', 'type', 'normal')).catch(() => {}),
  ]);
  assert.deepEqual(await run(connectors, ['llen', 'list']), [1]);
});

test('a worker that is killed closes its connection', { skip }, async (t) => {
  const server = await RedisServer.start();
  t.after(() => server.stop());
  const connectors = await started(t, descriptor({ port: server.port }, 1));
  await run(connectors, ['ping']);
  const [before] = await run(connectors, ['client', 'id']);
  for (let id = 0; id < 100; id += 1) {
    const ref = connectors.kernel.local(id, 0, connectors.kernel.creation);
    if (ref && connectors.kernel.inspect(ref)?.label === 'db worker') connectors.kernel.exit(ref, ref, 'kill');
  }
  const [after] = await run(connectors, ['client', 'id']);
  assert.notEqual(after, before);
  await eventually(
    async () => (await server.query((client) => client.info('clients'))).includes('connected_clients:2\r'),
    'the old connection to be closed',
  );
});
