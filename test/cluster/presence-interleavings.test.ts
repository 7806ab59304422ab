/**
 * Who is in a channel, under random orders of events, checked against a model: when all is quiet, each node lists who is there, and whoever
 * has read the list once and then heard the events knows the same. Links are lost and made again, actors are killed, nodes die and come
 * back as another boot.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PresenceSource, Present } from '../../src/actors/contracts.ts';
import { presenceName } from '../../src/actors/pubsub/presence/presence.ts';
import { Kernel } from '../../src/kernel/kernel.ts';
import { silent } from '../../src/observe/logger.ts';
import { Metrics } from '../../src/observe/metrics.ts';
import type { PresenceList, PresenceRow } from '../../src/plugins/types.ts';
import { EventPacket } from '../../src/protocol/packet.ts';
import { eventually } from '../support/eventually.ts';
import { fc } from '../support/properties.ts';
import { channels, type PubSubNode, startPubSub, type TestClient } from '../support/pubsub.ts';
import { seeded, Wire } from '../support/wire.ts';

const nodes = 3;
const perNode = 3;
const ids = ['room.a', 'room.b'];
const config = {
  channels: { ...channels, room: { privilege: 'public', timeout: 0, presence: { info: ['nick'], events: true } } },
} as const;

class Who implements PresenceSource {
  readonly sid: string;
  present: Present;
  isElsewhere = false;

  constructor(sid: string) {
    this.sid = sid;
    this.present = { user: `u${sid.at(-1)}`, info: { nick: 'first' } };
  }

  show(): Present {
    return this.present;
  }
}

interface Person {
  readonly node: number;
  readonly client: TestClient;
  readonly who: Who;
  readonly in: Set<string>;
  isGone: boolean;
}

/** What somebody knows who has read the list once and hears the events. */
class Reader {
  readonly known = new Map<string, PresenceRow>();
  version = '';
  /** He must read the list again: an event said only how many there are. */
  isLost = false;
  readonly #client: TestClient;

  constructor(client: TestClient) {
    this.#client = client;
  }

  /** A crash has taken an event, and he was told so. */
  get hasGap(): boolean {
    return this.#client.gaps.length > 0;
  }

  read({ members, version }: PresenceList): void {
    this.known.clear();
    for (const row of members) this.known.set(row.sid, row);
    this.version = version;
    this.isLost = false;
    this.#client.gaps.length = 0;
  }

  hear(event: { version: string; joined?: PresenceRow[]; left?: PresenceRow[]; changed?: PresenceRow[] }): void {
    const { joined = [], left = [], changed = [] } = event;
    if (!event.joined) this.isLost = true;
    for (const row of [...joined, ...changed]) this.known.set(row.sid, row);
    for (const { sid } of left) this.known.delete(sid);
    this.version = event.version;
  }
}

const all = { after: '', limit: 1000 };
const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

class World {
  readonly wire: Wire;
  readonly nodes: PubSubNode[] = [];
  readonly people: Person[] = [];
  readonly readers = new Map<string, Reader>();
  #count = 0;
  readonly #parted = new Map<string, readonly [number, number]>();

  constructor(seed: number) {
    this.wire = new Wire(seeded(seed));
  }

  async start(): Promise<void> {
    for (let at = 0; at < nodes; at += 1) await this.#boot(at);
  }

