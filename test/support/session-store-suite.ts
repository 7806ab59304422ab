/**
 * What every `SessionStore` must pass. A store may answer at once or later: everything is awaited.
 *
 *   sessionStoreSuite('memory', (bounds) => …);
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventPacket } from '../../src/protocol/packet.ts';
import { noPosition } from '../../src/protocol/recovery.ts';
import type { JournalBounds } from '../../src/sessions/journal.ts';
import type { SessionLog } from '../../src/sessions/session-log.ts';
import type { SessionStore } from '../../src/sessions/session-store.ts';
import { fc } from './properties.ts';

type Later<Value> = Value | Promise<Value>;

export interface StoreUnderTest {
  readonly store: SessionStore;
  /** Lets time pass on the store's clock, with whatever is due in it. */
  pass(ms: number): Later<void>;
  /** Ends it; fails if it has left something behind. */
  stop(): Later<void>;
}

export type StartStore = (bounds: JournalBounds) => Later<StoreUnderTest>;

/** Nothing is forgotten that a test has sent. */
const ample: JournalBounds = { windowMs: 60_000, maxBytes: 16_000_000 };

/** The position that ends an event's text. */
export function positionIn(tail: string): string {
  const [, position] = /^,"([^"]+)"\]$/.exec(tail) ?? [];
  assert(position, `a position in ${tail}`);
  return position;
}

/** One session, and what its client could have received of it. */
class Stream {
  readonly #store: SessionStore;
  readonly session: SessionLog;
  /** Positions, by event. */
  readonly positions: string[] = [];

  constructor(store: SessionStore, session: SessionLog) {
    this.#store = store;
    this.session = session;
  }

  static async open(store: SessionStore, ...channels: string[]): Promise<Stream> {
    const stream = new Stream(store, await store.open('a session'));
    for (const channel of channels) await store.join(stream.session, channel);
    return stream;
  }

