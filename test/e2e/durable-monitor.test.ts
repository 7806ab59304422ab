/** What operators see of sessions that outlive their nodes: while all is well, when a node dies, when Redis is away. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ClientView, NodeHealth } from '../../src/web/monitor/monitor-host.ts';
import { CutProxy } from '../support/cut-proxy.ts';
import { DefaultNode } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { hive } from '../support/hive-process.ts';
import { durableMetricNames } from '../support/metric-names.ts';
import { ask, metric } from '../support/operator.ts';
import { missing } from '../support/programs.ts';
import { parsePrometheus } from '../support/prometheus.ts';
import { RedisServer } from '../support/redis.ts';
import type { RelayNode } from '../support/relay-cluster.ts';
import { ReturnCluster } from '../support/return-cluster.ts';
import { ReturningClient } from '../support/returning-client.ts';

const skip = missing('redis-server');
const leaseMs = 3000;

const of = (node: RelayNode) => (name: string) => node.metric(`clients.durable.${name}`);

async function view(node: RelayNode, sid: string): Promise<ClientView> {
  return (await (await fetch(`${node.monitor}/clients/${sid}`)).json()) as ClientView;
}

/** What the command line prints of a node. */
async function operate({ monitor }: RelayNode, ...args: string[]): Promise<string> {
  const { origin, pathname } = new URL(monitor);
  const key = decodeURIComponent(pathname.split('/').at(-1)!);
  return (await hive([...args, '--url', origin], { HIVE_MONITOR_KEY: key })).stdout;
}

test('a node dies: the monitor says who has claimed its sessions, and what has become of them', { skip }, async (t) => {
  const redis = await RedisServer.start();
  const scene = await ReturnCluster.start({}, undefined, redis.port);
  t.after(async () => {
    await scene.stop();
    await redis.stop();
  });
  const [owner, other, third] = scene.nodes as [RelayNode, RelayNode, RelayNode];
  const one = await scene.client(t, owner.port);
  const stranger = new ReturningClient(owner.url, { query: { recovery: '0' } });
  t.after(() => stranger.stop());
  await stranger.connected();
  await one.publish(1);
  await one.publish(2);
  await one.hasAll();

  const before = of(owner);
  assert.deepEqual([await before('up'), await before('lease.held'), await before('sessions')], [1, 1, 2]);
  assert.ok((await before('lease.left_ms')) <= leaseMs);
  await eventually(async () => (await before('journal.entries')) === 2, 'the size of the journal');
  assert.ok((await before('journal.bytes')) > 0);
  const { count } = (await before('journal.latency')) as unknown as { count: number };
  assert.ok(count >= 1 && count <= 2, `${count} batches`);
  assert.equal(await before('journal.waiting'), 0);
  const [lease] = (await before('lease.owner')) as unknown as string[];
  const { durable, suspended } = await view(other, one.sid);
  assert.deepEqual(durable, { owner: lease, epoch: 0, adoptedFrom: null, stored: true });
  assert.equal(suspended, null);

  const status = await operate(owner, 'status');
  assert.match(status, /^ {2}journal {4}2 batches, \S+ k?B in Redis; stored in p50 \S+ m?s, p99 \S+ m?s$/m);

  one.proxy.cut();
  await eventually(() => !one.client.socket.connected, 'the client to notice');
  await owner.process.stop('SIGKILL');
  const sum = async (name: string) => (await of(other)(name)) + (await of(third)(name));
  await eventually(async () => (await sum('claimed')) === 2, 'the claims', leaseMs + 5000);
  await eventually(async () => (await sum('adopted')) === 1, 'the adoption');
  assert.deepEqual([await sum('present'), await sum('departures'), await sum('claims_lost')], [1, 1, 0]);
  assert.ok((await sum('sweeps')) >= 2);
  const adopter = (await of(other)('present')) === 1 ? other : third;
  const adopted = await view(adopter === other ? third : other, one.sid);
  const [ownLease] = (await of(adopter)('lease.owner')) as unknown as string[];
  assert.deepEqual(adopted.durable, { owner: ownLease, epoch: 1, adoptedFrom: 'relay0@127.0.0.1', stored: true });
  assert.deepEqual([adopted.node, adopted.phase], [`relay${adopter.index}@127.0.0.1`, 'suspended']);
  // That of the loss, if the node had noticed and stored that still.
  assert.match(adopted.suspended!.reason, /^(?:transport_closed|node_lost)$/);
  assert.equal(adopted.suspended!.agoMs + adopted.suspended!.leftMs, 600_000);

  const text = await (await fetch(`${adopter.monitor}/prometheus`)).text();
  const families = parsePrometheus(text);
  const value = (name: string) => families.get(`hive_clients_durable_${name}`)!.samples[0]!.value;
  assert.deepEqual([value('up'), value('present'), value('adopted_total'), value('down_seconds')], [1, 1, 1, 0]);
  assert.deepEqual(families.get('hive_clients_durable_lease_owner')!.samples[0]!.labels, { owner: ownLease });

  assert.match(
    await operate(adopter, 'status'),
    /^ {2}durable {4}yes, lease for [0-3] s; [12] sessions?, 1 of them adopted$/m,
  );

  const top = await operate(adopter, 'top', '--once', '--cluster');
  assert.match(top, /^durable {5}yes, on all nodes; [12] sessions?, 1 of them adopted$/m);

  one.proxy.mend(other.port);
  await one.back();
  assert.equal(await sum('present'), 1);
  await one.leave();
  await eventually(async () => (await sum('present')) === 0, 'its end');
});

