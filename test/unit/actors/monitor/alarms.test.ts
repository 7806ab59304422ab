/** What the alarms of a node read, and the monitor that has them looked at. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alarmSpecs } from '../../../../src/actors/monitor/alarm-specs.ts';
import { Monitor, type MonitorSetup } from '../../../../src/actors/monitor/monitor.ts';
import type { Config } from '../../../../src/config/types.ts';
import { Alarms, type Reading } from '../../../../src/observe/alarms.ts';
import { silent } from '../../../../src/observe/logger.ts';
import { TestKernel } from '../../../support/actors.ts';
import { eventually } from '../../../support/eventually.ts';

const hive = { max_client_slots: 200, cluster_max_queue: 1000 };
const defaults = { clients: 0.9, mailbox: 10, event_loop_delay: 200, queue: 0.4, memory: 0.85, open_files: 0.8 };

function specsOf(kernel: TestKernel, alarms: object = {}, clients: object = {}) {
  const monitor = { alarms: { ...defaults, gauges: {}, clear: 0.9, interval: 5000, ...alarms } };
  const specs = alarmSpecs({
    config: { hive, clients, monitor } as unknown as Config,
    kernel,
    metrics: kernel.metrics,
  });
  const read = async (name: string): Promise<Reading | undefined> => specs.find(({ alarm }) => alarm === name)!.read();
  return { specs, read };
}

test('shares are those of the limits of the node', async () => {
  const kernel = new TestKernel();
  const { read } = specsOf(kernel);
  const { metrics } = kernel;
  assert.equal(await read('clients'), undefined, 'before there is a router');
  metrics.gauge('hive.router.current_clients', () => 50);
  metrics.gauge('hive.distribution.max_queued_bytes', () => 420);
  metrics.gauge('hive.open_files.open', () => 30);
  let limit = 0;
  metrics.gauge('hive.open_files.limit', () => limit);
  assert.deepEqual(await read('clients'), { value: 0.25 });
  assert.deepEqual(await read('queue'), { value: 0.42 });
  assert.equal(await read('open_files'), undefined, 'nothing is a share of no limit');
  limit = 40;
  assert.deepEqual(await read('open_files'), { value: 0.75 });
  assert.deepEqual(await read('mailbox'), { value: 0 });
  const { value, of } = (await read('memory'))!;
  assert.ok(value > 0 && value < 1 && of !== undefined);
  kernel.halt();
});

test('the delay is that since the last look; the start of the node does not count', async () => {
  const kernel = new TestKernel();
  const { read } = specsOf(kernel);
  const delay = kernel.metrics.histogram('hive.event_loop.delay');
  delay.record(5000);
  assert.equal(await read('event_loop_delay'), undefined);
  delay.record(20, 50);
  delay.record(300, 5);
  assert.equal((await read('event_loop_delay'))?.value, 310);
  delay.record(20, 200);
  delay.record(300);
  assert.equal((await read('event_loop_delay'))?.value, 21, 'one in two hundred is none in a hundred');
  assert.equal((await read('event_loop_delay'))?.value, 0);
  delay.reset();
  delay.record(40);
  assert.equal((await read('event_loop_delay'))?.value, 40, 'of one that was emptied, all of it');
  kernel.halt();
});

test('events wait for Redis: those that have been stored, and those that are not yet', async () => {
  const kernel = new TestKernel();
  assert.equal(
    specsOf(kernel).specs.some(({ alarm }) => alarm === 'journal_delay'),
    false,
  );
  const { read } = specsOf(kernel, { journal_delay: 250 }, { durable: {} });
  const latency = kernel.metrics.histogram('clients.durable.journal.latency');
  let waitingMs = 0;
  kernel.metrics.gauge('clients.durable.journal.waiting_ms', () => waitingMs);
  assert.deepEqual(await read('journal_delay'), { value: 0 });
  latency.record(300);
  assert.deepEqual(await read('journal_delay'), { value: 300 });
  assert.deepEqual(await read('journal_delay'), { value: 0 });
  // Of a Redis that hangs nothing is recorded.
  waitingMs = 4000;
  assert.deepEqual(await read('journal_delay'), { value: 4000 });
  kernel.halt();
});

test('a threshold of 0 is no alarm; other metrics get theirs by their path', async () => {
  const kernel = new TestKernel();
  const off = Object.fromEntries(Object.keys(defaults).map((name) => [name, 0]));
  const { specs, read } = specsOf(kernel, { ...off, gauges: { 'plugins.a.b': 3, 'plugins.c': 0 } });
  assert.deepEqual(
    specs.map(({ alarm, unit, threshold }) => [alarm, unit, threshold]),
    [['plugins.a.b', 'number', 3]],
  );
  await assert.rejects(read('plugins.a.b'), /no gauge or counter has that path/);
  kernel.metrics.gauge('plugins.a.b', () => 2);
  assert.deepEqual(await read('plugins.a.b'), { value: 2 });
  kernel.halt();
});

test('the monitor looks again and again, at nobody else’s word; one that is started anew keeps what is set', async () => {
  const kernel = new TestKernel();
  let looks = 0;
  let value = 0;
  const read = () => {
    looks += 1;
    return { value };
  };
  const { metrics } = kernel;
  const specs = [{ alarm: 'some', unit: 'number', threshold: 5, read }] as const;
  const alarms = new Alarms({ specs, clear: 0.9, log: kernel.log, metrics });
  const setup = { kernel, metrics, log: silent, alarms, alarmsIntervalMs: 10 } as unknown as MonitorSetup;
  const start = () => kernel.run(new Monitor(setup, () => undefined));
  const list = (monitor: Awaited<ReturnType<typeof start>>) => kernel.ask(monitor, { type: 'alarms' });

  const monitor = await start();
  await eventually(() => looks >= 3, 'some looks');
  assert.deepEqual(await list(monitor), []);
  value = 5;
  await eventually(() => alarms.list().length === 1, 'the alarm');
  const [alarm] = (await list(monitor)) as { at: number }[];
  assert.equal(new Monitor(setup, () => undefined).admits({ type: 'look' }), false);
  await kernel.stop(monitor);
  const seen = looks;
  const successor = await start();
  await eventually(() => looks > seen + 1, 'further looks');
  assert.equal(((await list(successor)) as { at: number }[])[0]?.at, alarm?.at);
  assert.equal(kernel.lines.filter(({ level }) => level === 'warning').length, 1);
  kernel.halt();
});
