/**
 * Nodes that are there, and whose sessions are durable, but that stand still, or have no Redis alone. Old faults: calls that came to a node
 * which had stood still were answered and lost; a node without Redis lost its sessions to others though its clients were well.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { CutProxy } from '../support/cut-proxy.ts';
import { eventually } from '../support/eventually.ts';
import { missing } from '../support/programs.ts';
import { RedisServer } from '../support/redis.ts';
import type { RelayNode as Node } from '../support/relay-cluster.ts';
import { type ClientOfCluster, ReturnCluster } from '../support/return-cluster.ts';

const skip = missing('redis-server');
const lease = 2000;

/** Two nodes, of which the first reaches Redis by a way that can be cut. */
async function start(t: TestContext): Promise<[ReturnCluster, Node, Node, CutProxy]> {
  const redis = await RedisServer.start();
  const way = await CutProxy.start(redis.port);
  const ports = [Number(new URL(way.url).port), redis.port];
  const scene = await ReturnCluster.start({}, undefined, ports, undefined, { lease, nodes: 2 });
  t.after(async () => {
    await scene.stop();
    await way.stop();
    await redis.stop();
  });
  return [scene, scene.nodes[0]!, scene.nodes[1]!, way];
}

function names(one: ClientOfCluster): string[] {
  return one.told.map((line) => line.split(' ')[0]!);
}

/** Waits until a node has searched for nodes that are gone once more, from the beginning. */
async function searches(node: Node): Promise<void> {
  const from = await node.metric('clients.durable.sweeps');
  await eventually(async () => (await node.metric('clients.durable.sweeps')) > from + 1, 'a search');
}

test('a node stands still while much is published: nothing is lost or doubled, nobody departs, and it serves on', {
  skip,
}, async (t) => {
  const [scene, frozen, other] = await start(t);
  const [moves, stays] = [await scene.client(t, frozen.port), await scene.client(t, frozen.port)];
  for (const one of [moves, stays]) await one.publish(1);
  frozen.process.signal('SIGSTOP');
  for (const one of [moves, stays]) await one.publish(1);
  await eventually(async () => (await other.metric('clients.durable.claimed')) === 2, 'the claims', 15_000);
  for (const one of [moves, stays]) await one.publish(1);
  await moves.away(other.port);
  for (const one of [moves, stays]) await one.publish(1);
  await moves.hasAll();
  // The kernel takes these, and the node reads them when it goes on.
  const late = [moves.publish(0), stays.send(0)];
  frozen.process.signal('SIGCONT');
  await Promise.all(late);
  // Its connection is closed, and its client comes back to where it was.
  await stays.back();
  for (const one of [moves, stays]) await one.publish(0);
  for (const one of [moves, stays]) await one.hasAll();
  assert.equal(await frozen.metric('clients.durable.claims_lost'), 2);
  for (const one of [moves, stays]) assert.deepEqual(names(one), ['on_connect', 'on_suspend', 'on_recover']);

  const next = await scene.client(t, frozen.port);
  await next.publish(1);
  await next.send(0);
  await next.hasAll();
  for (const one of [moves, stays, next]) await one.leave();
  for (const { told } of [moves, stays, next]) {
    assert.equal(told.filter((line) => line.startsWith('on_disconnect')).length, 1);
  }
});

test('a node that has no Redis keeps its sessions while the others reach it, and loses them when it is killed', {
  skip,
}, async (t) => {
  const [scene, parted, other, way] = await start(t);
  const one = await scene.client(t, parted.port);
  await one.publish(1);
  way.cut();
  await eventually(async () => (await other.metric('clients.durable.unclaimed')) === 1, 'the end of the lease', 15_000);
  await searches(other);
  await one.publish(1);
  await one.send(1);
  await one.publish(0);
  assert.equal(await one.asks(1), 'relay0@127.0.0.1');
  // Its client may return through either.
  await one.away(other.port, () => one.publish(1));
  await one.hasAll();
  assert.equal(await one.asks(2), 'relay0@127.0.0.1');
  await one.away(parted.port, () => one.publish(1));
  await one.hasAll();

  way.mend();
  await eventually(async () => (await parted.metric('clients.durable.up')) === 1, 'Redis', 15_000);
  await eventually(
    async () => (await other.metric('clients.durable.unclaimed')) === 0,
    'the end of the search',
    15_000,
  );
  assert.equal(await parted.metric('clients.durable.claims_lost'), 0);
  assert.equal(await other.metric('clients.durable.claimed'), 0);
  assert.deepEqual(names(one), ['on_connect', 'on_suspend', 'on_recover', 'on_suspend', 'on_recover']);

  await one.away(other.port, async () => {
    await parted.process.stop('SIGKILL');
    await one.publish(1);
  });
  await one.hasAll();
  await one.leave();
});
