/**
 * Nodes that are stopped as planned hand their sessions over. Old fault: all of them departed, and clients came back as strangers.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { hive } from '../support/hive-process.ts';
import { missing } from '../support/programs.ts';
import { RedisServer } from '../support/redis.ts';
import type { RelayNode as Node } from '../support/relay-cluster.ts';
import { ReturnCluster } from '../support/return-cluster.ts';

const skip = missing('redis-server');

/** Of each test. */
let redis: RedisServer;

async function start(t: TestContext, settings?: Record<string, unknown>): Promise<ReturnCluster> {
  redis = await RedisServer.start();
  const scene = await ReturnCluster.start({}, settings, redis.port);
  t.after(async () => {
    await scene.stop();
    await redis.stop();
  });
  return scene;
}

interface Told {
  readonly sid: string;
  readonly trigger: unknown;
}

/** Each once, as a back end that knows the keys of requests sees them: a slow machine may answer too late. */
function departures(scene: ReturnCluster): Told[] {
  const told = scene.backEnd.asked.filter(({ path }) => path === '/on_disconnect');
  const byKey = new Map(told.map(({ body, headers }) => [headers['idempotency-key'], JSON.parse(body) as Told]));
  return [...byKey.values()];
}

const sidsOf = (sessions: readonly { readonly sid: string }[]) => sessions.map(({ sid }) => sid).sort();

test('a node is stopped: its clients go on at another one, over any transport, and miss nothing', {
  skip,
}, async (t) => {
  const scene = await start(t);
  const [owner, other, third] = scene.nodes as [Node, Node, Node];
  const ways = [['websocket'], ['polling'], ['polling', 'websocket']] as const;
  const enter = () => Promise.all(ways.map((transports) => scene.client(t, owner.port, { transports })));
  const clients = await enter();
  const away = await enter();
  const all = [...clients, ...away];
  const [first] = clients as [(typeof clients)[0]];
  await first.call(0, `clients/action/${first.sid}`, [{ action: 'store', args: { nick: 'ann' } }]);
  for (const one of all) {
    await one.publish(1);
    await one.hasAll();
  }
  for (const { proxy } of away) proxy.cut();
  await eventually(() => away[0]!.told.at(-1) === 'on_suspend "transport_closed"', 'its loss');
  for (const one of away) await one.publish(2);

  for (const { proxy } of clients) proxy.mend(other.port);
  const ended = owner.process.stop();
  await eventually(() => clients.every(({ client }) => !client.socket.connected), 'clients to be sent away');
  for (const one of all) await one.publish(1);
  assert.equal((await ended).code, 0);
  for (const one of all) await one.publish(2);
  await eventually(() => away.every(({ client }) => !client.socket.connected), 'the other clients to notice');
  for (const { proxy } of away) proxy.mend(third.port);
  for (const one of all) {
    await one.back();
    await one.publish(1);
    await one.send(2);
    await one.hasAll();
    assert.equal(one.told.at(-1)?.startsWith('on_recover'), true);
  }
  assert.deepEqual(departures(scene), []);
  await first.leave();
  const last = JSON.parse(scene.backEnd.asked.at(-1)!.body) as { state: unknown };
  assert.deepEqual(last.state, { nick: 'ann' });
});

test('all nodes are stopped and started again: sessions come back from Redis alone', { skip }, async (t) => {
  const scene = await start(t);
  const clients = await Promise.all(scene.nodes.map(({ port }) => scene.client(t, port)));
  for (const client of clients) {
    await client.publish(0);
    await client.hasAll();
  }
  const [first] = scene.nodes as [Node];
  await first.api('POST', 'hive/stop?cluster=true');
  const ends = await Promise.all(scene.nodes.map(({ process }) => process.finished));
  assert.deepEqual(
    ends.map(({ code }) => code),
    [0, 0, 0],
  );
  assert.deepEqual(departures(scene), []);
  await Promise.all(scene.nodes.map(({ index }) => scene.cluster.restart(index)));
  for (const client of clients) {
    await client.back();
    await client.publish(1);
    await client.hasAll();
  }
  assert.deepEqual(departures(scene), []);
});

