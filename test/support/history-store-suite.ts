/**
 * What every `HistoryStore` must pass. A store may answer at once or later: everything is awaited.
 *
 *   historyStoreSuite('memory', () => …);
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HistoryBounds, HistoryPart, HistoryStore, Later } from '../../src/plugins/history-store.ts';
import type { Position } from '../../src/plugins/types.ts';
import { fc } from './properties.ts';

export interface HistoryStoreUnderTest {
  readonly store: HistoryStore;
  /** Lets so much time pass on the store's clock. */
  pass(ms: number): Later<void>;
  /** Loses everything that it has kept. */
  lose(): Later<void>;
}

const bounds: HistoryBounds = { size: 5, ttlMs: 300 };

/** One origin that publishes to channels. */
class Origin {
  readonly #store: HistoryStore;
  readonly name: string;
  number = 0;

  constructor(store: HistoryStore, name: string) {
    this.#store = store;
    this.name = name;
  }

  async give(channel: string, ...contents: string[]): Promise<readonly (Position | undefined)[]> {
    return this.#store.append(
      contents.map((content) => {
        this.number += 1;
        return this.item(channel, content, this.number);
      }),
    );
  }

  item(channel: string, content: string, number: number) {
    return { channel, bounds, content: ['event', content], bytes: 100, origin: this.name, number };
  }
}

const names = ({ entries }: HistoryPart) => entries.map(({ content }) => (content as string[])[1]);
const all = { limit: 100 };

export function historyStoreSuite(name: string, start: () => Later<HistoryStoreUnderTest>): void {
  const check = (title: string, run: (rig: HistoryStoreUnderTest) => Promise<void>) =>
    test(`${name}: ${title}`, async () => run(await start()));

  check('offsets of a channel are 1, 2, 3 in one epoch, whoever gives', async ({ store }) => {
    const [ann, ben] = [new Origin(store, 'ann'), new Origin(store, 'ben')];
    const [first, second] = await ann.give('a', '1', '2');
    const [third] = await ben.give('a', '3');
    const epoch = first![0];
    assert.deepEqual(
      [first, second, third],
      [1, 2, 3].map((offset) => [epoch, offset]),
    );
    assert.deepEqual((await ben.give('b', 'x'))[0]![1], 1);
    const part = await store.read('a', bounds, all);
    assert.deepEqual([part.epoch, part.offset, part.complete, names(part)], [epoch, 3, true, ['1', '2', '3']]);
    for (const { at } of part.entries) assert.ok(Number.isInteger(at) && at > 0);
  });

  check('a channel that has nothing has an epoch, which it keeps', async ({ store }) => {
    const empty = await store.read('a', bounds, { limit: 0 });
    assert.deepEqual([empty.offset, empty.entries, empty.complete], [0, [], true]);
    const [position] = await new Origin(store, 'ann').give('a', '1');
    assert.deepEqual(position, [empty.epoch, 1]);
  });

  check('what comes again is not kept twice, and the last one has its position still', async ({ store }) => {
    const ann = new Origin(store, 'ann');
    const [, second] = await ann.give('a', '1', '2');
    const again = [ann.item('a', '1', 1), ann.item('a', '2', 2), ann.item('a', '3', 3)];
    const [epoch] = second!;
    assert.deepEqual(await store.append(again), [undefined, second, [epoch, 3]]);
    assert.deepEqual(names(await store.read('a', bounds, all)), ['1', '2', '3']);
  });

  check('the last of the size are kept, and it is said what is missing', async ({ store }) => {
    const ann = new Origin(store, 'ann');
    await ann.give('a', '1', '2', '3', '4', '5', '6', '7');
    const { epoch } = await store.read('a', bounds, all);
    const read = async (since: number, of = epoch) => {
      const part = await store.read('a', bounds, { epoch: of, since, limit: 100 });
      return [names(part), part.complete];
    };
    assert.deepEqual(await read(0), [['3', '4', '5', '6', '7'], false]);
    assert.deepEqual(await read(1), [['3', '4', '5', '6', '7'], false]);
    assert.deepEqual(await read(2), [['3', '4', '5', '6', '7'], true]);
    assert.deepEqual(await read(5), [['6', '7'], true]);
    assert.deepEqual(await read(7), [[], true]);
    assert.deepEqual(await read(8), [[], false]);
    assert.deepEqual(await read(5, 'another'), [['3', '4', '5', '6', '7'], false]);
  });

  check('bounds and limits', async ({ store }) => {
    await new Origin(store, 'ann').give('a', '1', '2', '3', '4', '5');
    const read = async (query: object) => names(await store.read('a', bounds, { limit: 100, ...query }));
    assert.deepEqual(await read({ limit: 2 }), ['4', '5']);
    assert.deepEqual(await read({ before: 4, limit: 2 }), ['2', '3']);
    assert.deepEqual(await read({ before: 1 }), []);
    assert.deepEqual(await read({ before: 0 }), []);
    assert.deepEqual(await read({ since: 1, limit: 2 }), ['2', '3']);
    assert.deepEqual(await read({ since: 1, before: 4 }), ['2', '3']);
    assert.deepEqual(await read({ limit: 0 }), []);
  });

  check('entries are forgotten when they are too old, and the numbers go on', async ({ store, pass }) => {
    const ann = new Origin(store, 'ann');
    const [first] = await ann.give('a', '1', '2');
    await pass(bounds.ttlMs + 10);
    const part = await store.read('a', bounds, { epoch: first![0], since: 1, limit: 100 });
    assert.deepEqual([part.offset, part.entries, part.complete], [2, [], false]);
    const [third] = await ann.give('a', '3');
    assert.deepEqual(third, [first![0], 3]);
    assert.deepEqual(names(await store.read('a', bounds, all)), ['3']);
  });

  check('what is cleared is gone, and the numbers go on', async ({ store }) => {
    const ann = new Origin(store, 'ann');
    const [first] = await ann.give('a', '1', '2');
    await store.clear('a');
    await store.clear('never used');
    assert.deepEqual(names(await store.read('a', bounds, all)), []);
    assert.deepEqual(await ann.give('a', '3'), [[first![0], 3]]);
  });

  check('a loss begins a later epoch', async ({ store, lose }) => {
    const ann = new Origin(store, 'ann');
    const [first] = await ann.give('a', '1', '2');
    await lose();
    const [next] = await ann.give('a', '3');
    assert.ok(next![0] > first![0]);
    assert.equal(next![1], 1);
    const part = await store.read('a', bounds, { epoch: first![0], since: 2, limit: 100 });
    assert.deepEqual([names(part), part.complete], [['3'], false]);
  });

  modelTest(name, start);
}