  async send(name: string): Promise<string> {
    return positionIn(await this.#store.send(this.session, eventPacket(name, [])));
  }

  async missed(position?: unknown): Promise<string[] | undefined> {
    const missed = await this.#store.missed(this.session, position);
    return missed?.events.map(({ packet }) => (packet.type === 'event' ? packet.name : packet.type));
  }
}

async function publish(store: SessionStore, channel: string, name: string): Promise<string> {
  return positionIn(await store.publish(channel, eventPacket(name, [])));
}

export function sessionStoreSuite(name: string, start: StartStore): void {
  const check = (title: string, run: (rig: StoreUnderTest) => Promise<void>, bounds = ample): void => {
    test(`${name}: ${title}`, async () => {
      const rig = await start(bounds);
      await run(rig);
      await rig.stop();
    });
  };

  check('a client is given what it has missed of its channels and of what it was sent alone, in order', async (rig) => {
    const { store } = rig;
    const ann = await Stream.open(store, 'news', 'chat');
    const ben = await Stream.open(store, 'news');
    const first = await publish(store, 'news', '1');
    await ann.send('2');
    await ben.send('for ben');
    await publish(store, 'chat', '3');
    await publish(store, 'news', '4');
    assert.deepEqual(await ann.missed(first), ['2', '3', '4']);
    assert.deepEqual(await ben.missed(first), ['for ben', '4']);
  });

  check('each event says where it is: whoever has received it misses what comes behind it', async ({ store }) => {
    const ann = await Stream.open(store, 'news');
    for (const event of ['1', '2', '3']) await publish(store, 'news', event);
    const { events, bytes } = (await store.missed(ann.session, undefined))!;
    assert.equal(events.length, 3);
    assert(bytes > 0);
    assert.deepEqual(await ann.missed(positionIn(events[1]!.tail)), ['3']);
    assert.deepEqual(await store.missed(ann.session, positionIn(events[2]!.tail)), { events: [], bytes: 0 });
  });

  check('a client that has received nothing misses everything since its session began', async ({ store }) => {
    await (await Stream.open(store)).send('before');
    const ann = await Stream.open(store, 'news');
    await ann.send('1');
    await publish(store, 'news', '2');
    assert.deepEqual(await ann.missed(), ['1', '2']);
  });

  check('the position of a former session counts as none', async ({ store }) => {
    const former = await (await Stream.open(store)).send('before');
    const ann = await Stream.open(store);
    await ann.send('1');
    assert.deepEqual(await ann.missed(former), ['1']);
    // Of another node, or of this one before its last start.
    assert.deepEqual(await ann.missed(`Other-_8${former.slice(8)}`), ['1']);
  });

  check('a return can be repeated, and is the same again', async ({ store }) => {
    const ann = await Stream.open(store, 'news');
    const first = await publish(store, 'news', '1');
    await publish(store, 'news', '2');
    assert.deepEqual(await ann.missed(first), ['2']);
    assert.deepEqual(await ann.missed(first), ['2']);
    const last = await publish(store, 'news', '3');
    assert.deepEqual(await ann.missed(first), ['2', '3']);
    assert.deepEqual(await ann.missed(last), []);
  });

  check('it is in a channel from where it joins to where it leaves, however often', async ({ store }) => {
    const ann = await Stream.open(store);
    const ben = await Stream.open(store, 'news');
    await publish(store, 'news', 'before');
    await store.join(ann.session, 'news');
    await publish(store, 'news', '1');
    await store.leave(ann.session, 'news');
    await publish(store, 'news', 'between');
    await store.join(ann.session, 'news');
    await publish(store, 'news', '2');
    await store.leave(ann.session, 'news');
    await publish(store, 'news', 'after');
    assert.deepEqual(await ann.missed(), ['1', '2']);
    assert.deepEqual(await ben.missed(), ['before', '1', 'between', '2', 'after']);
  });

  check('a channel that nobody is in has no positions, and those who come later miss nothing of it', async (rig) => {
    const { store } = rig;
    assert.equal(await store.publish('news', eventPacket('nobody', [])), noPosition);
    const ann = await Stream.open(store, 'news');
    const first = await publish(store, 'news', '1');
    await store.leave(ann.session, 'news');
    assert.equal(await store.publish('news', eventPacket('nobody', [])), noPosition);
    await store.join(ann.session, 'news');
    await publish(store, 'news', '2');
    assert.deepEqual(await ann.missed(), ['1', '2']);
    assert.deepEqual(await ann.missed(first), ['2']);
    await store.leave(ann.session, 'never joined');
  });

  check(
    'a session that comes and goes without end keeps its latest channels, and is never given a part',
    async (rig) => {
      const { store } = rig;
      const ann = await Stream.open(store);
      let last = '';
      for (let at = 0; at < 200; at += 1) {
        await store.join(ann.session, `room.${at}`);
        last = await publish(store, `room.${at}`, `${at}`);
        await store.leave(ann.session, `room.${at}`);
      }
      assert.equal(await ann.missed(), undefined);
      assert.deepEqual(await ann.missed(last), []);
      await store.join(ann.session, 'news');
      await publish(store, 'news', 'new');
      assert.deepEqual(await ann.missed(last), ['new']);
    },
  );

  check('garbage is no position', async ({ store }) => {
    const ann = await Stream.open(store);
    const own = await ann.send('1');
    const beyond = `${own.slice(0, 8)}zzzz`;
    for (const garbage of [
      '',
      'x',
      own.slice(0, 8),
      `${own}!`,
      ` ${own}`,
      `${own.slice(0, 8)}0`,
      beyond,
      7,
      null,
      {},
      [],
    ]) {
      assert.equal(await ann.missed(garbage), undefined, JSON.stringify(garbage));
    }
    assert.deepEqual(await ann.missed(own), []);
  });

  check('what is lost for a session cannot be passed over', async ({ store }) => {
    const ann = await Stream.open(store, 'news');
    const ben = await Stream.open(store, 'news');
    const before = await publish(store, 'news', '1');
    await store.lose(ann.session);
    assert.equal(await ann.missed(before), undefined);
    assert.deepEqual(await ben.missed(before), []);
    const behind = await publish(store, 'news', '2');
    await publish(store, 'news', '3');
    assert.equal(await ann.missed(before), undefined);
    assert.deepEqual(await ann.missed(behind), ['3']);
  });

  check('what is too old is forgotten, and who has missed it is not recovered', async ({ store, pass }) => {
    const ann = await Stream.open(store, 'news');
    const first = await publish(store, 'news', '1');
    const second = await publish(store, 'news', '2');
    await pass(2 * ample.windowMs + 1);
    assert.equal(store.kept.count, 0);
    assert.equal(store.kept.bytes, 0);
    assert.equal(await ann.missed(first), undefined);
    assert.equal(await ann.missed(), undefined);
    assert.deepEqual(await ann.missed(second), []);
  });

  check('who has missed nothing is recovered, though its position is long forgotten', async ({ store, pass }) => {
    const ann = await Stream.open(store, 'quiet');
    await Stream.open(store, 'busy');
    const last = await publish(store, 'quiet', '1');
    for (let at = 0; at < 50; at += 1) {
      await publish(store, 'busy', `${at}`);
      await pass(ample.windowMs / 2);
    }
    assert.deepEqual(await ann.missed(last), []);
    await publish(store, 'quiet', '2');
    assert.deepEqual(await ann.missed(last), ['2']);
  });

  check(
    'memory is bounded: the oldest is forgotten first',
    async ({ store }) => {
      const ann = await Stream.open(store, 'news');
      const positions: string[] = [];
      for (let at = 0; at < 100; at += 1) positions.push(await publish(store, 'news', `${at}${'x'.repeat(500)}`));
      const { count, bytes } = store.kept;
      assert(count > 0 && count < 100, `${count} entries`);
      assert(bytes <= 20_000, `${bytes} bytes`);
      assert.equal((await ann.missed(positions[99 - count]))?.length, count);
      assert.equal(await ann.missed(positions[98 - count]), undefined);
      // More than fits at all.
      await publish(store, 'news', 'x'.repeat(100_000));
      assert.equal(store.kept.count, 0);
      assert.equal(await ann.missed(positions[99]), undefined);
    },
    { windowMs: 60_000, maxBytes: 20_000 },
  );

  check('a session that has ended is in no channel any more', async ({ store }) => {
    const ann = await Stream.open(store, 'news', 'chat');
    const ben = await Stream.open(store, 'chat');
    await store.close(ann.session);
    assert.equal(await store.publish('news', eventPacket('x', [])), noPosition);
    await publish(store, 'chat', 'y');
    assert.deepEqual(await ben.missed(), ['y']);
  });

  check('pids are of one session and one namespace', async ({ store }) => {
    const sid = 'kD3fG7-_abcdefghijklmnopqrstuv';
    const pid = store.pids.of(sid, '/');
    assert.equal(store.pids.verify(pid, '/'), sid);
    assert.equal(store.pids.verify(pid, '/chat'), undefined);
  });

  modelTest(name, start);
}

/** What the model knows of one session: the whole stream, of which a client has received some beginning. */
interface Known {
  readonly stream: Stream;
  readonly channels: Set<string>;
  /** Every event that concerns it. */
  readonly events: { readonly name: string; readonly position: string }[];
  /** How many of them there were when something was lost. */
  lostAt: number;
  /** Of returns that were asked for: how many events of the stream the client has. */
  received: number;
}

const sessions = 3;
const channels = ['a', 'b', 'a.b'];
const index = fc.nat(sessions - 1);
const channel = fc.constantFrom(...channels);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('publish' as const), channel, size: fc.nat(300) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('send' as const), index, size: fc.nat(300) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('move' as const), index, channel }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('return' as const), index, part: fc.nat(100) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('lose' as const), index }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('end' as const), index }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('pass' as const), ms: fc.nat(600) }) },
);

