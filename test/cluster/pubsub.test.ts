import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { clusterName } from '../../src/actors/cluster/cluster.ts';
import type { Privilege } from '../../src/plugins/types.ts';
import { MessagePacket } from '../../src/protocol/packet.ts';
import { startEpmd } from '../support/cluster.ts';
import { meshed, startClusterNode } from '../support/cluster-node.ts';
import { eventually } from '../support/eventually.ts';
import { event, known, orders, type PubSubNode } from '../support/pubsub.ts';

async function pair(t: TestContext): Promise<[PubSubNode, PubSubNode]> {
  const epmd_port = await startEpmd(t);
  const a = await startClusterNode(t, 'a@127.0.0.1', { epmd_port });
  const b = await startClusterNode(t, 'b@127.0.0.1', { epmd_port, cluster_nodes: ['a@127.0.0.1'] });
  await meshed(a, b);
  return [a, b];
}

/** What a node knows of what the others want. */
function interests({ kernel, manager }: PubSubNode): { node: string; known: boolean; channels: number }[] {
  return kernel.inspect(manager())!.state.peers as { node: string; known: boolean; channels: number }[];
}

async function told(...nodes: PubSubNode[]): Promise<void> {
  await eventually(() => nodes.every((node) => interests(node).every(({ known }) => known)), 'the exchange');
}

const sent = ({ metrics }: PubSubNode) => metrics.counter('hive.distribution.sent').value;

test('a publish on either node reaches the subscribers of both', async (t) => {
  const [a, b] = await pair(t);
  const [ann, ben] = [await a.client(), await b.client()];
  await a.pubsub.join(ann, ['news.eu'], 'public');
  await b.pubsub.join(ben, ['news.eu', 'news.us'], 'public');
  a.pubsub.publish(['news.eu'], 'public', event('1'));
  await eventually(() => ben.received.length === 1, 'the first event');
  b.pubsub.publish(['news'], 'public', orders(['say', '2'], ['send', '3']));
  await eventually(() => ann.received.length === 3 && ben.received.length === 5, 'the orders');
  assert.deepEqual(ann.received, ['1', '2', '3']);
  assert.equal(a.pubsub.status('news'), 1);
  assert.equal(b.pubsub.status('news'), 2);
  assert.equal(a.metrics.counter('pubsub.published_events').value, 3);
  assert.equal(a.metrics.counter('pubsub.publish').value, 1);
});

test('every kind of packet crosses', async (t) => {
  const [a, b] = await pair(t);
  const ben = await b.client();
  await b.pubsub.join(ben, ['news'], 'public');
  a.pubsub.publish(['news'], 'public', { type: 'event', packet: new MessagePacket({ a: [1, null, 'ü'] }, true) });
  a.pubsub.publish(['news'], 'public', event('zwölf €'));
  await eventually(() => ben.received.length === 2, 'both packets');
  assert.deepEqual(ben.received, ['message', 'zwölf €']);
});

test('as soon as a client has joined, what any node publishes reaches it', async (t) => {
  const [a, b] = await pair(t);
  await told(a, b);
  const ann = await a.client();
  for (let i = 0; i < 50; i += 1) {
    await a.pubsub.join(ann, [`news.${i}`], 'public');
    b.pubsub.publish([`news.${i}`], 'public', event(`${i}`));
  }
  await eventually(() => ann.received.length === 50, 'every event');
});

test('nothing crosses for channels that nobody over there is subscribed to', async (t) => {
  const [a, b] = await pair(t);
  const ben = await b.client();
  await b.pubsub.join(ben, ['news.eu', 'brief.a'], 'public');
  await told(a, b);
  const before = sent(a);
  for (let i = 0; i < 100; i += 1) a.pubsub.publish(['news.us', 'staff', 'brief.b'], 'private', event('x'));
  assert.equal(sent(a), before);
  a.pubsub.publish(['news.us', 'news.eu', 'brief.a'], 'private', event('y'));
  assert.equal(sent(a), before + 1);
  await eventually(() => ben.received.length === 2, 'the event, through both channels');
  await b.pubsub.leave(ben, ['brief'], 'public');
  await eventually(() => interests(a)[0]!.channels === 1, 'the end of the empty channel');
  const after = sent(a);
  a.pubsub.publish(['brief.a'], 'public', event('z'));
  assert.equal(sent(a), after);
});

test('what is published in one order arrives in that order', async (t) => {
  const [a, b] = await pair(t);
  const ben = await b.client();
  await b.pubsub.join(ben, ['news.eu'], 'public');
  const kinds = ['send', 'say', 'pause'];
  for (let i = 0; i < 1000; i += 1) {
    const kind = kinds[i % 7];
    a.pubsub.publish(['news'], 'public', kind ? orders([kind, `${i}`]) : event(`${i}`));
  }
  await eventually(() => ben.received.length === 1000, 'all events');
  assert.deepEqual(
    ben.received,
    Array.from({ length: 1000 }, (_, i) => `${i}`),
  );
});

