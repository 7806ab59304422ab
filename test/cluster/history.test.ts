/** Channels with a history over several nodes: numbering, order, repair, moves of homes, replay. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { LinkSettings } from '../../src/actors/pubsub/link-settings.ts';
import { Kernel } from '../../src/kernel/kernel.ts';
import { silent } from '../../src/observe/logger.ts';
import type { HistoryPage } from '../../src/plugins/types.ts';
import { eventually } from '../support/eventually.ts';
import { event, known, orders, type PubSubNode, startPubSub } from '../support/pubsub.ts';
import { Wire } from '../support/wire.ts';

const history = { size: 100, ttl: 3_600_000, store: 'memory' };
const limits = {
  channels: {
    told: { privilege: 'public', timeout: 0, history },
    news: { privilege: 'public', timeout: 0 },
  },
} as const;

class Mesh {
  readonly wire = new Wire();
  readonly nodes: PubSubNode[] = [];
  readonly #t: TestContext;
  readonly #links: Partial<LinkSettings>;

  constructor(t: TestContext, links: Partial<LinkSettings> = {}) {
    this.#t = t;
    this.#links = links;
  }

  static async of(t: TestContext, count: number, links?: Partial<LinkSettings>): Promise<Mesh> {
    const mesh = new Mesh(t, links);
    for (let at = 0; at < count; at += 1) await mesh.join(`n${at}@127.0.0.1`);
    return mesh;
  }

  async join(name: string): Promise<PubSubNode> {
    const kernel = new Kernel({ node: name, log: silent });
    this.#t.after(() => kernel.halt());
    const node = await startPubSub(kernel, undefined, silent, limits, this.#links);
    this.wire.attach(kernel, node.table);
    for (const other of this.nodes) this.wire.connect(other.kernel, kernel);
    this.nodes.push(node);
    return node;
  }

  /** It is lost for all others. */
  lose(node: PubSubNode): void {
    this.nodes.splice(this.nodes.indexOf(node), 1);
    for (const other of this.nodes) this.wire.disconnect(other.kernel, node.kernel);
    node.kernel.halt();
  }

  /** A channel whose history is at that node, once something was published to it. */
  async homedAt(node: PubSubNode): Promise<string> {
    for (let at = 0; ; at += 1) {
      const channel = `told.${at}`;
      const before = node.metrics.number('pubsub.history.channels')!;
      await node.pubsub.history(channel, 'public', { limit: 0 });
      if (node.metrics.number('pubsub.history.channels') === before + 1) return channel;
    }
  }
}

const names = ({ entries }: HistoryPage) => entries.map(({ name }) => name);
const offsets = ({ entries }: HistoryPage) => entries.map(({ offset }) => offset);
const all = { limit: 1000 };

const publish = (node: PubSubNode, channel: string, name: string) =>
  known(node.pubsub.publishConfirmed([channel], 'public', event(name)));

test('what is published is kept and numbered, and read from any node', async (t) => {
  const { nodes } = await Mesh.of(t, 3);
  for (const [at, node] of nodes.entries()) await publish(node, 'told.a', `${at}`);
  await eventually(() => nodes.some(({ metrics }) => metrics.number('pubsub.history.entries') === 3), 'the entries');
  for (const node of nodes) {
    const part = await node.pubsub.history('told.a', 'public', all);
    assert.deepEqual(names(part), ['0', '1', '2']);
    assert.deepEqual(offsets(part), [1, 2, 3]);
    assert.deepEqual([part.offset, part.complete], [3, true]);
  }
  const part = await nodes[0]!.pubsub.history('told.a', 'public', { since: 1, limit: 1 });
  assert.deepEqual(names(part), ['1']);
});

