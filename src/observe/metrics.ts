/**
 * The metric tree of one node. A counter is an object with a plain number in it: its name is resolved once, at start-up,
 * and counting is `counter.value += 1`; likewise `histogram.record(ms)`. A gauge is read when somebody looks.
 */
import { added, Histogram, type HistogramSummary, type HistogramValue, isHistogram, summary } from './histogram.ts';

export class Counter {
  value = 0;
}

/** What a gauge may read: a number, or a list of names (`hive.cluster.nodes`). */
export type GaugeValue = number | readonly string[];
export type MetricTree = { [segment: string]: GaugeValue | HistogramSummary | MetricTree };
export type MetricValue = GaugeValue | HistogramValue;
export type MetricKind = 'counter' | 'gauge' | 'histogram';
/** Metrics by dotted path, as nodes tell them to each other. */
export type MetricValues = readonly (readonly [path: string, value: MetricValue])[];

/** What is shown of a histogram. */
type ShowHistogram = (value: HistogramValue) => HistogramSummary;

/** What the numbers of several nodes are together: how many, or how much at most or at least. Lists are united. */
export type Aggregation = 'sum' | 'max' | 'min';

interface Gauge {
  readonly read: () => GaugeValue;
  readonly together: Aggregation;
}

export class Metrics {
  readonly #metrics = new Map<string, Counter | Histogram | Gauge>();

  /** The counter of that dotted path, made with value 0 if absent. */
  counter(path: string): Counter {
    const metric = this.#metrics.get(path);
    if (metric instanceof Counter) return metric;
    if (metric) throw new Error(`metric ${path} is no counter`);
    const counter = new Counter();
    this.#metrics.set(path, counter);
    return counter;
  }

  /** The histogram of that dotted path, made empty if absent. */
  histogram(path: string): Histogram {
    const metric = this.#metrics.get(path);
    if (metric instanceof Histogram) return metric;
    if (metric) throw new Error(`metric ${path} is no histogram`);
    const histogram = new Histogram();
    this.#metrics.set(path, histogram);
    return histogram;
  }

  /** Counters `prefix.name` for each name, as an object. */
  counters<Name extends string>(prefix: string, names: readonly Name[]): Record<Name, Counter> {
    const made: Partial<Record<Name, Counter>> = {};
    for (const name of names) made[name] = this.counter(`${prefix}.${name}`);
    return made as Record<Name, Counter>;
  }

  /** Reads `read` each time the tree is looked at; replaces an earlier gauge of that path (a restarted actor's). */
  gauge(path: string, read: () => GaugeValue, together: Aggregation = 'sum'): void {
    this.#metrics.set(path, { read, together });
  }

  /** Forgets every metric whose path starts with these segments (a pool that was stopped). */
  remove(prefix: string): void {
    for (const path of this.#metrics.keys()) {
      if (path === prefix || path.startsWith(`${prefix}.`)) this.#metrics.delete(path);
    }
  }

  /** Sets a counter to 0, or empties a histogram. False if there is neither of exactly that path. */
  reset(path: string): boolean {
    const metric = this.#metrics.get(path);
    if (metric instanceof Counter) metric.value = 0;
    else if (metric instanceof Histogram) metric.reset();
    else return false;
    return true;
  }

  /** All metrics under a dotted prefix, all at all without one. */
  values(section = ''): MetricValues {
    const values: [string, MetricValue][] = [];
    for (const [path, metric] of this.#metrics) {
      if (section !== '' && path !== section && !path.startsWith(`${section}.`)) continue;
      values.push([path, read(metric)]);
    }
    return values;
  }

  /** A counter or gauge that is a number; undefined if there is none of exactly that path. */
  number(path: string): number | undefined {
    const metric = this.#metrics.get(path);
    const value = metric && !(metric instanceof Histogram) ? read(metric) : undefined;
    return typeof value === 'number' ? value : undefined;
  }

  /** All metrics, with what they are. */
  *read(): Generator<readonly [path: string, kind: MetricKind, value: MetricValue]> {
    for (const [path, metric] of this.#metrics) yield [path, kindOf(metric), read(metric)];
  }

  /** Those under a dotted prefix, nested from the root; undefined if nothing matches. */
  tree(section = ''): MetricTree | undefined {
    return treeOf(this.values(section));
  }

  /** The metrics of several nodes as one tree, with `show` made of each histogram; undefined if there are none. */
  together(nodes: Iterable<MetricValues>, show: ShowHistogram = summary): MetricTree | undefined {
    const total = new Map<string, MetricValue>();
    for (const values of nodes) {
      for (const [path, value] of values) {
        const sofar = total.get(path);
        total.set(path, sofar === undefined ? value : this.#combine(path, sofar, value));
      }
    }
    return treeOf(total, show);
  }

  #combine(path: string, one: MetricValue, other: MetricValue): MetricValue {
    if (isHistogram(one) && isHistogram(other)) return added(one, other);
    if (typeof one !== 'number' || typeof other !== 'number')
      return [...new Set([one, other].flat())].map(String).sort();
    const metric = this.#metrics.get(path);
    const together = metric && 'together' in metric ? metric.together : 'sum';
    return together === 'sum' ? one + other : Math[together](one, other);
  }
}

function kindOf(metric: Counter | Histogram | Gauge): MetricKind {
  if (metric instanceof Counter) return 'counter';
  return metric instanceof Histogram ? 'histogram' : 'gauge';
}

function read(metric: Counter | Histogram | Gauge): MetricValue {
  if (metric instanceof Counter) return metric.value;
  return metric instanceof Histogram ? metric.value() : metric.read();
}

/** Where one metric's path is a prefix of another's, its own value is found under the empty name. */
function treeOf(
  values: Iterable<readonly [path: string, value: MetricValue]>,
  show: ShowHistogram = summary,
): MetricTree | undefined {
  const root: MetricTree = Object.create(null);
  let found = false;
  for (const [path, value] of values) {
    found = true;
    place(root, path.split('.'), isHistogram(value) ? show(value) : value);
  }
  return found ? root : undefined;
}

function place(root: MetricTree, segments: readonly string[], value: GaugeValue | HistogramSummary): void {
  let node = root;
  for (const segment of segments.slice(0, -1)) {
    const next = node[segment];
    if (isTree(next)) {
      node = next;
      continue;
    }
    const made: MetricTree = Object.create(null);
    if (next !== undefined) made[''] = next;
    node[segment] = made;
    node = made;
  }
  const last = segments[segments.length - 1]!;
  const present = node[last];
  if (isTree(present)) present[''] = value;
  else node[last] = value;
}

/** Only trees have no prototype. */
function isTree(value: MetricTree[string] | undefined): value is MetricTree {
  return typeof value === 'object' && Object.getPrototypeOf(value) === null;
}