  async #boot(at: number): Promise<void> {
    const kernel = new Kernel({ node: `n${at}@127.0.0.1`, log: silent, metrics: new Metrics() });
    const node = await startPubSub(kernel, new Metrics(), silent, config, {}, { graceMs: 300, isDurable: false });
    this.wire.attach(kernel, node.table);
    for (const [other, { kernel: others }] of this.nodes.entries()) if (other !== at) this.wire.connect(others, kernel);
    this.nodes[at] = node;
    for (let n = 0; n < perNode; n += 1) await this.#enter(at);
    for (const id of ids) await this.#watch(at, id);
  }

  async #enter(node: number): Promise<void> {
    this.#count += 1;
    const who = new Who(`s${this.#count}`);
    const client = await this.nodes[node]!.client();
    client.presence = who;
    this.people.push({ node, client, who, in: new Set(), isGone: false });
  }

  /** Somebody who is in the channel, but not shown, hears the events and has read the list once. */
  async #watch(at: number, id: string): Promise<void> {
    const node = this.nodes[at]!;
    const listener = await node.client();
    const reader = new Reader(listener);
    this.readers.set(`${at} ${id}`, reader);
    await node.pubsub.join(listener, [id], 'public');
    listener.onPacket = (packet) => {
      if (packet instanceof EventPacket && packet.name === 'presence') reader.hear(JSON.parse(packet.argsJson)[0]);
    };
    reader.read(node.pubsub.presence(id, 'public', all));
  }

  async join(person: Person, id: string): Promise<void> {
    if (person.isGone) return;
    await this.nodes[person.node]!.pubsub.join(person.client, [id], 'public');
    person.in.add(id);
  }

  async leave(person: Person, id: string): Promise<void> {
    if (person.isGone) return;
    await this.nodes[person.node]!.pubsub.leave(person.client, [id], 'public');
    person.in.delete(id);
  }

  rename(person: Person, nick: string): void {
    if (person.isGone) return;
    person.who.present = { ...person.who.present, info: { nick } };
    this.nodes[person.node]!.pubsub.shown(person.client);
  }

  async end(person: Person): Promise<void> {
    if (person.isGone) return;
    person.isGone = true;
    await this.nodes[person.node]!.kernel.stop(person.client.self);
    await this.#enter(person.node);
  }

  /** A list is read in the midst of changes: what is heard then begins there. */
  reread(at: number, id: string): void {
    this.readers.get(`${at} ${id}`)!.read(this.nodes[at]!.pubsub.presence(id, 'public', all));
  }

  part(a: number, b: number): void {
    if (a === b) return;
    const pair = [Math.min(a, b), Math.max(a, b)].join();
    const [first, second] = [this.nodes[a]!.kernel, this.nodes[b]!.kernel];
    if (this.#parted.delete(pair)) return this.wire.connect(first, second);
    this.#parted.set(pair, [a, b]);
    this.wire.disconnect(first, second);
  }

  async killActor(at: number): Promise<void> {
    const { kernel } = this.nodes[at]!;
    const old = kernel.whereis(presenceName)!;
    kernel.exit(old, old, 'kill');
    await eventually(() => kernel.whereis(presenceName) && kernel.whereis(presenceName) !== old, 'the next actor');
  }

  async killChannel(at: number, id: string): Promise<void> {
    const { kernel, serving } = this.nodes[at]!;
    const channel = serving(id);
    if (!channel) return;
    kernel.exit(channel, channel, 'kill');
    await eventually(() => {
      const now = serving(id);
      return now === undefined || kernel.inspect(now)?.status === 'running';
    }, 'the channel');
  }

  /** The node dies, and comes back as another boot, with other people. */
  async crash(at: number): Promise<void> {
    for (const [pair, [a, b]] of this.#parted) if (a === at || b === at) this.#parted.delete(pair);
    for (const [other, { kernel }] of this.nodes.entries()) {
      if (other !== at) this.wire.disconnect(this.nodes[at]!.kernel, kernel);
    }
    this.nodes[at]!.kernel.halt();
    for (const person of this.people) if (person.node === at) person.isGone = true;
    await this.#boot(at);
  }

  halt(): void {
    for (const { kernel } of this.nodes) kernel.halt();
  }

  async settle(): Promise<void> {
    for (const pair of [...this.#parted.values()]) this.part(...pair);
    for (const id of ids) {
      const there = this.people.filter((person) => !person.isGone && person.in.has(id));
      const expected = there
        .map(({ who }) => ({ sid: who.sid, ...who.present }))
        .sort((a, b) => (a.sid < b.sid ? -1 : 1));
      for (const [at, node] of this.nodes.entries()) {
        const shown = () => node.pubsub.presence(id, 'public', all);
        await eventually(() => isSame(shown().members, expected), 'the list').catch((error: Error) => {
          throw new Error(
            `${error.message}: ${`${id} at n${at}: ${JSON.stringify(shown().members)} and not ${JSON.stringify(expected)}`}`,
          );
        });
        const list = shown();
        assert.equal(list.sessions, expected.length);
        assert.equal(list.users, new Set(expected.map(({ user }) => user)).size);
        const reader = this.readers.get(`${at} ${id}`)!;
        const heard = () => [...reader.known.values()].sort((a, b) => (a.sid < b.sid ? -1 : 1));
        const isRight = () => reader.isLost || reader.hasGap || isSame(heard(), expected);
        await eventually(isRight, 'the events').catch((error: Error) => {
          throw new Error(`${error.message} of ${id} at n${at}: ${JSON.stringify([heard(), expected])}`);
        });
      }
    }
  }
}

type Step = (world: World) => void | Promise<void>;

const person = fc.nat(30);
const id = fc.constantFrom(...ids);
const at = fc.nat(nodes - 1);
const of = (world: World, number: number): Person => world.people[number % world.people.length]!;
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(person, id).map(
      ([one, room]): Step =>
        (world) =>
          world.join(of(world, one), room),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(person, id).map(
      ([one, room]): Step =>
        (world) =>
          world.leave(of(world, one), room),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(person, fc.constantFrom('x', 'y')).map(
      ([one, nick]): Step =>
        (world) =>
          world.rename(of(world, one), nick),
    ),
  },
  {
    weight: 2,
    arbitrary: person.map(
      (one): Step =>
        (world) =>
          world.end(of(world, one)),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(at, id).map(
      ([node, room]): Step =>
        (world) =>
          world.reread(node, room),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(at, at).map(
      ([a, b]): Step =>
        (world) =>
          world.part(a, b),
    ),
  },
  {
    weight: 1,
    arbitrary: at.map(
      (node): Step =>
        (world) =>
          world.killActor(node),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(at, id).map(
      ([node, room]): Step =>
        (world) =>
          world.killChannel(node, room),
    ),
  },
  {
    weight: 1,
    arbitrary: at.map(
      (node): Step =>
        (world) =>
          world.crash(node),
    ),
  },
  { weight: 3, arbitrary: fc.constant<Step>(() => new Promise((resolve) => setImmediate(resolve))) },
);

test('all nodes list the same people, and events tell what lists do', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.array(steps, { minLength: 10, maxLength: 40 }), async (seed, run) => {
      const world = new World(seed);
      await world.start();
      try {
        for (const step of run) await step(world);
        await world.settle();
      } finally {
        world.halt();
      }
    }),
    { numRuns: Number(process.env.PRESENCE_RUNS ?? 12), endOnFailure: true },
  );
});
