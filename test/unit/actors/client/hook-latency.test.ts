import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HookLatency } from '../../../../src/actors/client/hook-latency.ts';
import { countOf, Histogram } from '../../../../src/observe/histogram.ts';

function hooks() {
  const [ofEvent, ofAll] = [new Histogram(), new Histogram()];
  const latency = new HookLatency(ofEvent, ofAll);
  return {
    pass: () => latency.passed(latency.begin()),
    wait: () => latency.waited(latency.waiting(latency.begin())),
    count: () => {
      assert.deepEqual(ofEvent.value(), ofAll.value());
      return countOf(ofEvent.value());
    },
  };
}

test('of chains that do not wait the first 64 are timed, and then every sixteenth, for those before it too', () => {
  const { pass, count } = hooks();
  const counts = Array.from({ length: 64 + 40 }, () => {
    pass();
    return count();
  });
  assert.deepEqual(
    counts.slice(0, 64),
    Array.from({ length: 64 }, (_, at) => at + 1),
  );
  assert.deepEqual(counts.slice(64), [...Array(15).fill(64), ...Array(16).fill(80), ...Array(9).fill(96)]);
});

test('chains that wait are all timed, among others too', () => {
  const { pass, wait, count } = hooks();
  for (let times = 0; times < 64; times += 1) pass();
  for (let times = 0; times < 5; times += 1) pass();
  for (let times = 1; times <= 20; times += 1) {
    wait();
    assert.equal(count(), 64 + times);
  }
  pass(); // the next after one that waited is timed again, for the five before it too
  assert.equal(count(), 64 + 20 + 6);
});
