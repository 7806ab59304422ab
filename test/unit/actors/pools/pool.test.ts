import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countOf } from '../../../../src/observe/histogram.ts';
import { type Connectors, type ConnectorsOptions, startConnectors } from '../../../support/connectors.ts';
import { eventually } from '../../../support/eventually.ts';
import { TestConnector, type TestRequest } from '../../../support/test-connector.ts';

interface Cleaner {
  after(done: () => Promise<void>): void;
}

async function started(t: Cleaner, sizes: { size: number; overflow: number }, options: ConnectorsOptions = {}) {
  const plugin = new TestConnector();
  const pool = { connector: 'connector.test', ...sizes, args: {} };
  const connectors = await startConnectors({ ...options, pools: { work: pool }, plugins: [plugin] });
  t.after(() => connectors.close());
  const ask = (request: TestRequest, signal?: AbortSignal) =>
    connectors.pools.get<unknown, string>('work').request(request, signal);
  return { connectors, plugin, ask };
}

function worker(connectors: Connectors): unknown {
  return connectors.counter('connectors.test.work.workers');
}

test('size workers are there from the start, overflow ones come under load and go again', async (t) => {
  const { connectors, plugin, ask } = await started(t, { size: 1, overflow: 2 }, { overflowIdle: 50 });
  assert.equal(worker(connectors), 1);
  const answers = [1, 2, 3, 4].map(() => ask('hold'));
  await eventually(() => plugin.held.length === 3, 'three workers at work');
  assert.equal(worker(connectors), 3);
  const load = () => ['busy', 'waiting'].map((name) => connectors.counter(`connectors.test.work.${name}`));
  assert.deepEqual(load(), [3, 1]);
  plugin.held.shift()?.reply('done');
  await eventually(() => plugin.held.length === 3, 'the fourth request');
  for (const from of plugin.held) from.reply('done');
  assert.deepEqual(await Promise.all(answers), ['done', 'done', 'done', 'done']);
  assert.deepEqual(load(), [0, 0]);
  await eventually(() => worker(connectors) === 1, 'the overflow workers to go');
});

test('a pool of size 0 without overflow has one worker when it is needed', async (t) => {
  const { connectors, ask } = await started(t, { size: 0, overflow: 0 });
  assert.equal(worker(connectors), 0);
  assert.match(await ask('echo'), /^</);
});

test('a request that finds no free worker within rent_timeout fails with connector_error', async (t) => {
  const { connectors, plugin, ask } = await started(t, { size: 1, overflow: 0 }, { rentTimeout: 50 });
  const first = ask('hold');
  await assert.rejects(ask('echo'), {
    code: 'connector_error',
    message: 'Pool work: no worker got free within 50 ms',
  });
  assert.equal(connectors.counter('connectors.test.work.errors'), 1);
  plugin.held[0]?.reply('done');
  await first;
  await ask('echo');
});

test('the wait for a worker is repeated backoff_num times', async (t) => {
  const options = { rentTimeout: 30, backoffNum: 20, backoffTime: 5 };
  const { connectors, plugin, ask } = await started(t, { size: 1, overflow: 0 }, options);
  const first = ask('hold');
  const second = ask('echo');
  await eventually(() => connectors.counter('connectors.errors') === 2, 'two vain attempts');
  plugin.held[0]?.reply('done');
  await Promise.all([first, second]);
});

test('only what was not begun is tried again', async (t) => {
  const { plugin, ask } = await started(t, { size: 1, overflow: 0 }, { backoffNum: 3 });
  await assert.rejects(ask('unavailable'), { code: 'redis_error', message: 'Away.' });
  assert.equal(plugin.handled, 3);
  await assert.rejects(ask('fail'), { code: 'redis_error', message: 'No.' });
  assert.equal(plugin.handled, 4);
  await assert.rejects(ask('crash'), { code: 'connector_error', message: /crashed: a bug/ });
  assert.equal(plugin.handled, 5);
});

