/**
 * Redis goes away while a node stops and hands its sessions over. Old fault: whatever it had not stored at once departed, though Redis came
 * back a moment later.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { missing } from '../support/programs.ts';
import { RedisServer } from '../support/redis.ts';
import type { RelayNode } from '../support/relay-cluster.ts';
import { type ClientOfCluster, ReturnCluster } from '../support/return-cluster.ts';

const skip = missing('redis-server');

interface Scene {
  readonly redis: RedisServer;
  readonly scene: ReturnCluster;
  readonly clients: readonly ClientOfCluster[];
}

/** A node with clients is told to stop; resolves when the first connections are closed. @param grace its `graceful_termination_timeout` */
async function stopping(t: TestContext, grace: number): Promise<Scene> {
  const redis = await RedisServer.start();
  const scene = await ReturnCluster.start(
    {},
    { drain_rate: 5, graceful_termination_timeout: grace },
    redis.port,
    undefined,
    { lease: 10_000 },
  );
  t.after(async () => {
    await scene.stop();
    await redis.stop();
  });
  const [owner, other] = scene.nodes as [RelayNode, RelayNode];
  const clients = await Promise.all(Array.from({ length: 6 }, () => scene.client(t, owner.port)));
  for (const one of clients) {
    await one.publish(1);
    await one.hasAll();
    one.proxy.mend(other.port);
  }
  owner.process.signal('SIGTERM');
  await eventually(() => clients.some(({ client }) => !client.socket.connected), 'the first one to be sent away');
  return { redis, scene, clients };
}

/** Session ids, each key of a departure once. */
function departures({ backEnd }: ReturnCluster): string[] {
  const told = backEnd.asked.filter(({ path }) => path === '/on_disconnect');
  return [...new Set(told.map(({ headers }) => String(headers['idempotency-key'])))]
    .map((key) => key.split('/')[0]!)
    .sort();
}

async function recovered({ scene, clients }: Scene): Promise<void> {
  const [owner] = scene.nodes as [RelayNode];
  assert.equal((await owner.process.finished).code, 0);
  for (const one of clients) {
    await one.back();
    await one.publish(2);
    await one.hasAll();
  }
  assert.deepEqual(departures(scene), []);
}

/** The node that stops has asked Redis in vain. */
async function missed({ scene }: Scene): Promise<void> {
  const [owner] = scene.nodes as [RelayNode];
  await owner.process.until(() => owner.process.stderr.includes('Sessions are not durable'), 'what it says of Redis');
}

test('it stands still for longer than requests may take, and goes on: everybody is recovered, and nobody departs', {
  skip,
}, async (t) => {
  const stop = await stopping(t, 20_000);
  stop.redis.pause();
  await missed(stop);
  stop.redis.resume();
  await recovered(stop);
});

test('it does not come back in time: the node ends, and all its clients depart once', { skip }, async (t) => {
  const { redis, scene, clients } = await stopping(t, 1000);
  const [owner] = scene.nodes as [RelayNode];
  await redis.stop('SIGKILL');
  assert.equal((await owner.process.finished).code, 0);
  assert.match(owner.process.stderr, /Sessions cannot be handed over, as Redis does not have them: they depart/);
  assert.doesNotMatch(owner.process.stderr, /they miss it/);
  assert.deepEqual(departures(scene), clients.map(({ sid }) => sid).sort());
  await redis.start();
  await eventually(() => clients.every(({ client }) => client.connects.length > 1), 'all clients', 30_000);
  assert.ok(clients.every(({ client }) => client.connects.at(-1) === false));
});
