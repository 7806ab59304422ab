/**
 * The metric tree of one node. A counter is an object with a plain number in it: its name is resolved once, at start-up,
 * and counting is `counter.value += 1`. A gauge is read when somebody looks.
 */
export class Counter {
  value = 0;
}

/** What a gauge may read: a number, or a list of names (`hive.cluster.nodes`). */
export type GaugeValue = number | readonly string[];
export type MetricTree = { [segment: string]: GaugeValue | MetricTree };

type Metric = Counter | (() => GaugeValue);

export class Metrics {
  readonly #metrics = new Map<string, Metric>();

  /** The counter of that dotted path, made with value 0 if absent. */
  counter(path: string): Counter {
    const metric = this.#metrics.get(path);
    if (metric instanceof Counter) return metric;
    if (metric) throw new Error(`metric ${path} is a gauge`);
    const counter = new Counter();
    this.#metrics.set(path, counter);
    return counter;
  }

  /** Counters `prefix.name` for each name, as an object. */
  counters<Name extends string>(prefix: string, names: readonly Name[]): Record<Name, Counter> {
    const made: Partial<Record<Name, Counter>> = {};
    for (const name of names) made[name] = this.counter(`${prefix}.${name}`);
    return made as Record<Name, Counter>;
  }

  /** Reads `read` each time the tree is looked at; replaces an earlier gauge of that path (a restarted actor's). */
  gauge(path: string, read: () => GaugeValue): void {
    this.#metrics.set(path, read);
  }

  /** Forgets every metric whose path starts with these segments (a pool that was stopped). */
  remove(prefix: string): void {
    for (const path of this.#metrics.keys()) {
      if (path === prefix || path.startsWith(`${prefix}.`)) this.#metrics.delete(path);
    }
  }

  /** Sets a counter to 0. False if there is no counter of exactly that path. */
  reset(path: string): boolean {
    const metric = this.#metrics.get(path);
    if (!(metric instanceof Counter)) return false;
    metric.value = 0;
    return true;
  }

  /**
   * All metrics under a dotted prefix (all at all without one), nested from the root; undefined if nothing matches. Where
   * one metric's path is a prefix of another's, its own value is found under the empty name.
   */
  tree(section = ''): MetricTree | undefined {
    const root: MetricTree = Object.create(null);
    let found = false;
    for (const [path, metric] of this.#metrics) {
      if (section !== '' && path !== section && !path.startsWith(`${section}.`)) continue;
      found = true;
      place(root, path.split('.'), metric instanceof Counter ? metric.value : metric());
    }
    return found ? root : undefined;
  }
}

function place(root: MetricTree, segments: readonly string[], value: GaugeValue): void {
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

function isTree(value: GaugeValue | MetricTree | undefined): value is MetricTree {
  return typeof value === 'object' && !Array.isArray(value);
}
