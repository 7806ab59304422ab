/** A real node comes close to each of its limits, and leaves it again. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Alarm } from '../../src/observe/alarms.ts';
import { DefaultNode, type Sections } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { hive } from '../support/hive-process.ts';
import { configOf } from '../support/locked-node.ts';
import { ask, metric } from '../support/operator.ts';
import { parsePrometheus } from '../support/prometheus.ts';
import { SocketClient } from '../support/socket-clients.ts';

const installation = fileURLToPath(new URL('../..', import.meta.url));
const plugin = fileURLToPath(new URL('../support/alarm-plugin.js', import.meta.url));

describe('a node with low thresholds', () => {
  let directory: string;
  let node: DefaultNode;

  function configure(config: Sections): void {
    config.plugins = [join(directory, 'alarm.mjs')] as never;
    config.hive!.max_client_slots = 5;
    config.clients!.hooks = Object.fromEntries(
      ['block', 'hang', 'release', 'level'].map((name) => [name, [{ hook: `alarm.${name}`, args: null }]]),
    );
    config.monitor!.alarms = {
      interval: 100,
      clients: 0.8,
      mailbox: 20,
      // More than a machine with other work holds a process up.
      event_loop_delay: 2000,
      gauges: { 'plugins.alarm.level': 10, 'plugins.alarm.nothing': 1 },
    };
  }

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'hive-alarms-'));
    copyFileSync(plugin, join(directory, 'alarm.mjs'));
    mkdirSync(join(directory, 'node_modules'));
    symlinkSync(installation, join(directory, 'node_modules/hive-push'));
    node = await DefaultNode.start(configure);
  });

  after(async () => {
    await node?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  const connect = () => SocketClient.connect('4.8 websocket', node.url);

  async function alarms(): Promise<readonly Alarm[]> {
    return ((await ask(node, 'monitor', 'GET', '/monitor/KEY/alarms')).json as { alarms: Alarm[] }).alarms;
  }

  const find = async (name: string) => (await alarms()).find(({ alarm }) => alarm === name);
  const isSet = (name: string) => eventually(() => find(name), `the alarm ${name} to be set`);
  const isCleared = (name: string) => eventually(async () => !(await find(name)), `the end of the alarm ${name}`);

  /** What the log has of an alarm: levels. */
  function logged(name: string): string[] {
    const lines = readFileSync(join(node.directory, 'log/hive.log'), 'utf8').trim().split('\n');
    return lines
      .map((line) => JSON.parse(line) as { level: string; alarm?: string })
      .filter(({ alarm }) => alarm === name)
      .map(({ level }) => level);
  }

  test('clients: set by those who connect, cleared when enough have left', async () => {
    const clients = await Promise.all(Array.from({ length: 4 }, connect));
    const { at, agoMs, ...alarm } = await isSet('clients');
    assert.deepEqual(alarm, { alarm: 'clients', unit: 'share', value: 0.8, threshold: 0.8, clear: 0.72 });
    assert.ok(Math.abs(Date.now() - at) < 60_000 && agoMs < 60_000);
    assert.equal(await metric(node, 'hive.alarms.clients.set'), 1);

    const families = parsePrometheus((await ask(node, 'monitor', 'GET', '/monitor/KEY/prometheus')).text);
    const sample = (family: string) =>
      families.get(family)?.samples.find(({ labels }) => labels.alarm === 'clients')?.value;
    assert.deepEqual([sample('hive_alarm'), sample('hive_alarm_threshold')], [1, 0.8]);

    const cluster = (await ask(node, 'monitor', 'GET', '/monitor/KEY/alarms?cluster=true')).json as {
      nodes: string[];
      missing: string[];
      alarms: Record<string, Alarm[]>;
    };
    assert.deepEqual([cluster.nodes, cluster.missing], [['hive@127.0.0.1'], []]);
    assert.equal(cluster.alarms['hive@127.0.0.1']?.[0]?.alarm, 'clients');

    // An alarm is no trouble yet.
    const status = await hive(['status', '--config', configOf(node)]);
    assert.equal(status.code, 0, status.stderr);
    assert.match(status.stdout, /^hive@127\.0\.0\.1 is ready\n {2}alarm {6}clients 80 % for \d+ s, threshold 80 %$/m);
    const json = JSON.parse((await hive(['status', '--json', '--config', configOf(node)])).stdout);
    assert.equal(json.alarms[0].alarm, 'clients');
    const top = await hive(['top', '--once', '--config', configOf(node)]);
    assert.match(top.stdout, /^alarms: clients 80 % for \d+ s, threshold 80 %/m);

    await clients[0]!.disconnect();
    await isCleared('clients');
    assert.equal(await metric(node, 'hive.alarms.clients.set'), 0);
    await eventually(() => logged('clients').length === 2, 'both lines of the log');
    assert.deepEqual(logged('clients'), ['warning', 'notice']);
    for (const client of clients.slice(1)) await client.disconnect();
  });

  test('mailbox: the events that wait for a hook that hangs, with the actor', async () => {
    const client = await connect();
    const other = await connect();
    client.emit('hang');
    for (let i = 0; i < 30; i += 1) client.emit('release');
    // It may be set before the last event is there.
    const { of, unit } = await eventually(async () => {
      const alarm = await find('mailbox');
      return alarm?.value === 30 ? alarm : undefined;
    }, 'all events to wait');
    assert.equal(unit, 'messages');
    assert.match(of ?? '', /^hive_root_sup\/hive_sup\/hive_router_sup\/hive_client_sup\/.*client <hive@127\.0\.0\.1\./);
    other.emit('release');
    await isCleared('mailbox');
    await client.disconnect();
    await other.disconnect();
  });

  test('event_loop_delay: a hook that blocks the process', async () => {
    const client = await connect();
    client.emit('block', 3000);
    const { unit, threshold, clear } = await isSet('event_loop_delay');
    assert.deepEqual([unit, threshold, clear], ['ms', 2000, 1800]);
    await isCleared('event_loop_delay');
    await client.disconnect();
  });

  test('a gauge of a plugin; a metric that is not there is told of once', async () => {
    const client = await connect();
    client.emit('level', 11);
    const { value, threshold, clear, unit } = await isSet('plugins.alarm.level');
    assert.deepEqual([value, threshold, clear, unit], [11, 10, 9, 'number']);
    assert.equal(await metric(node, 'hive.alarms.plugins.alarm.level.set'), 1);
    client.emit('level', 3);
    await isCleared('plugins.alarm.level');
    await eventually(() => logged('plugins.alarm.level').length === 2, 'both lines of the log');
    assert.deepEqual(logged('plugins.alarm.nothing'), ['warning']);
    await client.disconnect();
  });
});

test('open files and memory are looked at; a threshold of 0 is no alarm', async (t) => {
  const node = await DefaultNode.start((config) => {
    config.monitor!.alarms = { interval: 100, memory: 0.000_001, open_files: 0.000_001, clients: 0, mailbox: 0 };
  });
  t.after(() => node.stop());
  const names = await eventually(async () => {
    const { json } = await ask(node, 'monitor', 'GET', '/monitor/KEY/alarms');
    const { alarms } = json as { alarms: Alarm[] };
    const found = alarms.filter(({ alarm }) => alarm === 'memory' || alarm === 'open_files');
    return found.length === 2 ? found : undefined;
  }, 'both alarms');
  for (const { value, unit } of names) assert.ok(unit === 'share' && value > 0 && value < 1, `${value}`);
  assert.match(names[0]!.of ?? '', /^(?:JavaScript heap|resident memory)$/);
  const { json } = await ask(node, 'monitor', 'GET', '/monitor/KEY/hive.alarms');
  const { alarms } = (json as { hive: { alarms: object } }).hive;
  assert.deepEqual(Object.keys(alarms).sort(), ['event_loop_delay', 'memory', 'open_files', 'queue']);
});
