import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  added,
  bucketCount,
  detail,
  Histogram,
  isHistogram,
  recordedSince,
  summary,
  upperBound,
} from '../../../src/observe/histogram.ts';
import { fc } from '../../support/properties.ts';

function histogramOf(durations: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const ms of durations) histogram.record(ms);
  return histogram;
}

const duration = fc
  .double({ min: 0, max: 999_999, noNaN: true })
  .chain((ms) => fc.constantFrom(ms, ms / 1e3, ms / 1e6));
const durations = fc.array(duration, { minLength: 1, maxLength: 200 });

test('an empty histogram is all zeros', () => {
  assert.deepEqual(summary(new Histogram().value()), { count: 0, sum: 0, p50: 0, p90: 0, p99: 0, max: 0 });
});

test('a single duration is every percentile of itself', () => {
  for (const ms of [0, 0.0001, 0.01, 0.7, 1, 11.2346, 99.99, 1234.5678, 5e6]) {
    const { count, p50, p99, max } = summary(histogramOf([ms]).value());
    assert.deepEqual({ count, p50, p99, max }, { count: 1, p50: ms, p99: ms, max: ms });
  }
});

test('percentiles are never too low and at most a tenth too high', () => {
  fc.assert(
    fc.property(durations, (given) => {
      const sorted = given.toSorted((a, b) => a - b);
      const { count, sum, p50, p90, p99, max } = summary(histogramOf(given).value());
      assert.equal(count, given.length);
      assert.ok(Math.abs(sum - sorted.reduce((a, b) => a + b)) <= 1e-4 * (1 + sum * 1e-9));
      assert.ok(Math.abs(max - sorted.at(-1)!) <= 0.00005 + 1e-9);
      for (const [share, shown] of [
        [0.5, p50],
        [0.9, p90],
        [0.99, p99],
      ] as const) {
        const real = sorted[Math.ceil(share * count) - 1]!;
        // What is shown is rounded to 0.1 µs.
        assert.ok(shown >= real - 0.00005 - 1e-9, `${share}: ${shown} < ${real}`);
        assert.ok(shown <= real * 1.1 + 0.0001 + 1e-9, `${share}: ${shown} > ${real}`);
      }
    }),
  );
});

test('histograms of several nodes together are what one would be that had seen everything', () => {
  fc.assert(
    fc.property(durations, durations, (one, other) => {
      const { sum, ...together } = added(histogramOf(one).value(), histogramOf(other).value());
      const { sum: expected, ...rest } = histogramOf([...one, ...other]).value();
      assert.deepEqual(together, rest);
      assert.ok(Math.abs(sum - expected) <= expected * 1e-9);
    }),
  );
});

test('one record may stand for several durations', () => {
  const histogram = histogramOf([1]);
  histogram.record(3, 9);
  assert.deepEqual(summary(histogram.value()), { count: 10, sum: 28, p50: 3, p90: 3, p99: 3, max: 3 });
});

test('an emptied histogram starts anew', () => {
  const histogram = histogramOf([1, 2, 3]);
  histogram.reset();
  assert.deepEqual(histogram.value(), { buckets: [], sum: 0, max: 0 });
});

test('each bucket begins where the one before it ends', () => {
  for (let bucket = 1; bucket < bucketCount - 1; bucket += 1) {
    assert.ok(upperBound(bucket) > upperBound(bucket - 1));
    assert.ok(upperBound(bucket) <= upperBound(bucket - 1) * 1.1 + 0.0001 + 1e-9);
  }
  assert.deepEqual([0, 99, 100, 189, 190, 818, 819].map(upperBound), [
    0.0001,
    0.01,
    0.011,
    0.1,
    0.11,
    990_000,
    Number.POSITIVE_INFINITY,
  ]);
});

test('what another node sends is a histogram only if it has the shape of one', () => {
  const good = { buckets: [3, 1, 7, 2], sum: 1, max: 1 };
  assert.ok(isHistogram(good));
  for (const bad of [
    null,
    7,
    ['node'],
    {},
    { ...good, sum: '1' },
    { ...good, max: undefined },
    { ...good, buckets: [3] },
    { ...good, buckets: [3, -1] },
    { ...good, buckets: [bucketCount, 1] },
    { ...good, buckets: [0.5, 1] },
    { ...good, buckets: ['3', 1] },
  ]) {
    assert.equal(isHistogram(bad), false, JSON.stringify(bad));
  }
});

test('those who compare get fewer buckets, with finite bounds that are always the same', () => {
  const histogram = new Histogram();
  const lengths = [0.0001, 0.0005, 0.011, 0.014, 0.0151, 1.2, 99, 5_000_000];
  for (const ms of lengths) histogram.record(ms);
  const { buckets, ...rest } = detail(histogram.value());
  assert.deepEqual(rest, summary(histogram.value()));
  assert.deepEqual(buckets, [
    [0.001, 2],
    [0.015, 2],
    [0.02, 1],
    [1.5, 1],
    [100, 1],
    [1_000_000, 1],
  ]);
});

test('what was recorded since an earlier reading is the difference; all of it after the histogram was emptied', () => {
  fc.assert(
    fc.property(durations, durations, (earlier, later) => {
      const histogram = histogramOf(earlier);
      const before = histogram.value();
      for (const ms of later) histogram.record(ms);
      assert.deepEqual(recordedSince(histogram.value(), before).buckets, histogramOf(later).value().buckets);
      assert.deepEqual(recordedSince(before, before).buckets, []);
    }),
  );
  const before = histogramOf([1, 1, 5]).value();
  for (const durations of [[1], [], [7, 7, 7, 7]]) {
    const now = histogramOf(durations).value();
    assert.deepEqual(recordedSince(now, before), now);
  }
});
