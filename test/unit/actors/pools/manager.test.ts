import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PoolDescriptor } from '../../../../src/plugins/types.ts';
import { startConnectors } from '../../../support/connectors.ts';
import { eventually } from '../../../support/eventually.ts';
import { TestConnector } from '../../../support/test-connector.ts';

interface Cleaner {
  after(done: () => Promise<void>): void;
}

const descriptor: PoolDescriptor = { connector: 'connector.test', size: 2, overflow: 0, args: {} };

async function started(t: Cleaner, pools: Record<string, PoolDescriptor> = {}) {
  const plugin = new TestConnector();
  const connectors = await startConnectors({ pools, plugins: [plugin] });
  t.after(() => connectors.close());
  return { plugin, connectors, pools: connectors.pools };
}

test('configured pools run when the manager has started', async (t) => {
  const { pools, connectors } = await started(t, { one: descriptor, two: descriptor });
  assert.deepEqual([...pools.pools.keys()], ['one', 'two']);
  assert.equal(connectors.counter('connectors.pools'), 2);
  assert.equal(connectors.counter('connectors.starts'), 0);
});

test('a configured pool whose workers cannot start stops the start', async () => {
  const plugin = new TestConnector();
  plugin.broken = true;
  await assert.rejects(startConnectors({ pools: { one: descriptor }, plugins: [plugin] }), {
    code: 'connectors_error',
    message: 'hive_connectors: Pool one: a worker cannot be started: no luck',
  });
});

test('an unknown pool is bad_connector_id', async (t) => {
  const { pools, connectors } = await started(t);
  assert.throws(() => pools.get('none'), {
    code: 'bad_connector_id',
    message: 'There is no connector pool named none.',
  });
  await assert.rejects(pools.stop('none'), { code: 'bad_connector_id' });
  assert.equal(connectors.counter('connectors.errors'), 2);
});

test('a pool can be started and stopped at run time, and its name used again', async (t) => {
  const { pools, plugin, connectors } = await started(t);
  for (let round = 1; round <= 2; round += 1) {
    await pools.start('late', descriptor);
    await pools.get('late').request('echo');
    await assert.rejects(pools.start('late', descriptor), { code: 'already_started' });
    await pools.stop('late');
    assert.throws(() => pools.get('late'), { code: 'bad_connector_id' });
    assert.equal(plugin.closed, round);
    assert.deepEqual(plugin.alive, []);
    assert.equal(connectors.counter('connectors.test'), undefined);
  }
  assert.equal(connectors.counter('connectors.starts'), 4);
  assert.equal(connectors.counter('connectors.stops'), 2);
});

test('a pool that is stopped finishes what runs and what waits, and refuses the rest', async (t) => {
  const { pools, plugin } = await started(t, { one: { ...descriptor, size: 1 } });
  const pool = pools.get('one');
  const running = pool.request('hold');
  const waiting = pool.request('echo');
  await eventually(() => plugin.held.length === 1, 'the request to run');
  const stopped = pools.stop('one');
  await eventually(() => pools.pools.get('one')?.stopping, 'the stop to begin');
  assert.throws(() => pools.get('one'), { code: 'bad_connector_id' });
  await assert.rejects(pool.request('echo'), { code: 'connector_error', message: 'Pool one: is being stopped' });
  await assert.rejects(pools.start('one', descriptor), { code: 'already_started' });
  plugin.held[0]?.reply('done');
  assert.equal(await running, 'done');
  await waiting;
  await stopped;
  assert.deepEqual(plugin.alive, []);
});

