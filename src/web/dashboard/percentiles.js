/** Arithmetic with the buckets of histograms: `[upper bound in ms, how many]`, ascending. */

/** What came into a histogram since it looked like `earlier`. */
export function since(buckets, earlier = []) {
  const former = new Map(earlier);
  const fresh = buckets.map(([bound, count]) => [bound, count - (former.get(bound) ?? 0)]);
  // Less than before: it was emptied.
  const kept = new Map(buckets);
  return earlier.some(([bound, count]) => (kept.get(bound) ?? 0) < count) ? buckets : fresh;
}

/** The percentiles of several histograms together, in which nothing is above `max`; null if nothing is in them. */
export function percentiles(several, max = Number.POSITIVE_INFINITY) {
  const counts = new Map();
  let total = 0;
  for (const buckets of several) {
    for (const [bound, count] of buckets) {
      counts.set(bound, (counts.get(bound) ?? 0) + count);
      total += count;
    }
  }
  const sorted = [...counts].sort(([a], [b]) => a - b);
  const below = (share) => {
    let seen = 0;
    for (const [bound, count] of sorted) {
      seen += count;
      if (count > 0 && seen >= total * share) return Math.min(bound, max);
    }
    return null;
  };
  return { count: total, p50: below(0.5), p90: below(0.9), p99: below(0.99) };
}

/** Null if none of them is known. */
export function sum(values) {
  let total = null;
  for (const value of values) if (value !== null && value !== undefined) total = (total ?? 0) + value;
  return total;
}
