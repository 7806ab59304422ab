/**
 * One node of three hangs: it is connected and does not answer. Each join of a new channel, on all other nodes, waited two
 * seconds for it, as long as it hung.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
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

test('a node that hangs misses publishes, but is not cut off by whoever publishes too much', async (t) => {
  // A client that published 64 MiB while another node stood still for a second got the link to it dropped.
  const cluster = await RelayCluster.start(2, {}, { cluster_max_queue: 8 * 1024 * 1024 });
  t.after(async () => {
    cluster.nodes[1]?.process.signal('SIGCONT');
    await cluster.stop();
  });
  const [one, two] = cluster.nodes as [RelayNode, RelayNode];
  const [ann, bob] = await Promise.all([client(one), client(two)]);
  for (const socket of [ann, bob]) {
    socket.send('42["join","room"]');
    assert.equal(await socket.next(), '42["joined"]');
  }
  two.process.signal('SIGSTOP');
  const text = 'x'.repeat(100_000);
  for (let n = 0; n < 150; n += 1) {
    ann.send(`42["say",{"name":"said","args":[${n},"${text}"]}]`);
    await ann.next();
  }
  const missed = await one.metric('pubsub.dropped');
  assert.ok(missed > 0 && missed < 150, `${missed} of 150 missed`);
  // The alarm is set before publishes are missed, if somebody looks in time.
  const alarm = () => one.metric('hive.alarms.queue.set');
  await eventually(async () => (await alarm()) === 1, 'the alarm of the queue', 20_000);
  assert.ok((await one.metric('hive.distribution.max_queued_bytes')) >= 0.4 * 8 * 1024 * 1024);
  two.process.signal('SIGCONT');
  // What was sent arrives in order; then everything does again.
  for (let n = 0; n < 150 - missed; n += 1) assert.ok((await bob.next()).startsWith(`42["said",${n},`));
  ann.send('42["say",{"name":"said","args":["again"]}]');
  assert.equal(await bob.next(), '42["said","again"]');
  await eventually(async () => (await alarm()) === 0, 'the end of the alarm', 20_000);
  for (const node of [one, two]) assert.equal(await node.metric('hive.cluster.size'), 2);
});