test('subscribers on all nodes receive the publishes of all nodes in one order', async (t) => {
  const { nodes } = await Mesh.of(t, 3);
  const clients = await Promise.all(nodes.map((node) => node.client()));
  await Promise.all(nodes.map((node, at) => node.pubsub.join(clients[at]!, ['told.a'], 'public')));
  for (let n = 0; n < 50; n += 1) {
    for (const [at, node] of nodes.entries()) node.pubsub.publish(['told.a'], 'public', event(`${at}.${n}`));
    if (n % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await eventually(() => clients.every(({ received }) => received.length === 150), 'all of it');
  const [first, ...others] = clients.map(({ received }) => received);
  for (const other of others) assert.deepEqual(other, first);
  const part = await nodes[1]!.pubsub.history('told.a', 'public', all);
  assert.deepEqual(names(part), first!.slice(50));
  assert.deepEqual([part.offset, part.complete], [150, false]);
  for (let at = 0; at < 3; at += 1) {
    const own = first!.filter((name) => name.startsWith(`${at}.`));
    assert.deepEqual(
      own,
      own.map((_, n) => `${at}.${n}`),
    );
  }
});

test('a replay brings the last entries and then what comes, once each, in order', async (t) => {
  const { nodes } = await Mesh.of(t, 2);
  const [a, b] = nodes as [PubSubNode, PubSubNode];
  for (let n = 0; n < 10; n += 1) await publish(a, 'told.a', `${n}`);
  const [ann, ben] = [await a.client(), await b.client()];
  const joins = [a.pubsub.join(ann, ['told.a'], 'public', 3), b.pubsub.join(ben, ['told.a'], 'public', 100)];
  a.pubsub.publish(['told.a'], 'public', event('10'));
  await Promise.all(joins);
  b.pubsub.publish(['told.a'], 'public', orders(['say', '11']));
  a.pubsub.publish(['told.a'], 'public', event('12'));
  await eventually(() => ann.received.includes('12') && ben.received.includes('12'), 'the last one');
  const whole = Array.from({ length: 13 }, (_, n) => `${n}`);
  for (const { received } of [ann, ben]) assert.deepEqual([...received].sort(byNumber), received);
  assert.deepEqual(
    ben.received.filter((name) => Number(name) > 10),
    ['11', '12'].slice(0, 2),
  );
  assert.deepEqual(new Set(ben.received), new Set(whole));
  assert.equal(new Set(ann.received).size, ann.received.length);
  assert.ok(ann.received.length >= 5);
  await eventually(() => ann.isOn('told.a') && ben.isOn('told.a'), 'the fan-out');
});

const byNumber = (a: string, b: string) => Number(a) - Number(b);

test('a node that joins is sent the histories whose home it is, and nobody misses anything', async (t) => {
  const mesh = await Mesh.of(t, 2);
  const [a, b] = mesh.nodes as [PubSubNode, PubSubNode];
  const channels = Array.from({ length: 30 }, (_, n) => `told.${n}`);
  const client = await a.client();
  await a.pubsub.join(client, channels, 'public');
  const published: string[] = [];
  const publishAll = () => {
    for (const channel of channels) {
      for (const node of [a, b]) {
        const name = `${channel}/${published.length}`;
        published.push(name);
        node.pubsub.publish([channel], 'public', event(name));
      }
    }
  };
  publishAll();
  const epochs = await Promise.all(channels.map(async (id) => (await a.pubsub.history(id, 'public', all)).epoch));
  const joining = mesh.join('n2@127.0.0.1');
  publishAll();
  const c = await joining;
  publishAll();
  await eventually(() => client.received.length === published.length, 'all of it');
  await eventually(() => c.metrics.number('pubsub.history.channels')! > 0, 'what it is the home of');
  assert.ok(a.metrics.number('pubsub.history.moved')! + b.metrics.number('pubsub.history.moved')! > 0);
  for (const [at, channel] of channels.entries()) {
    const part = await c.pubsub.history(channel, 'public', all);
    assert.equal(part.epoch, epochs[at]);
    assert.deepEqual(
      names(part),
      client.received.filter((name) => name.startsWith(`${channel}/`)),
    );
    assert.equal(part.offset, 6);
  }
  assert.deepEqual(client.gaps, []);
});

test('a node that stops hands its histories over', async (t) => {
  const mesh = await Mesh.of(t, 3);
  const [a, b, c] = mesh.nodes as [PubSubNode, PubSubNode, PubSubNode];
  const channel = await mesh.homedAt(c);
  const client = await a.client();
  await a.pubsub.join(client, [channel], 'public');
  for (let n = 0; n < 5; n += 1) await publish(b, channel, `${n}`);
  const { epoch } = await a.pubsub.history(channel, 'public', all);
  const leaving = c.pubsub.leaveHistories();
  for (let n = 5; n < 10; n += 1) {
    b.pubsub.publish([channel], 'public', event(`${n}`));
    c.pubsub.publish([channel], 'public', event(`c${n}`));
  }
  await leaving;
  assert.equal(c.metrics.number('pubsub.history.channels'), 0);
  await eventually(() => client.received.length === 15, 'all of it');
  mesh.lose(c);
  await publish(b, channel, 'last');
  const part = await b.pubsub.history(channel, 'public', all);
  assert.deepEqual([part.epoch, part.offset], [epoch, 16]);
  assert.deepEqual(names(part), client.received);
  assert.deepEqual(client.gaps, []);
});

test('a home that is lost takes its histories with it: a later epoch begins, of which subscribers are told', async (t) => {
  const mesh = await Mesh.of(t, 3);
  const [a, b, c] = mesh.nodes as [PubSubNode, PubSubNode, PubSubNode];
  const channel = await mesh.homedAt(c);
  const [ann, ben] = [await a.client(), await b.client()];
  await Promise.all([a.pubsub.join(ann, [channel], 'public'), b.pubsub.join(ben, [channel], 'public')]);
  await publish(a, channel, '1');
  const before = await a.pubsub.history(channel, 'public', all);
  // It hangs, and takes nothing any more.
  mesh.wire.hold(a.kernel, c.kernel);
  mesh.wire.hold(b.kernel, c.kernel);
  const waiting = publish(b, channel, '2');
  b.pubsub.publish([channel], 'public', event('3'));
  mesh.lose(c);
  // What is published is kept for it, as it might come back.
  assert.deepEqual(await waiting, [c.kernel.node]);
  await publish(b, channel, '4');
  await eventually(() => ann.received.length === 4 && ben.received.length === 4, 'all of it');
  for (const client of [ann, ben]) {
    assert.deepEqual(client.received, ['1', '2', '3', '4']);
    assert.deepEqual(client.gaps, [channel]);
  }
  const part = await a.pubsub.history(channel, 'public', { epoch: before.epoch, since: 1, limit: 100 });
  assert.ok(part.epoch > before.epoch);
  assert.deepEqual([names(part), part.complete], [['2', '3', '4'], false]);
});

test('what a node could not be sent is read from the history', async (t) => {
  const mesh = await Mesh.of(t, 2, { maxBytes: 2000 });
  const [a, b] = mesh.nodes as [PubSubNode, PubSubNode];
  const channel = await mesh.homedAt(a);
  const client = await b.client();
  await b.pubsub.join(client, [channel], 'public');
  await publish(a, channel, '0');
  mesh.wire.disconnect(a.kernel, b.kernel);
  for (let n = 1; n < 50; n += 1) a.pubsub.publish([channel], 'public', event(`${n}`));
  assert.ok(a.metrics.number('pubsub.dropped')! > 30);
  mesh.wire.connect(a.kernel, b.kernel);
  await eventually(() => client.received.length === 50, 'all of it');
  assert.deepEqual(
    client.received,
    Array.from({ length: 50 }, (_, n) => `${n}`),
  );
  assert.deepEqual(client.gaps, []);
  assert.ok(b.metrics.number('pubsub.history.repaired')! > 30);
});

test('a history that is parted goes on in both parts, and with the later epoch when they meet', async (t) => {
  const mesh = await Mesh.of(t, 2);
  const [a, b] = mesh.nodes as [PubSubNode, PubSubNode];
  const channel = await mesh.homedAt(a);
  const [ann, ben] = [await a.client(), await b.client()];
  await Promise.all([a.pubsub.join(ann, [channel], 'public'), b.pubsub.join(ben, [channel], 'public')]);
  await publish(a, channel, '1');
  mesh.wire.disconnect(a.kernel, b.kernel);
  a.pubsub.publish([channel], 'public', event('a'));
  b.pubsub.publish([channel], 'public', event('b'));
  await eventually(() => ben.received.includes('b'), 'the other part');
  mesh.wire.connect(a.kernel, b.kernel);
  await eventually(() => ann.received.includes('b'), 'the later epoch');
  await publish(a, channel, '2');
  await publish(b, channel, '3');
  await eventually(() => ann.received.includes('3') && ben.received.includes('3'), 'what comes then');
  assert.deepEqual(ann.received, ['1', 'a', 'b', '2', '3']);
  assert.deepEqual(ben.received, ['1', 'b', '2', '3']);
  assert.deepEqual([ann.gaps.length > 0, ben.gaps.length > 0], [true, true]);
  for (const node of [a, b])
    assert.deepEqual(names(await node.pubsub.history(channel, 'public', all)), ['b', '2', '3']);
});

test('what is published to a prefix is kept by each channel below it that is known', async (t) => {
  const { nodes } = await Mesh.of(t, 2);
  const [a, b] = nodes as [PubSubNode, PubSubNode];
  const [ann, ben] = [await a.client(), await b.client()];
  await a.pubsub.join(ann, ['told.x'], 'public');
  await b.pubsub.join(ben, ['told', 'told.y.z', 'news'], 'public');
  assert.deepEqual(await known(a.pubsub.publishConfirmed(['told', 'news'], 'public', event('1'))), []);
  await eventually(() => ann.received.length === 1 && ben.received.length === 3, 'all of it');
  assert.deepEqual(ann.through, ['told.x']);
  assert.deepEqual(ben.through.toSorted(), ['news', 'told', 'told.y.z']);
  for (const channel of ['told', 'told.x', 'told.y.z']) {
    assert.deepEqual(names(await a.pubsub.history(channel, 'public', all)), ['1']);
  }
  await assert.rejects(a.pubsub.history('news', 'public', all), { code: 'bad_channel_id' });
});

test('parts of a history: the last ones, those behind an offset, the newest first', async (t) => {
  const { nodes } = await Mesh.of(t, 2);
  const [a, b] = nodes as [PubSubNode, PubSubNode];
  for (let n = 1; n <= 5; n += 1) await publish(a, 'told.a', `${n}`);
  const { epoch } = await b.pubsub.history('told.a', 'public', all);
  const read = async (query: object) => {
    const part = await b.pubsub.history('told.a', 'public', { limit: 2, ...query });
    return [offsets(part).join(), part.complete];
  };
  assert.deepEqual(await read({}), ['4,5', true]);
  assert.deepEqual(await read({ reverse: true }), ['5,4', true]);
  assert.deepEqual(await read({ since: 1, epoch }), ['2,3', true]);
  assert.deepEqual(await read({ since: 4, epoch, reverse: true }), ['5', true]);
  assert.deepEqual(await read({ since: 1, reverse: true }), ['5,4', true]);
  assert.deepEqual(await read({ since: 1, epoch: 'another', reverse: true }), ['5,4', false]);
  await b.pubsub.clearHistory('told.a', 'public');
  assert.deepEqual(await read({ since: 1 }), ['', false]);
  assert.deepEqual(await read({ since: 5 }), ['', true]);
});