test('descriptors of run-time pools are checked like configured ones', async (t) => {
  const { pools } = await started(t);
  const start = (change: object): Promise<void> => pools.start('bad', { ...descriptor, ...change });
  await assert.rejects(start({ connector: 'connector.none' }), { code: 'plugins_error' });
  await assert.rejects(start({ size: -1 }), { code: 'bad_connector_descriptor', message: /pools\.bad\.size: -1/ });
  await assert.rejects(start({ siez: 1 }), { code: 'bad_connector_descriptor', message: /did you mean "size"/ });
  await assert.rejects(start({ args: { extra: 1 } }), { code: 'bad_config', message: /pools\.bad\.args\.extra/ });
  const redis = { connector: 'connector.redis', args: { host: 'h', port: 1, database: 0 } };
  await assert.rejects(start(redis), {
    code: 'bad_redis_connector_args',
    message: /pools\.bad\.args\.reconnect_timeout/,
  });
  const http = { connector: 'connector.http', args: { base_url: 'nowhere', max_connection_timeout: 1 } };
  const message = 'connectors.pools.bad.args.base_url → is not a URL';
  await assert.rejects(start(http), { code: 'bad_http_connector_args', message });
});

test('a pool whose worker cannot start is not there', async (t) => {
  const { pools, plugin } = await started(t);
  plugin.broken = true;
  await assert.rejects(pools.start('late', descriptor), { code: 'connectors_error', message: /no luck/ });
  assert.throws(() => pools.get('late'), { code: 'bad_connector_id' });
  plugin.broken = false;
  await pools.start('late', descriptor);
});

test('a crash of the manager leaves the pools alone, and they can be stopped afterwards', async (t) => {
  const { pools, plugin, connectors } = await started(t, { one: descriptor });
  await pools.start('late', descriptor);
  const answer = pools.get('one').request('hold');
  await eventually(() => plugin.held.length === 1, 'the request to run');
  const manager = connectors.kernel.whereis('hive_connectors')!;
  connectors.kernel.exit(manager, manager, 'kill');
  const next = () => connectors.kernel.whereis('hive_connectors');
  await eventually(() => next() !== undefined && next() !== manager, 'the next manager');
  plugin.held[0]?.reply('done');
  assert.equal(await answer, 'done');
  await pools.stop('one');
  await pools.stop('late');
  assert.equal(plugin.workers.length, 4);
  assert.deepEqual(plugin.alive, []);
});

test("after a crash of the pools' supervisor all pools work again, those of run time too", async (t) => {
  const { pools, plugin, connectors } = await started(t, { one: descriptor });
  await pools.start('late', descriptor);
  const held = pools.get('one');
  const supervisor = connectors.kernel.whereis('hive_connectors_pool_sup')!;
  connectors.kernel.exit(supervisor, supervisor, 'kill');
  await eventually(() => plugin.workers.length >= 8 && plugin.alive.length === 4, 'new workers');
  await held.request('echo');
  await pools.get('late').request('echo');
  assert.equal(plugin.alive.length, 4);
});

test("after a crash of a pool's supervisor the pool works again", async (t) => {
  const { pools, plugin, connectors } = await started(t, { one: descriptor });
  const supervisor = connectors.kernel.whereis('hive_connectors_pool_sup')!;
  const { children } = connectors.kernel.inspect(supervisor)!.state as { children: { ref: string }[] };
  const [, id] = /\.(\d+)\.\d+>$/.exec(children[0]!.ref)!;
  const victim = connectors.kernel.local(Number(id), 0, connectors.kernel.creation)!;
  connectors.kernel.exit(victim, victim, 'kill');
  await eventually(() => plugin.workers.length >= 4 && plugin.alive.length === 2, 'new workers');
  await pools.get('one').request('echo');
});

test('a node that stops lets requests under way finish', async () => {
  const plugin = new TestConnector();
  const connectors = await startConnectors({ pools: { one: descriptor }, plugins: [plugin] });
  const answer = connectors.pools.get('one').request('hold');
  await eventually(() => plugin.held.length === 1, 'the request to run');
  const closed = connectors.close();
  setImmediate(() => plugin.held[0]?.reply('done'));
  assert.equal(await answer, 'done');
  await closed;
  assert.deepEqual(plugin.alive, []);
});
