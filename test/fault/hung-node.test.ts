/**
 * One node of three hangs: it is connected and does not answer. Each join of a new channel, on all other nodes, waited two
 * seconds for it, as long as it hung.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { hive } from '../support/hive-process.ts';
import { RawSocket } from '../support/raw-client.ts';
import { RelayCluster, type RelayNode } from '../support/relay-cluster.ts';

const websocket = '/socket.io/?EIO=4&transport=websocket';

async function client(node: RelayNode): Promise<RawSocket> {
  const socket = new RawSocket(node.url + websocket);
  await socket.next();
  socket.answerPings();
  socket.send('40');
  await socket.next();
  return socket;
}

test('a node that hangs holds up one join, and when it goes on its publishes reach whoever joined meanwhile', async (t) => {
  const cluster = await RelayCluster.start(3);
  t.after(async () => {
    cluster.nodes[2]?.process.signal('SIGCONT');
    await cluster.stop();
  });
  const [one, two, three] = cluster.nodes as [RelayNode, RelayNode, RelayNode];
  const [ann, bob, late] = await Promise.all([client(one), client(two), client(three)]);
  three.process.signal('SIGSTOP');
  const joins = 20;
  const startedAt = performance.now();
  for (let n = 0; n < joins; n += 1) {
    ann.send(`42["join","room.${n}"]`);
    assert.equal(await ann.next(), '42["joined"]');
  }
  // It was 40 seconds; one of them waits for two.
  assert.ok(performance.now() - startedAt < 20_000, 'the joins do not wait for the node one by one');
  // Those who are there are waited for.
  bob.send('42["say",{"name":"said","args":["bob"]}]');
  for (let n = 0; n < joins; n += 1) assert.equal(await ann.next(), '42["said","bob"]');
  three.process.signal('SIGCONT');
  // It has read by then that it is behind. What it had been given to publish before that would be the others' loss.
  await three.metric('hive.cluster.size');
  late.send('42["say",{"name":"said","args":["late"]}]');
  for (let n = 0; n < joins; n += 1) assert.equal(await ann.next(), '42["said","late"]');
  late.send('42["join","room.late"]');
  await eventually(() => late.messages.includes('42["joined"]'), 'a join at the node that hung');
  for (const node of cluster.nodes) assert.equal(await node.metric('hive.cluster.size'), 3);
});

/** Two nodes with a client in the same channel each. */
async function joined(t: TestContext, hive: Record<string, unknown>): Promise<[RelayCluster, RawSocket, RawSocket]> {
  const cluster = await RelayCluster.start(2, {}, hive);
  t.after(async () => {
    cluster.nodes[1]?.process.signal('SIGCONT');
    await cluster.stop();
  });
  const [ann, bob] = (await Promise.all(cluster.nodes.map(client))) as [RawSocket, RawSocket];
  for (const socket of [ann, bob]) {
    socket.send('42["join","room"]');
    assert.equal(await socket.next(), '42["joined"]');
  }
  return [cluster, ann, bob];
}

const text = 'x'.repeat(100_000);

async function say(socket: RawSocket, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    socket.send(`42["say",{"name":"said","args":[${n},"${text}"]}]`);
    await socket.next();
  }
}

test('a node that hangs gets everything when it goes on, as long as there is room, and is not cut off', async (t) => {
  // A client that published 64 MiB while another node stood still for a second got the link to it dropped; later on, what did not
  // fit into half of the queue was lost.
  const [cluster, ann, bob] = await joined(t, { cluster_max_queue: 16 * 1024 * 1024 });
  const [one, two] = cluster.nodes as [RelayNode, RelayNode];
  two.process.signal('SIGSTOP');
  await say(ann, 120);
  // The alarm is set before anything is missed, if somebody looks in time.
  const alarm = () => one.metric('hive.alarms.queue.set');
  await eventually(async () => (await alarm()) === 1, 'the alarm of the queue', 20_000);
  assert.ok((await one.metric('hive.distribution.max_queued_bytes')) >= 0.4 * 16 * 1024 * 1024);
  two.process.signal('SIGCONT');
  for (let n = 0; n < 120; n += 1) assert.ok((await bob.next()).startsWith(`42["said",${n},`));
  await eventually(async () => (await alarm()) === 0, 'the end of the alarm', 20_000);
  assert.deepEqual([await one.metric('pubsub.dropped'), await two.metric('pubsub.missed')], [0, 0]);
  for (const node of [one, two]) assert.equal(await node.metric('hive.cluster.size'), 2);
});

test('a node that hangs for longer misses publishes, which its subscriptions are told', async (t) => {
  const [cluster, ann, bob] = await joined(t, { cluster_max_queue: 4 * 1024 * 1024 });
  const [one, two] = cluster.nodes as [RelayNode, RelayNode];
  two.process.signal('SIGSTOP');
  await say(ann, 100);
  const dropped = await one.metric('pubsub.dropped');
  assert.ok(dropped > 0 && dropped < 100, `${dropped} of 100 dropped`);
  const { origin, pathname } = new URL(one.monitor);
  const key = decodeURIComponent(pathname.split('/')[2]!);
  const { stdout } = await hive(['status', '--url', origin, '--key', key]);
  const [, waiting, lost] =
    /^ {2}publishes {2}(\d+) not acknowledged .*, .* MB; (\d+) lost in 1 gap$/m.exec(stdout) ?? [];
  assert.deepEqual([Number(waiting) > 0, Number(lost)], [true, dropped], stdout);
  two.process.signal('SIGCONT');
  // What was kept arrives in order; then the gap is told, and everything arrives again.
  for (let n = 0; n < 100 - dropped; n += 1) assert.ok((await bob.next()).startsWith(`42["said",${n},`));
  await eventually(async () => (await two.metric('pubsub.missed')) === 1, 'the gap to be told');
  ann.send('42["say",{"name":"said","args":["again"]}]');
  assert.equal(await bob.next(), '42["said","again"]');
  for (const node of [one, two]) assert.equal(await node.metric('hive.cluster.size'), 2);
});

test('the API names a node that hangs, waits for it once, and has lost nothing when it goes on', async (t) => {
  const [cluster, , bob] = await joined(t, {});
  const [one, two] = cluster.nodes as [RelayNode, RelayNode];
  const publish = async (n: number, query = '') => {
    const answer = await one.api('POST', `pubsub/publish/room${query}`, `{"name":"said","args":[${n}]}`);
    return answer.text();
  };
  assert.equal(await publish(0), '');
  // It was answered when the other node had it.
  assert.equal(await bob.next(), '42["said",0]');
  two.process.signal('SIGSTOP');
  const startedAt = performance.now();
  for (let n = 1; n <= 30; n += 1) assert.equal(await publish(n), '{"unconfirmed":["relay1@127.0.0.1"]}');
  assert.ok(performance.now() - startedAt < 20_000, 'not a second for each');
  assert.equal(await publish(31, '?confirm=node'), '');
  const batch = await one.api(
    'POST',
    'batch',
    JSON.stringify([
      { method: 'POST', path: 'pubsub/publish/room', body: { name: 'said', args: [32] } },
      { method: 'GET', path: 'pubsub/subscribe/room' },
    ]),
  );
  assert.deepEqual(await batch.json(), [
    { status: 200, body: { unconfirmed: ['relay1@127.0.0.1'] } },
    { status: 200, body: { subscribed_clients: 1 } },
  ]);
  two.process.signal('SIGCONT');
  for (let n = 1; n <= 32; n += 1) assert.equal(await bob.next(), `42["said",${n}]`);
  await eventually(async () => (await publish(33)) === '', 'it to be waited for again');
});