/** Everything that was ever sent is remembered; a return is complete if what the client has not received is among what is kept. */
function modelTest(name: string, start: StartStore): void {
  test(`${name}: any joins, leaves, publishes, losses and returns: all that was missed, or nothing`, async () => {
    let [complete, incomplete] = [0, 0];
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 60, maxLength: 120 }), async (steps) => {
        const rig = await start({ windowMs: 1000, maxBytes: 6000 });
        const { store } = rig;
        const open = async (): Promise<Known> => ({
          stream: await Stream.open(store),
          channels: new Set(),
          events: [],
          lostAt: -1,
          received: 0,
        });
        const known: Known[] = [];
        for (let at = 0; at < sessions; at += 1) known.push(await open());
        /** Positions of all entries, oldest first. */
        const entries: string[] = [];
        for (const [at, next] of steps.entries()) {
          const event = `${at}`;
          if (next.type === 'publish') {
            const tail = await store.publish(next.channel, eventPacket(event, ['x'.repeat(next.size)]));
            const members = known.filter(({ channels }) => channels.has(next.channel));
            assert.equal(tail === noPosition, members.length === 0);
            if (members.length === 0) continue;
            entries.push(positionIn(tail));
            for (const member of members) member.events.push({ name: event, position: positionIn(tail) });
          } else if (next.type === 'pass') {
            await rig.pass(next.ms);
          } else {
            const one = known[next.index]!;
            const { stream, channels, events } = one;
            if (next.type === 'send') {
              const tail = await store.send(stream.session, eventPacket(event, ['x'.repeat(next.size)]));
              entries.push(positionIn(tail));
              events.push({ name: event, position: positionIn(tail) });
            } else if (next.type === 'move') {
              if (channels.delete(next.channel)) await store.leave(stream.session, next.channel);
              else await store.join(stream.session, channels.add(next.channel) && next.channel);
            } else if (next.type === 'lose') {
              await store.lose(stream.session);
              one.lostAt = events.length;
            } else if (next.type === 'end') {
              await store.close(stream.session);
              known[next.index] = await open();
            } else {
              one.received += Math.round(((events.length - one.received) * next.part) / 100);
              const missed = events.slice(one.received);
              const kept = new Set(entries.slice(entries.length - store.kept.count));
              const isThere = one.received > one.lostAt && missed.every(({ position }) => kept.has(position));
              const actual = await stream.missed(events[one.received - 1]?.position);
              assert.deepEqual(actual, isThere ? missed.map(({ name }) => name) : undefined);
              if (actual === undefined) incomplete += 1;
              else if (actual.length > 0) complete += 1;
            }
          }
        }
        for (const { stream } of known) await store.close(stream.session);
        await rig.pass(2001);
        assert.equal(store.kept.count, 0);
        await rig.stop();
      }),
      { numRuns: 300 },
    );
    // Otherwise it would have shown nothing.
    assert(complete > 100 && incomplete > 100, `${complete} complete, ${incomplete} incomplete`);
  });
}