test('a crashed worker is replaced and its slot is not lost', async (t) => {
  const { connectors, plugin, ask } = await started(t, { size: 1, overflow: 0 });
  for (let round = 0; round < 3; round += 1) {
    await assert.rejects(ask('crash'), { code: 'connector_error' });
    await ask('echo');
  }
  assert.equal(plugin.alive.length, 1);
  assert.equal(connectors.counter('connectors.errors'), 3);
});

test('requests that meet a worker on its way out go to the next one', async (t) => {
  const { plugin, ask } = await started(t, { size: 1, overflow: 0 });
  await ask('echo');
  plugin.workers[0]?.self.tell({ type: 'drain' });
  assert.match(await ask('echo'), /^</);
  assert.equal(plugin.workers.length, 2);
});

test('an idle worker that ends is replaced without a request', async (t) => {
  const { connectors, plugin } = await started(t, { size: 2, overflow: 0 });
  plugin.workers[0]?.self.tell({ type: 'drain' });
  await eventually(() => plugin.workers.length === 3 && worker(connectors) === 2, 'a new worker');
});

test('an aborted request is rejected at once; its worker is free when it has answered', async (t) => {
  const { plugin, ask } = await started(t, { size: 1, overflow: 0 });
  const abort = new AbortController();
  const gone = ask('hold', abort.signal);
  const next = ask('echo');
  await eventually(() => plugin.held.length === 1, 'the request to be handled');
  abort.abort();
  await assert.rejects(gone, { code: 'connector_error', message: 'The request was cancelled.' });
  assert.equal(plugin.handled, 1);
  plugin.held[0]?.reply('to nobody');
  await next;
});

test('a request that is aborted while it waits never reaches a worker', async (t) => {
  const { plugin, ask } = await started(t, { size: 1, overflow: 0 });
  const first = ask('hold');
  const abort = new AbortController();
  const waiting = ask('echo', abort.signal);
  abort.abort();
  await assert.rejects(waiting, { code: 'connector_error' });
  await assert.rejects(ask('echo', abort.signal), { code: 'connector_error' });
  await eventually(() => plugin.held.length === 1, 'the first request to be handled');
  plugin.held[0]?.reply('done');
  await first;
  await ask('echo');
  assert.equal(plugin.handled, 2);
});

test('workers that cannot be started are tried again with pauses, and requests say why they fail', async (t) => {
  const { plugin, ask } = await started(t, { size: 1, overflow: 0 }, { rentTimeout: 150 });
  plugin.broken = true;
  plugin.workers[0]?.self.tell({ type: 'drain' });
  await eventually(() => plugin.inits === 2, 'the start to fail');
  await assert.rejects(ask('echo'), { code: 'connector_error', message: 'Pool work: has no worker: no luck' });
  assert.ok(plugin.inits <= 4, 'not in a loop');
  plugin.broken = false;
  await eventually(() => plugin.alive.length === 1, 'a worker');
  await ask('echo');
});

test('requests are timed, failed ones too, but not those that were given up', async (t) => {
  const { connectors, plugin, ask } = await started(t, { size: 1, overflow: 0 });
  await ask('echo');
  await assert.rejects(ask('fail'));
  const abort = new AbortController();
  const gone = ask('hold', abort.signal);
  await eventually(() => plugin.held.length === 1, 'the request to be handled');
  abort.abort();
  await assert.rejects(gone);
  plugin.held[0]?.reply('to nobody');
  await ask('echo');
  const timed = (path: string) => countOf(connectors.metrics.histogram(path).value());
  assert.deepEqual(['connectors.latency', 'connectors.test.work.latency'].map(timed), [3, 3]);
});

test('the operations are counted', async (t) => {
  const { connectors, ask } = await started(t, { size: 1, overflow: 0 });
  await ask('echo');
  const counted = connectors.counter('connectors') as Record<string, unknown>;
  const { requests, uses, rents, returns, safe_transactions, errors, pools } = counted;
  const expected = { requests: 4, uses: 1, rents: 1, returns: 1, safe_transactions: 1, errors: 0, pools: 1 };
  assert.deepEqual({ requests, uses, rents, returns, safe_transactions, errors, pools }, expected);
});
