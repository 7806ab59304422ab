/**
 * The metric tree in the text format of Prometheus, made when it is scraped. Counters end in `_total`, durations are in seconds,
 * histograms have the bounds below; what changes from one installation to the next (events, pools, prefixes) is in labels. What
 * runs there is in the labels of `hive_info`.
 */
import { type Metric, Registry } from 'prom-client';
import { countOf, type HistogramValue, isHistogram, upperBound } from './histogram.ts';
import type { MetricKind, Metrics, MetricValue } from './metrics.ts';
import { type Family, seriesOf } from './prometheus-families.ts';

/** Ends of our buckets, so that nothing has to be guessed; ms. */
const boundsMs = [
  0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000,
];

interface Value {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

interface Collected {
  readonly name: string;
  readonly help: string;
  readonly type: MetricKind;
  readonly values: Value[];
}

/**
 * @param about the labels of `hive_info`
 * @param health each status that there is, and whether it is the present one
 */
export async function prometheusText(
  metrics: Metrics,
  about: Readonly<Record<string, string>>,
  health: Readonly<Record<string, boolean>>,
): Promise<{ readonly type: string; readonly text: string }> {
  const registry = new Registry();
  const info = {
    name: 'hive_info',
    help: 'What runs, in labels.',
    type: 'gauge',
    values: [{ labels: about, value: 1 }],
  };
  const status = {
    name: 'hive_health',
    help: 'Health of the node: 1 at the present state, 0 at the others.',
    type: 'gauge',
    values: Object.entries(health).map(([state, isPresent]) => ({ labels: { state }, value: Number(isPresent) })),
  };
  for (const family of [info as Collected, status as Collected, ...collect(metrics).values()]) {
    // The registry asks a metric for what it has, and for nothing else.
    registry.registerMetric({ name: family.name, get: async () => family } as unknown as Metric);
  }
  return { type: registry.contentType, text: await registry.metrics() };
}

function collect(metrics: Metrics): Map<string, Collected> {
  const families = new Map<string, Collected>();
  for (const [path, kind, value] of metrics.read()) {
    const { family, labels } = seriesOf(path);
    const type = family.counts ? 'counter' : kind;
    let name = type === 'counter' ? `${family.name}_total` : family.name;
    let collected = families.get(name);
    if (collected && collected.type !== type) {
      name = `${name}_${type}`;
      collected = families.get(name);
    }
    if (!collected) {
      collected = { name, help: family.help, type, values: [] };
      families.set(name, collected);
    }
    collected.values.push(...valuesOf(name, labels, value, family));
  }
  return families;
}

function valuesOf(name: string, labels: Record<string, string>, value: MetricValue, family: Family): Value[] {
  if (typeof value === 'number') return [{ labels, value: value * family.scale }];
  if (isHistogram(value)) return bucketsOf(name, labels, value, [...boundsMs, ...family.furtherBounds]);
  return value.map((member) => ({ labels: { ...labels, [family.member]: member }, value: 1 }));
}

function bucketsOf(
  name: string,
  labels: Record<string, string>,
  value: HistogramValue,
  bounds: readonly number[],
): Value[] {
  const { buckets } = value;
  const metricName = `${name}_bucket`;
  const values: Value[] = [];
  let below = 0;
  let at = 0;
  for (const bound of bounds) {
    for (; at < buckets.length && upperBound(buckets[at]!) <= bound; at += 2) below += buckets[at + 1]!;
    values.push({ metricName, labels: { le: bound / 1000, ...labels }, value: below });
  }
  const count = countOf(value);
  values.push({ metricName, labels: { le: '+Inf', ...labels }, value: count });
  values.push({ metricName: `${name}_sum`, labels, value: value.sum / 1000 });
  values.push({ metricName: `${name}_count`, labels, value: count });
  return values;
}
