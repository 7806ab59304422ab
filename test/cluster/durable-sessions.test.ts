/**
 * Sessions that outlive their node: it is killed, and its clients come back to another one with all they have missed. Old fault: they
 * came back as strangers.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { missing } from '../support/programs.ts';
import { RedisServer } from '../support/redis.ts';
import type { RelayNode as Node } from '../support/relay-cluster.ts';
import { ReturnCluster } from '../support/return-cluster.ts';

const skip = missing('redis-server');

/** Of each test. */
let redis: RedisServer;

async function start(t: TestContext): Promise<ReturnCluster> {
  redis = await RedisServer.start();
  const scene = await ReturnCluster.start({}, undefined, redis.port);
  t.after(async () => {
    await scene.stop();
    await redis.stop();
  });
  return scene;
}

for (const transports of [['websocket'], ['polling']] as const) {
  test(`a node is killed: its clients go on at another one, and miss nothing (${transports})`, { skip }, async (t) => {
    const scene = await start(t);
    const [owner, other] = scene.nodes as [Node, Node];
    const one = await scene.client(t, owner.port, { transports });
    await one.call(0, `clients/action/${one.sid}`, [{ action: 'store', args: { nick: 'ann' } }]);
    await one.publish(0);
    await one.send(1);
    await one.publish(1);
    await one.hasAll();

    one.proxy.cut();
    await one.publish(0);
    await one.send(0);
    await owner.process.stop('SIGKILL');
    // Nobody has the session now.
    await one.publish(2);
    await one.publish(2);
    await eventually(() => !one.client.socket.connected, 'the client to notice');
    one.proxy.mend(other.port);
    await one.back();
    await one.hasAll();

    await one.publish(1);
    await one.publish(2);
    await one.send(2);
    await one.hasAll();
    assert.deepEqual(
      one.told.map((line) => line.split(' ')[0]),
      ['on_connect', 'on_suspend', 'on_recover'],
    );
    await one.leave();
    const last = JSON.parse(scene.backEnd.asked.at(-1)!.body) as { state: unknown; session: { epoch: number } };
    assert.deepEqual([last.state, last.session.epoch], [{ nick: 'ann' }, 1]);
    // The old fault: its record stayed, and its departure was told once more when the node that had gone on with it ended.
    const records = () => redis.query((client) => client.keys('*:sessions'));
    await eventually(async () => (await records()).length === 0, 'the end of its record');
  });
}

test('a node is killed while another one publishes: each of its clients hears everything once and in order', {
  skip,
}, async (t) => {
  const scene = await start(t);
  const [owner, second, third] = scene.nodes as [Node, Node, Node];
  const clients = await Promise.all(Array.from({ length: 20 }, () => scene.client(t, owner.port)));
  for (const { sid } of clients) await clients[0]!.call(1, `pubsub/subscribe/${sid}`, ['room.all']);
  const publish = (from: number, to: number) => async () => {
    for (let n = from; n <= to; n += 1)
      await clients[0]!.call(1, 'pubsub/publish/room.all?confirm=node', { name: 'all', args: [n] });
  };
  const publishing = publish(1, 400)();
  await eventually(() => clients.every(({ client }) => client.firsts('all').length > 20), 'the first numbers');
  await owner.process.stop('SIGKILL');
  for (const [i, { client, proxy }] of clients.entries()) {
    await eventually(() => !client.socket.connected, 'the client to notice');
    proxy.mend(i % 2 === 0 ? second.port : third.port);
  }
  await publishing;
  await Promise.all(clients.map((one) => one.back()));
  await publish(401, 410)();
  const all = Array.from({ length: 410 }, (_, i) => i + 1);
  for (const { client } of clients) {
    await eventually(() => client.firsts('all').length >= all.length, 'all numbers');
    assert.deepEqual(client.firsts('all'), all);
  }
});
