/**
 * Pub-sub between nodes under random orders of events, checked against a model. A subscription that was complete when
 * something was published, and has not been ended since, gets it once; one that nobody wanted gets nothing; the order of one
 * publisher in one channel holds; also while connections are lost and made again and managers are killed. What a killed channel takes
 * with it, its subscribers are told of.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Kernel } from '../../src/kernel/kernel.ts';
import { isGone } from '../../src/kernel/types.ts';
import { silent } from '../../src/observe/logger.ts';
import { eventually } from '../support/eventually.ts';
import { fc } from '../support/properties.ts';
import { event, orders, type PubSubNode, startPubSub, type TestClient } from '../support/pubsub.ts';
import { seeded, Wire } from '../support/wire.ts';

const ids = ['news', 'news.eu', 'news.eu.1', 'news.us', 'brief.a', 'brief.a.b'];
const prefixes = [...ids, 'brief'];
const nodes = 3;
const clients = 4;

/** `told`: it must get it, or get to know that it has missed something. */
type Expectation = 'must' | 'told' | 'may' | 'not';

interface Published {
  readonly number: number;
  readonly node: number;
  readonly expected: Map<Subscription, Expectation>;
}

/** What is known of one client and one channel: `unsure` while a join or leave is under way, or when it has failed. */
class Subscription {
  readonly client: number;
  readonly id: string;
  state: 'in' | 'out' | 'unsure' = 'out';
  constructor(client: number, id: string) {
    this.client = client;
    this.id = id;
  }
}

class World {
  readonly wire: Wire;
  readonly nodes: PubSubNode[] = [];
  readonly clients: TestClient[] = [];
  readonly subscriptions: Subscription[] = [];
  readonly published: Published[] = [];
  /** The operations of a client follow one another. */
  readonly busy: Promise<void>[] = [];
  #settled = 0;
  readonly #parted = new Map<string, readonly [number, number]>();

  constructor(seed: number) {
    this.wire = new Wire(seeded(seed));
  }

  async start(): Promise<void> {
    for (let i = 0; i < nodes; i += 1) {
      const node = await startPubSub(new Kernel({ node: `n${i}@127.0.0.1`, log: silent }));
      this.wire.attach(node.kernel, node.table);
      for (const other of this.nodes) this.wire.connect(other.kernel, node.kernel);
      this.nodes.push(node);
    }
    for (let i = 0; i < clients; i += 1) {
      this.clients.push(await this.nodes[i % nodes]!.client());
      this.busy.push(Promise.resolve());
      for (const id of ids) this.subscriptions.push(new Subscription(i, id));
    }
  }

  halt(): void {
    for (const { kernel } of this.nodes) kernel.halt();
  }

  /** From now on both receiving and missing what is still under way is right for these. */
  #excuse(which: (subscription: Subscription, published: Published) => boolean, as: 'may' | 'told' = 'may'): void {
    for (const published of this.published.slice(this.#settled)) {
      for (const [subscription, expectation] of published.expected) {
        if (!which(subscription, published)) continue;
        if (as === 'may' || expectation === 'must') published.expected.set(subscription, as);
      }
    }
  }

