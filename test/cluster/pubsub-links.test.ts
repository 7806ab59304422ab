/** Publishes between nodes that are lost, hang or come back: what arrives, who is told that something is missing, who waits. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { LinkSettings } from '../../src/actors/pubsub/link-settings.ts';
import type { Cell } from '../../src/kernel/cell.ts';
import { Kernel } from '../../src/kernel/kernel.ts';
import { silent } from '../../src/observe/logger.ts';
import { eventually } from '../support/eventually.ts';
import { event, known, type PubSubNode, startPubSub, type TestClient } from '../support/pubsub.ts';
import { Wire } from '../support/wire.ts';

interface Pair {
  readonly wire: Wire;
  readonly a: PubSubNode;
  readonly b: PubSubNode;
  /** A client of b in `news.eu`. */
  readonly ben: TestClient;
  /** Another boot of b, connected with a in its place. */
  restart(): Promise<PubSubNode>;
}

async function pair(t: TestContext, links: Partial<LinkSettings> = {}): Promise<Pair> {
  const wire = new Wire();
  const start = async (name: string): Promise<PubSubNode> => {
    const kernel = new Kernel({ node: name, log: silent });
    t.after(() => kernel.halt());
    const node = await startPubSub(kernel, undefined, silent, {}, links);
    wire.attach(kernel, node.table);
    return node;
  };
  const [a, b] = [await start('a@127.0.0.1'), await start('b@127.0.0.1')];
  wire.connect(a.kernel, b.kernel);
  await told(a, b);
  const ben = await b.client();
  await b.pubsub.join(ben, ['news.eu'], 'public');
  const restart = async (): Promise<PubSubNode> => {
    wire.disconnect(a.kernel, b.kernel);
    const next = await start('b@127.0.0.1');
    wire.connect(a.kernel, next.kernel);
    return next;
  };
  return { wire, a, b, ben, restart };
}

type PeerState = { known: boolean; behind: boolean };
const peers = ({ kernel, manager }: PubSubNode) => kernel.inspect(manager())!.state.peers as PeerState[];

async function told(...nodes: PubSubNode[]): Promise<void> {
  await eventually(() => nodes.every((node) => peers(node).every(({ known }) => known)), 'the exchange');
}

const count = ({ metrics }: PubSubNode, name: string) => metrics.number(`pubsub.${name}`);
const confirmed = ({ pubsub }: PubSubNode, name: string) =>
  known(pubsub.publishConfirmed(['news'], 'public', event(name)));

async function elapsed<Result>(work: Promise<Result> | undefined): Promise<[Result | undefined, ms: number]> {
  const startedAt = performance.now();
  const result = await work;
  return [result, performance.now() - startedAt];
}

test('a confirmed publish has reached the subscribers of the other node', async (t) => {
  const { wire, a, b, ben } = await pair(t);
  assert.deepEqual(await confirmed(a, '1'), []);
  assert.deepEqual(ben.received, ['1']);
  wire.hold(a.kernel, b.kernel);
  let isConfirmed = false;
  const second = confirmed(a, '2')!.then((missing) => {
    isConfirmed = true;
    assert.deepEqual([missing, ben.received], [[], ['1', '2']]);
  });
  for (let turns = 0; turns < 20; turns += 1) await new Promise(setImmediate);
  assert.ok(!isConfirmed);
  wire.hold(a.kernel, b.kernel, false);
  await second;
  assert.equal(count(a, 'confirmed'), 2);
  assert.equal(a.metrics.histogram('pubsub.confirmation_latency').value().buckets.length > 0, true);
});

test('nobody waits for nodes that a publish does not concern', async (t) => {
  const { a } = await pair(t);
  assert.equal(a.pubsub.publishConfirmed(['staff'], 'private', event('1')), undefined);
});

