import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochAfter } from '../../../src/plugins/history-stores/epochs.ts';
import { MemoryHistories } from '../../../src/plugins/history-stores/memory.ts';
import { historyStoreSuite } from '../../support/history-store-suite.ts';

function memory(maxBytes = 1_000_000) {
  let now = 1_700_000_000_000;
  let last: string | undefined;
  const newEpoch = () => {
    last = epochAfter(last, 1);
    return last;
  };
  const store = new MemoryHistories({ maxBytes, newEpoch, now: () => now });
  const pass = (ms: number) => {
    now += ms;
  };
  const lose = () => {
    for (const channel of store.channels()) store.take(channel);
  };
  return { store, pass, lose };
}

historyStoreSuite('memory', () => memory());

const bounds = { size: 100, ttlMs: 1000 };
const item = (channel: string, number: number, bytes = 100) => ({
  channel,
  bounds,
  content: number,
  bytes,
  origin: 'ann',
  number,
});
const kept = (store: MemoryHistories, channel: string) =>
  store.read(channel, bounds, { limit: 1000 }).entries.map(({ content }) => content);

test('memory is bounded: the oldest entries of all channels are forgotten first', () => {
  const { store } = memory(1000);
  for (let n = 1; n <= 30; n += 1) {
    store.appendOne(item(n % 3 === 0 ? 'a' : 'b', n));
    if (n === 20) store.clear('a');
    assert.ok(store.kept.bytes <= 1000);
  }
  assert.deepEqual(kept(store, 'a'), [21, 24, 27, 30]);
  assert.deepEqual(kept(store, 'b'), [22, 23, 25, 26, 28, 29]);
  assert.deepEqual(store.kept, { channels: 2, entries: 10, bytes: 1000 });
  store.appendOne(item('c', 31, 5000));
  assert.deepEqual(store.kept, { channels: 3, entries: 0, bytes: 0 });
});

test('the order of the oldest holds over any number of entries', () => {
  const { store } = memory(5000);
  for (let n = 1; n <= 20_000; n += 1) store.appendOne({ ...item(`${n % 7}`, n), bounds: { size: 3, ttlMs: 1000 } });
  assert.deepEqual(kept(store, '1'), [19_986, 19_993, 20_000]);
  for (let n = 20_001; n <= 20_100; n += 1) store.appendOne(item('new', n));
  assert.equal(kept(store, 'new').length, 50);
  assert.deepEqual(kept(store, '1'), []);
});

test('a history goes on where it is given, with what its origins have given', () => {
  const [one, other] = [memory().store, memory().store];
  for (let n = 1; n <= 3; n += 1) one.appendOne(item('a', n));
  const state = one.take('a')!;
  assert.deepEqual(one.kept, { channels: 0, entries: 0, bytes: 0 });
  assert.ok(other.give(state));
  assert.deepEqual(other.appendOne(item('a', 3)), [state.epoch, 3]);
  assert.deepEqual(other.appendOne(item('a', 4)), [state.epoch, 4]);
  assert.deepEqual(kept(other, 'a'), [1, 2, 3, 4]);
});

test('of two histories of a channel that of the later epoch stays, or has more', () => {
  const { store } = memory();
  store.appendOne(item('a', 1));
  const first = store.take('a')!;
  store.appendOne(item('a', 2));
  assert.ok(!store.give(first));
  assert.deepEqual(kept(store, 'a'), [2]);
  const second = store.take('a')!;
  store.give(first);
  assert.ok(store.give(second));
  assert.ok(!store.give(second));
  assert.deepEqual(kept(store, 'a'), [2]);
});

test('an empty history is forgotten when it is too old and nobody is subscribed', () => {
  const { store, pass } = memory();
  store.appendOne(item('a', 1));
  store.appendOne(item('b', 2));
  pass(500);
  store.sweep(() => false);
  assert.equal(store.kept.entries, 2);
  pass(500);
  store.sweep((channel) => channel === 'a');
  assert.deepEqual([store.kept.entries, store.channels()], [0, ['a']]);
});
