import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Kernel } from '../../src/kernel/kernel.ts';
import { silent } from '../../src/observe/logger.ts';
import { keepingLog } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { event, type PubSubNode, startPubSub } from '../support/pubsub.ts';
import { Wire } from '../support/wire.ts';

const log = keepingLog();

/** Two nodes that have told each other their channels. */
async function pair(t: TestContext): Promise<{ wire: Wire; a: PubSubNode; b: PubSubNode }> {
  const wire = new Wire();
  const [a, b] = await Promise.all(
    ['a@127.0.0.1', 'b@127.0.0.1'].map(async (name) => {
      const kernel = new Kernel({ node: name, log: silent });
      t.after(() => kernel.halt());
      const node = await startPubSub(kernel, undefined, log);
      wire.attach(kernel, node.table);
      return node;
    }),
  );
  wire.connect(a!.kernel, b!.kernel);
  const known = ({ kernel, manager }: PubSubNode) =>
    (kernel.inspect(manager())!.state.peers as { known: boolean }[]).every((peer) => peer.known);
  await eventually(() => known(a!) && known(b!), 'the exchange');
  return { wire, a: a!, b: b! };
}

test('joining is complete only when the other nodes have taken note', async (t) => {
  const { wire, a, b } = await pair(t);
  const [ann, bob] = [await a.client(), await a.client()];
  wire.hold(a.kernel, b.kernel);
  let joined = 0;
  const joins = [ann, bob].map((client) => a.pubsub.join(client, ['news.eu'], 'public').then(() => (joined += 1)));
  await eventually(() => wire.waiting(a.kernel, b.kernel) > 0, 'the announcement');
  b.pubsub.publish(['news'], 'public', event('too early'));
  assert.equal(joined, 0);
  wire.hold(a.kernel, b.kernel, false);
  await Promise.all(joins);
  b.pubsub.publish(['news'], 'public', event('1'));
  await eventually(() => ann.received.length === 1 && bob.received.length === 1, 'the event');
});

test('a channel that is here already is joined without asking other nodes', async (t) => {
  const { wire, a, b } = await pair(t);
  await a.pubsub.join(await a.client(), ['news.eu'], 'public');
  wire.hold(a.kernel, b.kernel);
  await a.pubsub.join(await a.client(), ['news.eu'], 'public');
  assert.equal(wire.waiting(a.kernel, b.kernel), 0);
});

test('channels that many clients join at the same time are announced together', async (t) => {
  const { wire, a } = await pair(t);
  const clients = await Promise.all(Array.from({ length: 200 }, () => a.client()));
  const before = wire.crossed.get('interest')!;
  await Promise.all(clients.map((client, i) => a.pubsub.join(client, [`news.${i}`], 'public')));
  assert.ok(wire.crossed.get('interest')! - before < 20);
});

test('a node that does not take note is waited for two seconds, and told again', async (t) => {
  const { wire, a, b } = await pair(t);
  const ann = await a.client();
  wire.hold(a.kernel, b.kernel);
  const startedAt = performance.now();
  await a.pubsub.join(ann, ['news.eu'], 'public');
  assert.ok(performance.now() - startedAt > 1900);
  assert.match(log.lines.at(-1)!.message, /^b@127.0.0.1 did not take note/);
  wire.hold(a.kernel, b.kernel, false);
  await eventually(() => {
    b.pubsub.publish(['news'], 'public', event('1'));
    return ann.received.length > 0;
  }, 'an event');
});

test('a node that is behind is not waited for, and publishes everything here until it has been told', async (t) => {
  const { wire, a, b } = await pair(t);
  const ann = await a.client();
  wire.hold(a.kernel, b.kernel);
  // Both wait for the node, and both are done when the first has waited long enough.
  await Promise.all([a.pubsub.join(ann, ['news.0'], 'public'), a.pubsub.join(ann, ['news.1'], 'public')]);
  const asked = wire.waiting(a.kernel, b.kernel);
  const startedAt = performance.now();
  for (let n = 2; n < 100; n += 1) await a.pubsub.join(ann, [`news.${n}`], 'public');
  assert.ok(performance.now() - startedAt < 10_000, 'not two seconds for each');
  assert.equal(wire.waiting(a.kernel, b.kernel), asked, 'nothing more waits for it');
  wire.hold(a.kernel, b.kernel, false);
  type Peer = { known: boolean; channels: number };
  const interest = () => (b.kernel.inspect(b.manager())!.state.peers as Peer[])[0]!;
  await eventually(() => interest().known && interest().channels === 100, 'everything to be told');
  b.pubsub.publish(['news.99'], 'public', event('1'));
  await eventually(() => ann.received.length === 1, 'the event');
  // It is waited for again.
  wire.hold(a.kernel, b.kernel);
  let joined = false;
  const join = a.pubsub.join(ann, ['news.again'], 'public').then(() => (joined = true));
  await eventually(() => wire.waiting(a.kernel, b.kernel) > 0, 'the announcement');
  assert.ok(!joined);
  wire.hold(a.kernel, b.kernel, false);
  await join;
});