test('acknowledgements of one turn are one message', async (t) => {
  const { wire, a, b, ben } = await pair(t);
  wire.hold(a.kernel, b.kernel);
  const before = wire.crossed.get('taken') ?? 0;
  for (let n = 0; n < 500; n += 1) a.pubsub.publish(['news'], 'public', event(`${n}`));
  wire.hold(a.kernel, b.kernel, false);
  await eventually(() => ben.received.length === 500 && count(a, 'unacknowledged') === 0, 'the acknowledgements');
  // The wire delivers at most three messages per turn.
  assert.ok(wire.crossed.get('taken')! - before < 350);
});

test('a node that hangs is named once after a second, and then not waited for until it has answered', async (t) => {
  const { wire, a, b, ben } = await pair(t);
  wire.hold(a.kernel, b.kernel);
  // Both wait for the node, and both are answered when the first has waited long enough.
  const [[first, waited], [second]] = await Promise.all([elapsed(confirmed(a, '1')), elapsed(confirmed(a, '2'))]);
  assert.deepEqual([first, second], [['b@127.0.0.1'], ['b@127.0.0.1']]);
  assert.ok(waited > 900, `${waited} ms`);
  const [third, hardly] = await elapsed(confirmed(a, '3'));
  assert.deepEqual(third, ['b@127.0.0.1']);
  assert.ok(hardly < 500, `${hardly} ms`);
  // A join does not wait for it either.
  const [, joining] = await elapsed(a.pubsub.join(await a.client(), ['news.late'], 'public'));
  assert.ok(joining < 1000, `${joining} ms`);
  assert.ok(peers(a)[0]!.behind);
  wire.hold(a.kernel, b.kernel, false);
  await eventually(() => !peers(a)[0]!.behind, 'its answer');
  assert.deepEqual(await confirmed(a, '4'), []);
  assert.deepEqual(ben.received, ['1', '2', '3', '4']);
  assert.deepEqual([count(a, 'unconfirmed'), count(a, 'confirmed')], [3, 1]);
});

test('a node that is lost gets everything when it is back, is waited for once, and named until then', async (t) => {
  const { wire, a, b, ben } = await pair(t);
  wire.disconnect(a.kernel, b.kernel);
  const [first, waited] = await elapsed(confirmed(a, '1'));
  assert.deepEqual(first, ['b@127.0.0.1']);
  assert.ok(waited > 900, `${waited} ms`);
  const [second, hardly] = await elapsed(confirmed(a, '2'));
  assert.deepEqual(second, ['b@127.0.0.1']);
  assert.ok(hardly < 500, `${hardly} ms`);
  assert.equal(count(a, 'unacknowledged'), 2);
  assert.ok(count(a, 'unacknowledged_bytes')! > 0);
  wire.connect(a.kernel, b.kernel);
  assert.deepEqual(await confirmed(a, '3'), []);
  assert.deepEqual([ben.received, ben.gaps], [['1', '2', '3'], []]);
  await eventually(() => count(a, 'unacknowledged') === 0, 'the acknowledgement');
});

test('a publish that a lost node takes within the second is confirmed', async (t) => {
  const { wire, a, b, ben } = await pair(t);
  wire.disconnect(a.kernel, b.kernel);
  const waiting = confirmed(a, '1');
  wire.connect(a.kernel, b.kernel);
  assert.deepEqual(await waiting, []);
  assert.deepEqual(ben.received, ['1']);
});

test('a node that comes back too late is told that its subscribers have missed something', async (t) => {
  const { wire, a, b, ben } = await pair(t, { resumeMs: 0 });
  const [ann, ida] = [await b.client(), await b.client()];
  await b.pubsub.join(ann, ['news.us', 'staff.x'], 'private');
  await b.pubsub.join(ida, ['staff.x'], 'private');
  wire.disconnect(a.kernel, b.kernel);
  // It is not waited for, and not named.
  assert.equal(confirmed(a, '1'), undefined);
  a.pubsub.publish(['news.us'], 'public', event('2'));
  assert.equal(count(a, 'unacknowledged'), 0);
  wire.connect(a.kernel, b.kernel);
  assert.deepEqual(await confirmed(a, '3'), []);
  assert.deepEqual([ben.gaps, ben.received], [['news.eu'], ['3']]);
  assert.deepEqual([ann.gaps, ida.gaps], [['news.us'], []]);
  assert.deepEqual([count(a, 'gaps'), count(a, 'dropped'), count(b, 'missed')], [1, 2, 2]);
});

