/**
 * The last five minutes, as far as somebody has looked: of each round what the plots show, for each node and for all of them
 * together. Of the samples themselves only those of the last ten seconds are kept, to tell what has come since.
 */
import { percentiles, since, sum } from './percentiles.js';
import { deliveryOfAll, durableOfAll, sampleOf } from './samples.js';

/** @typedef {import('./samples.js').Sample} Sample */

export const historyMs = 5 * 60_000;
const windowMs = 10_000;
const mostPoints = 200;

/** What all nodes are together. */
export const together = '';

const rates = ['events', 'publishes', 'deliveries', 'recovered'];
const gauges = ['clients', 'memory'];

export class History {
  /** Oldest first: when (by the page's own clock, which nobody sets), and what the plots show by node. @type {{ at: number, points: Map<string, any> }[]} */
  rounds = [];
  /** The last samples by node, without those that did not answer. @type {Map<string, Sample>} */
  latest = new Map();
  /** @type {{ at: number, samples: Map<string, Sample> }[]} */
  #recent = [];

  /** @param {Record<string, any>} trees the metric trees by node */
  add(trees, at = performance.now()) {
    const samples = new Map(Object.entries(trees).map(([node, tree]) => [node, sampleOf(tree)]));
    const last = this.#recent.at(-1);
    while (this.#recent.length > 1 && this.#recent[0].at < at - windowMs) this.#recent.shift();
    const first = this.#recent[0];
    const points = new Map();
    for (const [node, sample] of samples)
      points.set(node, point([[sample, before(last, node, sample, at), before(first, node, sample, at)]]));
    points.set(
      together,
      point(
        [...samples].map(([node, sample]) => [sample, before(last, node, sample, at), before(first, node, sample, at)]),
      ),
    );
    this.latest = samples;
    this.#recent.push({ at, samples });
    this.rounds.push({ at, points });
    while (this.rounds.length > mostPoints || this.rounds[0].at < at - historyMs) this.rounds.shift();
  }

  /** The last point of a node; undefined if it did not answer. */
  now(node) {
    return this.rounds.at(-1)?.points.get(node);
  }

  /** @returns {(number | null)[]} one value per round */
  series(node, read) {
    return this.rounds.map(({ points }) => {
      const found = points.get(node);
      return (found && read(found)) ?? null;
    });
  }
}

/** An earlier sample of the same run of a node, and how long ago it was. */
function before(round, node, sample, at) {
  const earlier = round?.samples.get(node);
  if (!earlier || earlier.uptime >= sample.uptime) return undefined;
  return { sample: earlier, seconds: (at - round.at) / 1000 };
}

/** What is shown of one node or several: each with its sample, the one before, and that of ten seconds ago. */
function point(nodes) {
  const made = { use: null, pools: new Map(), histograms: new Map() };
  for (const name of gauges) made[name] = sum(nodes.map(([sample]) => sample[name]));
  for (const name of rates)
    made[name] = sum(nodes.map(([sample, last]) => rate(sample[name], last?.sample[name], last)));
  if (nodes.length > 0) made.use = Math.max(...nodes.map(([{ use }]) => use));
  made.delivery = deliveryOfAll(nodes.map(([{ delivery }]) => delivery));
  made.durable = durableOfAll(nodes.map(([{ durable }]) => durable));
  addPools(made.pools, nodes);
  addHistograms(made.histograms, nodes);
  return made;
}

function rate(now, earlier, last) {
  // Somebody may have reset the counter.
  return last && last.seconds > 0 && now >= earlier ? (now - earlier) / last.seconds : null;
}

function addPools(pools, nodes) {
  for (const [sample, last] of nodes) {
    for (const [name, pool] of sample.pools) {
      const sofar = pools.get(name) ?? {
        kind: pool.kind,
        workers: 0,
        capacity: 0,
        busy: 0,
        waiting: 0,
        requests: null,
        errors: null,
      };
      const earlier = last?.sample.pools.get(name);
      for (const key of ['workers', 'capacity', 'busy', 'waiting']) sofar[key] += pool[key];
      for (const key of ['requests', 'errors']) {
        sofar[key] = sum([sofar[key], earlier ? rate(pool[key], earlier[key], last) : null]);
      }
      if (pool.connected !== undefined) sofar.connected = sum([sofar.connected, pool.connected]);
      pools.set(name, sofar);
    }
  }
}

function addHistograms(histograms, nodes) {
  const keys = new Set(nodes.flatMap(([sample]) => [...sample.histograms.keys()]));
  for (const key of keys) {
    const parts = nodes.filter(([sample]) => sample.histograms.has(key));
    const all = parts.map(([sample]) => sample.histograms.get(key));
    const recent = parts.flatMap(([sample, , first]) =>
      first ? [since(sample.histograms.get(key).buckets, first.sample.histograms.get(key)?.buckets)] : [],
    );
    const seconds = Math.max(...parts.map(([, , first]) => first?.seconds ?? 0));
    const max = Math.max(...all.map((histogram) => histogram.max));
    const lately = percentiles(recent, max);
    histograms.set(key, {
      rate: seconds > 0 ? lately.count / seconds : null,
      lately: lately.count > 0 ? lately : undefined,
      ever: percentiles(
        all.map(({ buckets }) => buckets),
        max,
      ),
      max,
    });
  }
}