test('a node that is lost and comes back gets what was published meanwhile, and is told everything again', async (t) => {
  const [a, b] = await pair(t);
  const [ann, ben] = [await a.client(), await b.client()];
  await a.pubsub.join(ann, ['news.a'], 'public');
  await b.pubsub.join(ben, ['news.b'], 'public');
  await told(a, b);
  const lost = new Promise<void>((resolve) => {
    a.table.listen({ nodeUp() {}, nodeDown: () => resolve() });
  });
  const cluster = b.kernel.whereis(clusterName)!;
  b.kernel.exit(cluster, cluster, 'kill');
  await lost;
  assert.deepEqual(interests(a), []);
  a.pubsub.publish(['news'], 'public', event('meanwhile'));
  await meshed(a, b);
  a.pubsub.publish(['news'], 'public', event('1'));
  b.pubsub.publish(['news'], 'public', event('2'));
  await eventually(() => ann.received.length === 3 && ben.received.length === 3, 'events both ways');
  await told(a, b);
  assert.equal(interests(a)[0]!.channels, 1);
});

test('a manager that restarts learns anew what the others want', async (t) => {
  const [a, b] = await pair(t);
  const ben = await b.client();
  await b.pubsub.join(ben, ['news.b'], 'public');
  await told(a, b);
  const old = a.manager();
  a.kernel.exit(old, old, 'kill');
  assert.equal((await eventually(() => a.manager() !== old && a.manager(), 'the next manager')) !== old, true);
  a.pubsub.publish(['news.b'], 'public', event('1'));
  await told(a, b);
  assert.equal(interests(a)[0]!.channels, 1);
  await eventually(() => ben.received.length === 1, 'the event');
});

test('a publish that the other node does not allow, or cannot read, is counted there and harms nobody', async (t) => {
  const [a, b] = await pair(t);
  const ben = await b.client();
  await b.pubsub.join(ben, ['staff.x'], 'private');
  const manager = a.kernel.remote<unknown>(b.kernel.node, 'hive_pubsub');
  const publication = ['event', 'x', '[]', -1, false];
  const privilege = 'public' as Privilege;
  let number = 0;
  // Each is in its place, but the refused ones are missing.
  const next = () => ['publish', 'c@127.0.0.1#1', ++number, 0, true];
  const bad: unknown[] = [
    [...next(), ['staff'], privilege, publication],
    [...next(), ['staff'], undefined, publication],
    [...next(), 'staff', 'private', publication],
    [...next(), [5], 'private', publication],
    [...next(), ['staff'], 'private', ['event', 5]],
    [...next(), ['staff'], 'private', ['orders', [7]]],
    [...next(), ['staff'], 'private', { type: 'event', name: 'x', args: '[]' }],
    [...next(), ['staff'], 'private'],
    ['publish', ['staff'], 'private', publication],
    ['publish', 'c@127.0.0.1#1', 1, 0, undefined, ['staff'], privilege, publication],
    { type: 'gap', origin: 'c@127.0.0.1#1', number: '1', after: 0, channels: [] },
    { type: 'taken', by: 'a', origin: 'b', upTo: -1, again: false },
    { type: 'taken', by: 'a', origin: 'b', upTo: 1, again: true },
    { type: 'interest', node: a.kernel.node, all: true, add: 'staff', remove: [] },
    { type: 'open' },
    { type: 'started' },
    { type: 'announced' },
    { type: 'nodeup' },
    { type: 'nodedown' },
    { type: 'catch_up' },
    { type: 'closed' },
    { type: 'gibberish' },
    'gibberish',
    null,
    [],
  ];
  const before = b.manager();
  for (const message of bad) manager.tell(message);
  a.pubsub.publish(['staff'], 'private', event('good'));
  await eventually(() => ben.received.length === 1, 'the good event');
  assert.equal(b.manager(), before);
  const counted = ['pubsub.errors', 'hive.actors.unexpected'].map((metric) => b.metrics.counter(metric).value);
  assert.deepEqual(counted, [6, bad.length - 7]);
});

test('what is too large for the connection is a gap at the other node, and nothing else is lost', async (t) => {
  const [a, b] = await pair(t);
  const ben = await b.client();
  await b.pubsub.join(ben, ['news.eu'], 'public');
  await told(a, b);
  // In UTF-8 it is more than the megabyte that may wait for a node.
  const unsendable = event('ü'.repeat(600_000));
  assert.deepEqual(await known(a.pubsub.publishConfirmed(['news'], 'public', unsendable)), ['b@127.0.0.1']);
  assert.deepEqual(await known(a.pubsub.publishConfirmed(['news'], 'public', event('1'))), []);
  assert.deepEqual([ben.received, ben.gaps], [['1'], ['news.eu']]);
});

test('a node whose cluster actor crashes has not left, one that is stopped has', async (t) => {
  const [a, b] = await pair(t);
  const downs: boolean[] = [];
  a.table.listen({ nodeUp() {}, nodeDown: (_node, hasLeft) => downs.push(hasLeft) });
  const crashed = b.kernel.whereis(clusterName)!;
  b.kernel.exit(crashed, crashed, 'kill');
  await eventually(() => downs.length === 1, 'the first loss');
  await meshed(a, b);
  await b.kernel.stop(b.kernel.whereis(clusterName)!, 'shutdown');
  await eventually(() => downs.length === 2, 'the second loss');
  assert.deepEqual(downs, [false, true]);
});