test('what is kept for a node that does not come back is dropped after a time', async (t) => {
  const { wire, a, b, ben } = await pair(t, { resumeMs: 300 });
  wire.disconnect(a.kernel, b.kernel);
  a.pubsub.publish(['news.eu'], 'public', event('1'));
  assert.equal(count(a, 'unacknowledged'), 1);
  await eventually(() => count(a, 'unacknowledged') === 0, 'the end of the time');
  assert.equal(confirmed(a, '2'), undefined, 'it is not waited for any more');
  wire.connect(a.kernel, b.kernel);
  await eventually(() => ben.gaps.length === 1, 'the gap');
  assert.deepEqual([ben.received, count(a, 'dropped')], [[], 2]);
});

test('what is kept for a node is bounded, and what is beyond is told when it is back', async (t) => {
  const { wire, a, b, ben } = await pair(t, { maxBytes: 2000 });
  wire.disconnect(a.kernel, b.kernel);
  for (let n = 0; n < 100; n += 1) a.pubsub.publish(['news.eu'], 'public', event(`${n}`));
  const kept = count(a, 'unacknowledged')!;
  assert.ok(kept > 0 && kept < 12, `${kept} are kept`);
  assert.equal(count(a, 'dropped'), 100 - kept);
  wire.connect(a.kernel, b.kernel);
  await eventually(() => ben.gaps.length === 1, 'the gap');
  assert.deepEqual(await confirmed(a, 'again'), []);
  assert.deepEqual(ben.received, [...Array.from({ length: kept }, (_, n) => `${n}`), 'again']);
});

test('another boot gets nothing of what was kept for the one before it, and has missed nothing', async (t) => {
  const { a, wire, b, restart } = await pair(t);
  wire.disconnect(a.kernel, b.kernel);
  const waiting = confirmed(a, 'for the former');
  wire.connect(a.kernel, b.kernel);
  const next = await restart();
  assert.deepEqual(await waiting, ['b@127.0.0.1']);
  const eva = await next.client();
  await next.pubsub.join(eva, ['news.eu'], 'public');
  assert.deepEqual(await confirmed(a, 'for the next'), []);
  assert.deepEqual([eva.received, eva.gaps], [['for the next'], []]);
  assert.deepEqual([count(a, 'unacknowledged'), count(a, 'dropped')], [0, 0]);
});

test('nothing is kept for a node that has left', async (t) => {
  const { wire, a, b } = await pair(t);
  a.table.down(b.kernel.node, true);
  assert.equal(confirmed(a, '1'), undefined);
  assert.equal(count(a, 'unacknowledged'), 0);
  wire.disconnect(a.kernel, b.kernel);
});

/** The manager of a node takes nothing, as if its mailbox were full. */
function deafen({ manager }: PubSubNode): Disposable {
  const { actor } = manager() as unknown as Cell;
  Object.defineProperty(actor, 'mailboxLimit', { configurable: true, get: () => 0 });
  return { [Symbol.dispose]: () => Reflect.deleteProperty(actor, 'mailboxLimit') };
}

test('what a full mailbox of the other manager has refused is sent again when the next publish comes', async (t) => {
  const { wire, a, b, ben } = await pair(t);
  a.pubsub.publish(['news'], 'public', event('1'));
  await eventually(() => count(a, 'unacknowledged') === 0, 'the acknowledgement');
  const deaf = deafen(b);
  a.pubsub.publish(['news'], 'public', event('2'));
  a.pubsub.publish(['news'], 'public', event('3'));
  await eventually(() => wire.idle, 'the loss');
  deaf[Symbol.dispose]();
  assert.deepEqual(await confirmed(a, '4'), []);
  assert.deepEqual(ben.received, ['1', '2', '3', '4']);
});