test('Redis is away: sessions are not durable, the health says so, the log once; and when it is back', {
  skip,
}, async (t) => {
  const redis = await RedisServer.start();
  const node = await DefaultNode.start((config) => {
    const at = { host: '127.0.0.1', port: redis.port, reconnect_timeout: 100, max_reconnect_timeout: 300 };
    config.connectors = { pools: { redis: { connector: 'connector.redis', size: 2, overflow: 2, args: at } } };
    Object.assign(config.clients!, { recovery: {}, durable: { connector: 'redis', lease: leaseMs } });
    Object.assign(config.clients!.actions!, { send: [{ action: 'action.send_event', args: null }] });
  });
  const proxy = await CutProxy.start(Number(new URL(node.url).port));
  const clients = Array.from({ length: 5 }, () => new ReturningClient(proxy.url));
  t.after(async () => {
    for (const client of clients) client.stop();
    await node.stop();
    await proxy.stop();
    await redis.stop();
  });
  for (const client of clients) await client.connected();
  const health = async () => (await ask(node, 'monitor', 'GET', '/monitor/KEY/health')).json as NodeHealth;
  const number = (name: string) => metric(node, `clients.durable.${name}`);
  const lines = () =>
    readFileSync(join(node.directory, 'log', 'hive.log'), 'utf8')
      .split('\n')
      .filter((line) => /Sessions are (not )?durable/.test(line))
      .map((line) => JSON.parse(line) as { level: string; msg: string });
  await eventually(async () => (await health()).status === 'ready', 'health');
  const [first, ...more] = lines();
  assert.deepEqual([first?.level, first?.msg, more.length], ['notice', 'Sessions are durable', 0]);
  const { json } = await ask(node, 'monitor', 'GET', '/monitor/KEY');
  const has = (path: string) => path.split('.').reduce<unknown>((at, name) => Object(at)[name], json) !== undefined;
  assert.deepEqual(
    durableMetricNames.filter((path) => !has(path)),
    [],
  );

  await redis.stop();
  const shown = await eventually(async () => {
    const { status, reasons } = await health();
    return status === 'degraded' && reasons.find((reason) => reason.startsWith('sessions are not durable: '));
  }, 'the reason');
  assert.match(shown, /redis_error|ECONNREFUSED|connect/i);
  for (const { sids } of clients) {
    const news = { action: 'send', args: { name: 'news', args: [1] } };
    await ask(node, 'api', 'POST', `/api/KEY/clients/action/${sids[0]}`, [news]);
  }
  for (const client of clients) await eventually(() => client.heard.length === 1, 'the event');
  assert.ok((await number('journal.unstored'))! >= 4, 'one may have been on its way');
  assert.equal(await number('up'), 0);
  assert.ok((await number('down_ms'))! > 0);
  assert.ok((await number('errors'))! > 0);
  const { stdout, code } = await hive(['status', '--config', join(node.directory, 'hive.json')]);
  assert.equal(code, 2);
  assert.match(stdout, /^ {2}durable {4}NO, for \d+ s; 5 sessions$/m);
  assert.deepEqual(
    lines().map(({ level }) => level),
    ['notice', 'warning'],
  );

  // Empty: everything is lost there, the lease too.
  await redis.start();
  await eventually(async () => (await health()).status === 'ready', 'health again', 10_000);
  assert.deepEqual([await number('up'), await number('down_ms'), await number('leases_lost')], [1, 0, 1]);
  assert.deepEqual([await number('sessions'), await number('claims_lost')], [5, 0]);
  assert.deepEqual(
    lines().map(({ msg }) => msg.replace(/:.*/, '')),
    ['Sessions are durable', 'Sessions are not durable', 'Sessions are durable again'],
  );
});

test('Redis is away from the start: the log says so', { skip }, async (t) => {
  const redis = await RedisServer.start();
  await redis.stop();
  const node = await DefaultNode.start((config) => {
    const at = { host: '127.0.0.1', port: redis.port, reconnect_timeout: 100, max_reconnect_timeout: 300 };
    config.connectors = { pools: { redis: { connector: 'connector.redis', size: 1, overflow: 0, args: at } } };
    Object.assign(config.clients!, { durable: { connector: 'redis', lease: leaseMs } });
  });
  t.after(() => node.stop());
  const log = () => readFileSync(join(node.directory, 'log', 'hive.log'), 'utf8');
  await eventually(() => /"level":"warning".*Sessions are not durable: /.test(log()), 'the line');
  assert.equal(await metric(node, 'clients.durable.up'), 0);
});
