import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { Config } from '../../../../src/config/types.ts';
import { redisStateManager } from '../../../../src/plugins/state-managers/redis/redis.ts';
import type { ClientState, State } from '../../../../src/plugins/types.ts';
import { type Connectors, startConnectors } from '../../../support/connectors.ts';
import { eventually } from '../../../support/eventually.ts';
import { missing } from '../../../support/programs.ts';
import { RedisServer } from '../../../support/redis.ts';

const skip = missing('redis-server');
const key = 'hive:test:state:sid';
let server: RedisServer;
let connectors: Connectors;

before(async () => {
  if (skip) return;
  server = await RedisServer.start();
  const args = {
    host: '127.0.0.1',
    port: server.port,
    database: 0,
    password: '',
    tls: false,
    restart_timeout: 0,
    reconnect_timeout: 100,
    max_reconnect_timeout: 200,
  };
  connectors = await startConnectors({ pools: { db: { connector: 'connector.redis', size: 1, overflow: 0, args } } });
});

after(async () => {
  await connectors?.close();
  await server?.stop();
});

beforeEach(async () => {
  if (!skip) await server.query((redis) => redis.flushall());
});

async function open(initial: State, args: object = {}, sid = 'sid'): Promise<ClientState> {
  const complete = { connector: 'db', expiration_timeout: 60_000, ...args };
  return redisStateManager.create(complete, connectors.services).open(sid, initial);
}

function stored(of = key): Promise<Record<string, string>> {
  return server.query((redis) => redis.hgetall(of));
}

function ttl(): Promise<number> {
  return server.query((redis) => redis.pttl(key));
}

/** The server comes back without any of its data. */
async function outage(during: () => Promise<void>): Promise<void> {
  await server.stop('SIGKILL');
  await during();
  await server.start();
  await eventually(
    () =>
      connectors.pools
        .get('db')
        .request({ commands: [['ping']] })
        .catch(() => undefined),
    'Redis',
  );
}

test('each value is JSON text in a hash that expires', { skip }, async () => {
  await open({ nick: null, rooms: [], text: '5', number: 5, empty: {}, 'é ': true });
  const expected = { nick: 'null', rooms: '[]', text: '"5"', number: '5', empty: '{}', 'é ': 'true' };
  assert.deepEqual(await stored(), expected);
  const left = await ttl();
  assert.ok(left > 55_000 && left <= 60_000, `${left}`);
});

test('pairs are merged, in Redis and in what is read', { skip }, async () => {
  const state = await open({ nick: null, rooms: [] });
  await state.set({ nick: '5' });
  await state.set({});
  assert.deepEqual(state.get(), { nick: '5', rooms: [] });
  assert.deepEqual(await stored(), { nick: '"5"', rooms: '[]' });
});

test('an empty state is an empty object', { skip }, async () => {
  const state = await open({});
  assert.deepEqual(state.get(), {});
  await state.set({ a: 1 });
  assert.deepEqual(await stored(), { a: '1' });
  assert.ok((await ttl()) > 0);
});

test('the end of the client removes the hash', { skip }, async () => {
  const state = await open({ a: 1 });
  await state.cleanup();
  assert.deepEqual(await stored(), {});
});

test('the key prefix can be chosen, also none', { skip }, async () => {
  await open({ a: 1 }, { key_prefix: '' });
  assert.deepEqual(await stored('sid'), { a: '1' });
});

test('a state left behind by a former session of that id is not taken over', { skip }, async () => {
  await server.query((redis) => redis.hset(key, 'old', '1'));
  await open({ a: 1 });
  assert.deepEqual(await stored(), { a: '1' });
});

test('activity renews the expiration, but not every time', { skip }, async () => {
  const state = await open({ a: 1 }, { expiration_timeout: 1000 });
  const queries = connectors.metrics.counter('connectors.redis.db.queries');
  const count = queries.value;
  for (let read = 0; read < 100; read += 1) state.get();
  assert.equal(queries.value, count);
  await eventually(async () => (await ttl()) < 850, 'some time to pass');
  state.get();
  await eventually(async () => (await ttl()) > 850, 'the renewal');
  assert.equal(queries.value, count + 1);
});

test('an outage fails what needs Redis, and reads go on', { skip }, async () => {
  const state = await open({ a: 1 });
  await outage(async () => {
    await assert.rejects(async () => state.set({ a: 2 }), { code: 'redis_error' });
    await assert.rejects(open({}, {}, 'other'), { code: 'redis_error', message: /Redis at 127\.0\.0\.1:\d+/ });
    assert.deepEqual(state.get(), { a: 1 });
    await assert.rejects(async () => state.cleanup(), { code: 'redis_error' });
  });
  assert.deepEqual(connectors.crashes, []);
});

test('a write after Redis has lost the hash stores the whole state again', { skip }, async () => {
  const state = await open({ a: 1, b: 2 });
  const other = await open({ c: 1, d: 2 }, {}, 'other');
  await outage(async () => {
    await assert.rejects(async () => state.set({ a: 2 }), { code: 'redis_error' });
  });
  await state.set({ b: 3 });
  assert.deepEqual(await stored(), { a: '1', b: '3' });
  await other.set({ c: 2 });
  assert.deepEqual(await stored('hive:test:state:other'), { c: '2', d: '2' });
});

test('a renewal that fails is logged and hurts nobody', { skip }, async () => {
  const state = await open({ a: 1 }, { expiration_timeout: 10 });
  await outage(async () => {
    assert.deepEqual(state.get(), { a: 1 });
    const told = (line: string): boolean => line.startsWith('The state of a session could not be renewed: ');
    await eventually(() => connectors.warnings.some(told), 'the warning');
  });
});

test('operations and failures are counted', { skip }, async () => {
  const counters = connectors.metrics.counters('clients.state_mgr', [
    'requests',
    'init',
    'get',
    'set',
    'cleanup',
    'errors',
  ]);
  for (const counter of Object.values(counters)) counter.value = 0;
  const state = await open({ a: 1 });
  state.get();
  await state.set({ a: 2 });
  await state.cleanup();
  const counted = Object.entries(counters).map(([name, { value }]) => [name, value]);
  assert.deepEqual(Object.fromEntries(counted), { requests: 4, init: 1, get: 1, set: 1, cleanup: 1, errors: 0 });
});

test('args that name no Redis pool are refused', () => {
  const pools = { web: { connector: 'connector.http' }, db: { connector: 'connector.redis' } };
  const config = { connectors: { pools } } as unknown as Config;
  const check = (connector: string) => redisStateManager.check?.({ connector, expiration_timeout: 1 }, config)?.code;
  assert.deepEqual([check('none'), check('web'), check('db')], ['no_config', 'bad_config', undefined]);
});