test('the same when nothing more is published', async (t) => {
  const { wire, a, b, ben } = await pair(t);
  const deaf = deafen(b);
  a.pubsub.publish(['news'], 'public', event('1'));
  await eventually(() => wire.idle, 'the loss');
  deaf[Symbol.dispose]();
  await eventually(() => ben.received.length === 1, 'the publish');
});

test('what a killed manager took with it is sent again to the next', async (t) => {
  const { wire, a, b, ben } = await pair(t);
  wire.hold(a.kernel, b.kernel);
  for (let n = 0; n < 50; n += 1) a.pubsub.publish(['news'], 'public', event(`${n}`));
  wire.hold(a.kernel, b.kernel, false);
  const old = b.manager();
  await eventually(() => ben.received.length > 10, 'some of them');
  b.kernel.exit(old, old, 'kill');
  await eventually(() => ben.received.length === 50, 'all of them');
  assert.deepEqual(
    ben.received,
    Array.from({ length: 50 }, (_, n) => `${n}`),
  );
});

test('a node that is connected before its manager runs is not waited for', async (t) => {
  const { wire, a } = await pair(t);
  const kernel = new Kernel({ node: 'c@127.0.0.1', log: silent });
  t.after(() => kernel.halt());
  const c = await startPubSub(kernel);
  wire.attach(kernel, c.table);
  const starting = deafen(c);
  wire.connect(a.kernel, kernel);
  await eventually(() => a.pubsub.publishConfirmed(['staff'], 'private', event('1')) === undefined, 'it to be known');
  starting[Symbol.dispose]();
});

test('what many here subscribe to leaves for other nodes before it is delivered here', async (t) => {
  const { wire, a, ben } = await pair(t);
  const steps: string[] = [];
  wire.onFlush = (from) => from === a.kernel.node && steps.push('leaves');
  const publish = a.fanout.publish.bind(a.fanout);
  a.fanout.publish = (channel, packet) => {
    steps.push('is delivered');
    return publish(channel, packet);
  };
  const ann = await a.client();
  await a.pubsub.join(ann, ['news.eu'], 'public');
  a.pubsub.publish(['news'], 'public', event('for few'));
  await eventually(() => ben.received.length === 1 && ann.received.length === 1, 'the first event');
  assert.deepEqual(steps.splice(0), ['is delivered']);
  const others = await Promise.all(Array.from({ length: 100 }, () => a.client()));
  for (const other of others) await a.pubsub.join(other, ['news.eu'], 'public');
  for (const name of ['for many', 'in the same turn']) a.pubsub.publish(['news'], 'public', event(name));
  await eventually(() => ben.received.length === 3 && ann.received.length === 3, 'both events');
  assert.deepEqual(steps, ['leaves', 'is delivered', 'is delivered']);
});

test('who waits for each confirmation may publish through any node', async (t) => {
  const { wire, a, b, ben } = await pair(t);
  const kernel = new Kernel({ node: 'c@127.0.0.1', log: silent });
  t.after(() => kernel.halt());
  const c = await startPubSub(kernel);
  wire.attach(kernel, c.table);
  wire.connect(a.kernel, kernel);
  wire.connect(b.kernel, kernel);
  await told(a, b, c);
  const cid = await c.client();
  await c.pubsub.join(cid, ['news.us'], 'public');
  const names = Array.from({ length: 90 }, (_, n) => `${n}`);
  for (const [n, name] of names.entries()) assert.deepEqual(await confirmed([a, b, c][n % 3]!, name), []);
  assert.deepEqual([ben.received, cid.received], [names, names]);
});