  join(client: number, wanted: readonly string[]): void {
    this.#change(
      client,
      (id) => wanted.includes(id),
      'in',
      (node) => node.pubsub.join(this.clients[client]!, wanted, 'public'),
    );
  }

  leave(client: number, prefix: string): void {
    this.#change(
      client,
      (id) => isUnder(id, prefix),
      'out',
      (node) => node.pubsub.leave(this.clients[client]!, [prefix], 'public'),
    );
  }

  #change(
    client: number,
    concerns: (id: string) => boolean,
    state: 'in' | 'out',
    act: (node: PubSubNode) => Promise<void>,
  ): void {
    this.busy[client] = this.busy[client]!.then(async () => {
      const concerned = this.subscriptions.filter((one) => one.client === client && concerns(one.id));
      const changing = concerned.filter((one) => one.state !== state);
      for (const one of changing) one.state = 'unsure';
      this.#excuse((one) => changing.includes(one));
      try {
        await act(this.nodes[client % nodes]!);
        for (const one of concerned) one.state = state;
      } catch (error) {
        assert.ok(isGone(error), `it failed with ${error}`);
        for (const one of concerned) one.state = 'unsure';
      }
    });
  }

  publish(node: number, prefix: string, action: string): void {
    const number = this.published.length;
    const expected = new Map<Subscription, Expectation>();
    for (const one of this.subscriptions) {
      const wanted = one.state === 'in' ? 'must' : 'may';
      expected.set(one, one.state === 'out' || !isUnder(one.id, prefix) ? 'not' : wanted);
    }
    this.published.push({ number, node, expected });
    const publication = action === 'event' ? event(`${number}`) : orders([action, `${number}`]);
    this.nodes[node]!.pubsub.publish([prefix], 'public', publication);
  }

  /** The connection of two nodes is lost and made again. */
  reconnect(a: number, b: number): void {
    if (a === b) return;
    const [first, second] = [this.nodes[a]!.kernel, this.nodes[b]!.kernel];
    this.wire.disconnect(first, second);
    this.wire.connect(first, second);
  }

  /** Two nodes lose each other, or find each other again. */
  part(a: number, b: number): void {
    if (a === b) return;
    const pair = [Math.min(a, b), Math.max(a, b)].join();
    const [first, second] = [this.nodes[a]!.kernel, this.nodes[b]!.kernel];
    if (this.#parted.delete(pair)) return this.wire.connect(first, second);
    this.#parted.set(pair, [a, b]);
    this.wire.disconnect(first, second);
  }

  async killManager(node: number): Promise<void> {
    const { kernel, manager } = this.nodes[node]!;
    const old = manager();
    kernel.exit(old, old, 'kill');
    await eventually(
      () => manager() && manager() !== old && kernel.inspect(manager())?.status === 'running',
      'manager',
    );
  }

  async killChannel(node: number, id: string): Promise<void> {
    const { kernel, serving } = this.nodes[node]!;
    const channel = serving(id);
    if (!channel) return;
    kernel.exit(channel, channel, 'kill');
    this.#excuse((one) => one.client % nodes === node && one.id === id, 'told');
    await eventually(() => {
      const now = serving(id);
      return now === undefined || kernel.inspect(now)?.status === 'running';
    }, 'the channel');
  }

  async settle(): Promise<void> {
    await Promise.all(this.busy);
    for (const pair of [...this.#parted.values()]) this.part(...pair);
    for (let quiet = 0; quiet < 20; quiet += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      if (!this.wire.idle) quiet = 0;
    }
    // What a manager took with it at the end of a stream is missed when the sender asks.
    await eventually(
      () => this.nodes.every(({ metrics }) => metrics.number('pubsub.unacknowledged') === 0),
      'all of it',
    );
    for (const { number, expected } of this.published.slice(this.#settled)) {
      for (const [one, expectation] of expected) {
        const times = this.#times(one, number);
        const what = `${expectation} get ${number} through ${one.id} at client ${one.client}, got it ${times} times`;
        assert.ok(
          times <= 1 && (expectation !== 'must' || times === 1) && (expectation !== 'not' || times === 0),
          what,
        );
        const isTold = this.clients[one.client]!.gaps.includes(one.id);
        assert.ok(expectation !== 'told' || times === 1 || isTold, what);
      }
    }
    this.#settled = this.published.length;
    for (const client of this.clients) this.#checkOrder(client);
  }

  #times({ client, id }: Subscription, number: number): number {
    const { received, through } = this.clients[client]!;
    return received.filter((text, i) => text === `${number}` && through[i] === id).length;
  }

  #checkOrder({ received, through }: TestClient): void {
    const last = new Map<string, number>();
    for (const [i, text] of received.entries()) {
      const from = `${through[i]} ${this.published[Number(text)]!.node}`;
      assert.ok((last.get(from) ?? -1) < Number(text), `order in ${received}`);
      last.set(from, Number(text));
    }
  }
}

function isUnder(id: string, prefix: string): boolean {
  return id === prefix || id.startsWith(`${prefix}.`);
}

type Step = (world: World) => void | Promise<void>;

const client = fc.nat({ max: clients - 1 });
const node = fc.nat({ max: nodes - 1 });
const turn: Step = () => new Promise((resolve) => setImmediate(resolve));
const calm = [
  {
    weight: 4,
    arbitrary: fc.tuple(client, fc.uniqueArray(fc.constantFrom(...ids), { minLength: 1, maxLength: 3 })).map(
      ([who, wanted]): Step =>
        (world) =>
          world.join(who, wanted),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(client, fc.constantFrom(...prefixes)).map(
      ([who, prefix]): Step =>
        (world) =>
          world.leave(who, prefix),
    ),
  },
  {
    weight: 8,
    arbitrary: fc
      .tuple(node, fc.constantFrom(...prefixes), fc.constantFrom('event', 'event', 'send', 'say', 'pause'))
      .map(
        ([where, prefix, action]): Step =>
          (world) =>
            world.publish(where, prefix, action),
      ),
  },
  { weight: 6, arbitrary: fc.constant(turn) },
  { weight: 1, arbitrary: fc.constant<Step>((world) => world.settle()) },
];
const rough = [
  {
    weight: 1,
    arbitrary: fc.tuple(node, node).map(
      ([a, b]): Step =>
        (world) =>
          world.reconnect(a, b),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(node, node).map(
      ([a, b]): Step =>
        (world) =>
          world.part(a, b),
    ),
  },
  {
    weight: 1,
    arbitrary: node.map(
      (where): Step =>
        (world) =>
          world.killManager(where),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(node, fc.constantFrom(...ids)).map(
      ([where, id]): Step =>
        (world) =>
          world.killChannel(where, id),
    ),
  },
];

async function run(seed: number, steps: readonly Step[]): Promise<void> {
  const world = new World(seed);
  try {
    await world.start();
    for (const step of steps) await step(world);
    await world.settle();
  } finally {
    world.halt();
  }
}

test('each publish reaches exactly those who are subscribed, in order', async () => {
  const steps = fc.array(fc.oneof(...calm), { minLength: 20, maxLength: 80 });
  await fc.assert(fc.asyncProperty(fc.nat(), steps, run), { numRuns: 40 });
});

test('the same while connections are lost, and actors are killed', async () => {
  const steps = fc.array(fc.oneof(...calm, ...rough), { minLength: 20, maxLength: 80 });
  await fc.assert(fc.asyncProperty(fc.nat(), steps, run), { numRuns: 40 });
});