const channel = fc.constantFrom('a', 'b');
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('give' as const),
      channel,
      origin: fc.nat(1),
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('again' as const), channel, origin: fc.nat(1), back: fc.nat(3) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('clear' as const), channel }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('read' as const),
      channel,
      since: fc.option(fc.nat(12)),
      limit: fc.nat(6),
    }),
  },
);

/** A model keeps everything in an array. */
function modelTest(name: string, start: () => Later<HistoryStoreUnderTest>): void {
  test(`${name}: any appends, repetitions, clears and reads, as a model has them`, async () => {
    let found = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 40 }), async (steps) => {
        const { store } = await start();
        const large = { size: 5, ttlMs: 3_600_000 };
        const model = { a: { all: [] as string[], from: 1 }, b: { all: [] as string[], from: 1 } };
        const origins = [new Origin(store, 'ann'), new Origin(store, 'ben')];
        const given = new Map<string, number>();
        for (const [at, next] of steps.entries()) {
          const channel = next.channel as 'a' | 'b';
          const kept = model[channel];
          if (next.type === 'give') {
            const origin = origins[next.origin]!;
            const items = Array.from({ length: next.count }, (_, n) => {
              origin.number += 1;
              return { ...origin.item(channel, `${at}.${n}`, origin.number), bounds: large };
            });
            given.set(`${channel}${next.origin}`, origin.number);
            const positions = await store.append(items);
            assert.deepEqual(
              positions.map((position) => position?.[1]),
              items.map((_, n) => kept.all.length + 1 + n),
            );
            kept.all.push(...items.map(({ content }) => content[1]!));
            kept.from = Math.max(kept.from, kept.all.length - large.size + 1);
          } else if (next.type === 'again') {
            const last = given.get(`${channel}${next.origin}`);
            if (last === undefined || last <= next.back) continue;
            const item = origins[next.origin]!.item(channel, 'again', last - next.back);
            const [position] = await store.append([{ ...item, bounds: large }]);
            assert.equal(position !== undefined, next.back === 0);
          } else if (next.type === 'clear') {
            await store.clear(channel);
            kept.from = kept.all.length + 1;
          } else {
            const { since, limit } = next;
            const part = await store.read(channel, large, since === null ? { limit } : { since, limit });
            const there = kept.all
              .map((content, i) => [i + 1, content] as const)
              .filter(([offset]) => offset >= kept.from);
            const wanted =
              since === null
                ? there.slice(limit === 0 ? there.length : -limit)
                : there.filter(([offset]) => offset > since).slice(0, limit);
            assert.deepEqual(
              part.entries.map(({ offset, content }) => [offset, (content as string[])[1]]),
              wanted,
            );
            assert.equal(part.offset, kept.all.length);
            const from = since ?? 0;
            assert.equal(part.complete, from <= kept.all.length && kept.from <= from + 1);
            found += wanted.length;
          }
        }
      }),
      { numRuns: 40 },
    );
    assert.ok(found > 100, `${found} entries were read`);
  });
}
