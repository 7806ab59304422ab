/** Redis is slow: nothing is shown before it is stored, the node says so, and loses no lease. Old fault: a renewal took several round trips. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CutProxy } from '../support/cut-proxy.ts';
import { eventually } from '../support/eventually.ts';
import { missing } from '../support/programs.ts';
import { RedisServer } from '../support/redis.ts';
import type { RelayNode as Node } from '../support/relay-cluster.ts';
import { ReturnCluster } from '../support/return-cluster.ts';

const skip = missing('redis-server');

test('Redis is slow: clients are shown late, but nothing that is not stored, and the node keeps its lease', {
  skip,
}, async (t) => {
  const redis = await RedisServer.start();
  const way = await CutProxy.start(redis.port);
  const ports = [Number(new URL(way.url).port), redis.port];
  const settings = { lease: 6000, nodes: 2, maxReconnect: 10_000, workers: 8 };
  const scene = await ReturnCluster.start({}, undefined, ports, undefined, settings);
  t.after(async () => {
    await scene.stop();
    await way.stop();
    await redis.stop();
  });
  const [slow, other] = scene.nodes as [Node, Node];
  const one = await scene.client(t, slow.port);
  const of = (node: Node, name: string) => node.metric(`clients.durable.${name}`);
  await one.publish(1);
  await one.hasAll();

  // Redis has it, and the node does not know.
  const release = way.hold();
  const publishing = Array.from({ length: 100 }, () => one.publish(0));
  const stored = async () => {
    const owner = ((await of(slow, 'lease.owner')) as unknown as string[])[0];
    return (await redis.query((client) => client.xlen(`hive:relay tests:{${owner}}:journal`))) === 2;
  };
  await eventually(stored, 'the second batch');
  await eventually(async () => (await of(slow, 'journal.waiting')) === 100, 'all events to wait');
  assert.deepEqual(one.client.firsts('news'), [1]);
  release();
  await Promise.all(publishing);
  await eventually(() => one.client.firsts('news').length === 101, 'all events');
  assert.equal(await of(slow, 'journal.waiting'), 0);

  way.delayMs = 1000;
  for (let at = 0; at < 4; at += 1) {
    await one.send(0);
    await one.publish(1);
  }
  await eventually(async () => (await slow.metric('hive.alarms.journal_delay.set')) === 1, 'the alarm', 20_000);
  way.delayMs = 0;
  await eventually(() => one.client.firsts('news').length === 109, 'all events');
  assert.deepEqual(
    [await of(slow, 'leases_lost'), await of(slow, 'journal.unstored'), await of(other, 'claimed')],
    [0, 0, 0],
  );
  assert.deepEqual(one.told, ['on_connect null']);
});
