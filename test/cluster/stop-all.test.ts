/**
 * All nodes are stopped as planned while numbers are published through each of them, and started again. Old fault: what a node had
 * published for sessions of others that had ended before it, and nobody had gone on with, was gone with it, and these sessions counted as
 * recovered all the same. And a session whose connection was to be
 * closed when its last events were stored departed if the node had closed its port before.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../support/eventually.ts';
import { hive } from '../support/hive-process.ts';
import { missing } from '../support/programs.ts';
import { RedisServer } from '../support/redis.ts';
import type { RelayNode } from '../support/relay-cluster.ts';
import { ReturnCluster } from '../support/return-cluster.ts';

const skip = missing('redis-server');
const channel = 'room.all';

/** Publishes numbers through a node, each when the one before was answered, until the node refuses. */
class Publisher {
  /** Numbers below that were answered with 200. */
  answered = 0;
  readonly name: string;
  readonly over: Promise<void>;

  /** @param query `?confirm=node`: it does not wait for other nodes */
  constructor({ index, api }: RelayNode, query: string) {
    this.name = `${index}${query}`;
    this.over = this.#talk(api, `pubsub/publish/${channel}${query}`);
  }

  async #talk(api: RelayNode['api'], path: string): Promise<void> {
    for (; ; this.answered += 1) {
      const body = JSON.stringify({ name: 'news', args: [this.name, this.answered] });
      const answer = await api('POST', path, body).catch(() => undefined);
      if (answer?.status !== 200) return;
      await answer.text();
      await delay(2);
    }
  }
}

async function start(t: TestContext): Promise<ReturnCluster> {
  const redis = await RedisServer.start();
  const scene = await ReturnCluster.start({}, {}, redis.port);
  t.after(async () => {
    await scene.stop();
    await redis.stop();
  });
  return scene;
}

async function stopped(t: TestContext, stop: (scene: ReturnCluster) => Promise<unknown>): Promise<void> {
  const scene = await start(t);
  const clients = await Promise.all(scene.nodes.flatMap(({ port }) => [1, 2, 3].map(() => scene.client(t, port))));
  for (const one of clients) await one.call(0, `pubsub/subscribe/${one.sid}`, [channel]);
  const publishers = scene.nodes.flatMap((node) => ['', '?confirm=node'].map((query) => new Publisher(node, query)));
  await eventually(() => publishers.every(({ answered }) => answered > 20), 'some numbers');
  await stop(scene);
  const ends = await Promise.all(scene.nodes.map(({ process }) => process.finished));
  assert.deepEqual(
    ends.map(({ code }) => code),
    [0, 0, 0],
  );
  await Promise.all(publishers.map(({ over }) => over));
  await Promise.all(scene.nodes.map(({ index }) => scene.cluster.restart(index)));
  for (const one of clients) {
    await one.back();
    const heard = () => one.client.heard.filter(([name]) => name === 'news').map(([, from, n]) => ({ from, n }));
    for (const { name, answered } of publishers) {
      const numbers = () => heard().flatMap(({ from, n }) => (from === name ? [n] : []));
      await eventually(() => numbers().length >= answered, `${answered} numbers of ${name}`);
      // What was not answered may have been published or not.
      const count = Math.min(answered + 1, numbers().length);
      assert.deepEqual(
        numbers(),
        Array.from({ length: count }, (_, n) => n),
      );
    }
  }
  assert.deepEqual(
    scene.backEnd.asked.filter(({ path }) => path === '/on_disconnect'),
    [],
  );
  t.diagnostic(`published: ${publishers.map(({ answered }) => answered).join(', ')}`);
}

test('the whole cluster is told to stop', { skip }, (t) =>
  stopped(t, async ({ nodes }) => {
    const { code, stderr } = await hive(['stop', '--cluster', '--config', nodes[2]!.config]);
    assert.equal(code, 0, stderr);
  }),
);

test('one node after the other is told to stop', { skip }, (t) =>
  stopped(t, async ({ nodes }) => {
    for (const { process } of nodes) await process.stop();
  }),
);

test('all nodes are told to stop at once', { skip }, (t) =>
  stopped(t, async ({ nodes }) => {
    for (const { process } of nodes) process.signal('SIGTERM');
  }),
);

test('nobody goes on with sessions before the last node has ended: what they cannot be sent makes them new, and nothing else', {
  skip,
}, async (t) => {
  const scene = await start(t);
  const [first, ...rest] = scene.nodes as [RelayNode, RelayNode, RelayNode];
  const [one, other] = [await scene.client(t, first.port), await scene.client(t, first.port)];
  for (const { api } of rest) await api('POST', 'router/disable');
  await first.process.stop();
  // By each node in its order: the answers name the first one, which does not confirm.
  for (const at of [1, 1, 2]) await one.publish(at);
  // Each client would have to run them.
  await other.call(2, `pubsub/action/${other.channel}`, [{ action: 'store', args: { nick: 'ann' } }]);
  for (const { process } of rest) assert.equal((await process.stop()).code, 0);
  await scene.cluster.restart(0, 1, 2);
  await one.back();
  await one.hasAll();
  await other.client.connected(2);
  assert.deepEqual(other.client.connects, [false, false]);
  await eventually(() => other.told.at(-1)?.startsWith('on_disconnect'), 'its departure');
});
