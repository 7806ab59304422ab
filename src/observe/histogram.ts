/**
 * How long things take. Durations fall into buckets of two significant digits, so that a percentile is never too low and at most
 * a tenth (or 0.1 µs) too high, and histograms of several nodes are added without loss:
 *
 *   0 ─ 0.01 ms          100 buckets, 0.1 µs wide
 *   0.01 ─ 1,000,000 ms  90 buckets for each power of ten: 1.0, 1.1, … 9.9
 *
 * Everything longer falls into the last one. Recording is a few instructions and allocates nothing.
 */
const firstDecades = 100;
const perDecade = 90;
const decades = 8;
const longestMs = 0.01 * 10 ** decades;
export const bucketCount = firstDecades + perDecade * decades;

/** A histogram as nodes tell it to each other; all durations in ms. */
export interface HistogramValue {
  /** Each bucket that is not empty: its number, then how many fell into it. */
  readonly buckets: readonly number[];
  readonly sum: number;
  readonly max: number;
}

/** A histogram as it is shown, in ms; zeros while `count` is 0. */
export interface HistogramSummary {
  readonly count: number;
  readonly sum: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** For those who compare what they see with what they saw before: only so can they tell what has come since. */
export interface HistogramDetail extends HistogramSummary {
  /** Those that are not empty, but five or ten of those that are kept as one: upper bound in ms, and how many. */
  readonly buckets: readonly (readonly [bound: number, count: number])[];
}

export class Histogram {
  readonly #counts = new Float64Array(bucketCount);
  #sum = 0;
  #max = 0;

  /** @param times how many durations this one stands for */
  record(ms: number, times = 1): void {
    this.#counts[bucketOf(ms)]! += times;
    this.#sum += ms * times;
    if (ms > this.#max) this.#max = ms;
  }

  reset(): void {
    this.#counts.fill(0);
    this.#sum = 0;
    this.#max = 0;
  }

  value(): HistogramValue {
    const buckets: number[] = [];
    for (let at = 0; at < bucketCount; at += 1) {
      const count = this.#counts[at]!;
      if (count > 0) buckets.push(at, count);
    }
    return { buckets, sum: this.#sum, max: this.#max };
  }
}

function bucketOf(ms: number): number {
  if (ms < 0.01) return Math.max(0, (ms * 10_000) | 0);
  if (ms >= longestMs) return bucketCount - 1;
  let base = firstDecades - 10;
  let digits = ms * 1000;
  while (digits >= 100) {
    digits /= 10;
    base += perDecade;
  }
  return base + (digits | 0);
}

/** What is in the bucket is shorter than this, in ms. */
export function upperBound(bucket: number): number {
  if (bucket === bucketCount - 1) return Number.POSITIVE_INFINITY;
  if (bucket < firstDecades) return (bucket + 1) / 10_000;
  const decade = Math.floor((bucket - firstDecades) / perDecade);
  const digits = 10 + ((bucket - firstDecades) % perDecade);
  return ((digits + 1) * 10 ** decade) / 1000;
}

export function isHistogram(value: unknown): value is HistogramValue {
  if (typeof value !== 'object' || value === null) return false;
  const { buckets, sum, max } = value as Record<string, unknown>;
  if (!Array.isArray(buckets) || typeof sum !== 'number' || typeof max !== 'number') return false;
  return buckets.length % 2 === 0 && buckets.every((item, at) => isCount(item) && (at % 2 === 1 || item < bucketCount));
}

function isCount(item: unknown): item is number {
  return Number.isInteger(item) && (item as number) >= 0;
}

/** Both together. */
export function added(one: HistogramValue, other: HistogramValue): HistogramValue {
  const counts = new Map<number, number>();
  for (const { buckets } of [one, other]) {
    for (let at = 0; at < buckets.length; at += 2) {
      const bucket = buckets[at]!;
      counts.set(bucket, (counts.get(bucket) ?? 0) + buckets[at + 1]!);
    }
  }
  const buckets = [...counts].sort(([a], [b]) => a - b).flat();
  return { buckets, sum: one.sum + other.sum, max: Math.max(one.max, other.max) };
}

/** What `now` has more than `before`, which was read of the same histogram earlier; all of it if that was emptied meanwhile. */
export function recordedSince(now: HistogramValue, before: HistogramValue): HistogramValue {
  const earlier = new Map<number, number>();
  for (let at = 0; at < before.buckets.length; at += 2) earlier.set(before.buckets[at]!, before.buckets[at + 1]!);
  const buckets: number[] = [];
  for (let at = 0; at < now.buckets.length; at += 2) {
    const bucket = now.buckets[at]!;
    const count = now.buckets[at + 1]! - (earlier.get(bucket) ?? 0);
    earlier.delete(bucket);
    if (count < 0) return now;
    if (count > 0) buckets.push(bucket, count);
  }
  return earlier.size > 0 ? now : { buckets, sum: now.sum - before.sum, max: now.max };
}

export function countOf({ buckets }: HistogramValue): number {
  let count = 0;
  for (let at = 1; at < buckets.length; at += 2) count += buckets[at]!;
  return count;
}

export function summary(value: HistogramValue): HistogramSummary {
  const count = countOf(value);
  const max = shown(value.max);
  const percentile = (share: number) => Math.min(max, percentileOf(value, count * share));
  return {
    count,
    sum: shown(value.sum),
    p50: percentile(0.5),
    p90: percentile(0.9),
    p99: percentile(0.99),
    max,
  };
}

export function detail(value: HistogramValue): HistogramDetail {
  const counts = new Map<number, number>();
  for (let at = 0; at < value.buckets.length; at += 2) {
    const bound = Math.min(upperBound(lastBeside(value.buckets[at]!)), longestMs); // JSON has no infinity
    counts.set(bound, (counts.get(bound) ?? 0) + value.buckets[at + 1]!);
  }
  return { ...summary(value), buckets: [...counts] };
}

/** The last of those that are shown together with a bucket. */
function lastBeside(bucket: number): number {
  const together = bucket < firstDecades ? firstDecades / 10 : perDecade / 18;
  return firstDecades + (Math.floor((bucket - firstDecades) / together) + 1) * together - 1;
}

/** The bound under which at least `rank` of the durations lie. */
function percentileOf({ buckets }: HistogramValue, rank: number): number {
  let below = 0;
  for (let at = 0; at < buckets.length; at += 2) {
    below += buckets[at + 1]!;
    if (below >= rank) return upperBound(buckets[at]!);
  }
  return 0;
}

/** Clocks tell no more than tenths of microseconds. */
function shown(ms: number): number {
  return Math.round(ms * 10_000) / 10_000;
}