test('a drained node refuses new clients, and its sessions go on elsewhere, whoever is asked for them', {
  skip,
}, async (t) => {
  const scene = await start(t);
  const [owner, other] = scene.nodes as [Node, Node];
  const one = await scene.client(t, owner.port);
  const opted = await scene.client(t, owner.port, { query: { recovery: '0' } });
  await one.call(0, `clients/action/${one.sid}`, [{ action: 'store', args: { nick: 'ann' } }]);
  await one.publish(0);
  await one.hasAll();
  one.proxy.mend(other.port);
  const ready = async () => (await fetch(`http://127.0.0.1:${owner.health}/ready`)).status;
  assert.equal(await ready(), 200);
  const drained = hive(['drain', '--config', owner.config]);
  await eventually(() => !one.client.socket.connected, 'the client to be sent away');
  for (const at of [0, 1, 2]) await one.publish(at);
  const { code, stdout, stderr } = await drained;
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, /refuses new clients and hands sessions over; .*: 1\.\n.*drained after .*: 1\.\n$/);
  assert.equal(await ready(), 503);
  const status = await hive(['status', '--config', owner.config]);
  assert.deepEqual([status.code, /is draining\n {2}reason {5}new clients are refused/.test(status.stdout)], [2, true]);
  await one.back();
  for (const at of [0, 1, 2]) await one.publish(at);
  for (const at of [0, 1, 2]) await one.send(at);
  await one.hasAll();
  assert.deepEqual([opted.client.connects, departures(scene)], [[false], []]);
  assert.equal(await owner.metric('clients.durable.handed_over'), 1);

  const undone = await hive(['drain', '--undo', '--config', owner.config]);
  assert.match(undone.stdout, /accepts new clients\.\n$/);
  assert.equal(await ready(), 200);
  const late = await scene.client(t, owner.port);
  await late.publish(1);
  await late.hasAll();
  await late.away(other.port, () => late.publish(0));
  await late.hasAll();
  await one.leave();
});

test('a drain may be called off, go on as a stop, and end with a kill: sessions are recovered all the same', {
  skip,
}, async (t) => {
  const scene = await start(t, { drain_rate: 0.02 });
  const [owner, other] = scene.nodes as [Node, Node];
  const clients = await Promise.all(Array.from({ length: 3 }, () => scene.client(t, owner.port)));
  for (const { proxy } of clients) proxy.mend(other.port);
  const away = () => clients.filter(({ client }) => !client.socket.connected).length;
  await owner.api('POST', 'router/drain');
  await eventually(() => away() === 1, 'the first one to be sent away');
  const { stdout } = await hive(['status', '--config', owner.config]);
  assert.match(stdout, /is draining\n.*new clients are refused\n.*sessions are handed over, connections left: 2\n/);
  assert.equal((await owner.api('POST', 'router/enable')).status, 200);
  await eventually(() => away() === 0, 'all of them');
  await owner.api('POST', 'router/drain');
  await eventually(() => away() === 1, 'the next one to be sent away');
  owner.process.signal('SIGTERM');
  owner.process.signal('SIGINT');
  const { process: stopping } = owner;
  await stopping.until(() => /stopping: \d connections? (?:is|are) still to be/.test(stopping.stderr), 'its line');
  owner.process.signal('SIGTERM');
  assert.equal((await owner.process.finished).code, 143);
  for (const one of clients) {
    await one.publish(1);
    await eventually(() => one.client.connects.length > 1 && one.client.socket.connected, 'a client', 30_000);
    await one.publish(1);
    await one.hasAll();
    assert.equal(one.client.connects.lastIndexOf(false), 0);
  }
  assert.deepEqual(departures(scene), []);
  // At that rate it would take minutes.
  await Promise.all(scene.nodes.map(({ process }) => process.stop('SIGKILL')));
});

test('Redis is away: the sessions of a node that stops depart, each once', { skip }, async (t) => {
  const scene = await start(t);
  const [owner, other] = scene.nodes as [Node, Node];
  const clients = await Promise.all(Array.from({ length: 3 }, () => scene.client(t, owner.port)));
  for (const { proxy } of clients) proxy.mend(other.port);
  await redis.stop('SIGKILL');
  const health = async () => (await fetch(`${owner.monitor}/health`)).text();
  await eventually(async () => /not durable/.test(await health()), 'its health');
  assert.equal((await owner.process.stop()).code, 0);
  const told = departures(scene);
  assert.deepEqual(sidsOf(told), sidsOf(clients));
  assert.deepEqual(new Set(told.map(({ trigger }) => trigger)), new Set(['shutdown']));
});

test('the node that goes on with sessions is killed as well: each of them departs once', { skip }, async (t) => {
  const scene = await start(t);
  const [owner, heir, third] = scene.nodes as [Node, Node, Node];
  await third.api('POST', 'router/disable');
  const clients = await Promise.all(Array.from({ length: 3 }, () => scene.client(t, owner.port)));
  for (const { proxy } of clients) proxy.cut();
  await owner.process.stop();
  await eventually(async () => (await heir.metric('clients.durable.claimed')) === 3, 'the claims');
  await heir.process.stop('SIGKILL');
  await third.api('POST', 'router/enable');
  for (const { proxy } of clients) proxy.mend(third.port);
  for (const one of clients) await one.client.connected(2, 20_000);
  const left = clients.filter(({ client }) => client.sids[1] !== client.sids[0]);
  await eventually(() => departures(scene).length >= left.length, 'the departures');
  assert.deepEqual(sidsOf(departures(scene)), sidsOf(left));
});
