/** The plots of what goes on: of one node, of all together, or one line per node. */
import { Chart } from './chart.js';
import { byId } from './dom.js';
import { bytes, count, decimal, milliseconds, percent } from './format.js';
import { together } from './history.js';

const busy = (point) => total(point, 'busy');
const waiting = (point) => total(point, 'waiting');

function total(point, what) {
  let sum = 0;
  for (const pool of point.pools.values()) sum += pool[what];
  return sum;
}

const delay = (point) => point.histograms.get('delay')?.lately?.p99 ?? null;

/** `read` is what is drawn; a plot with `parts` has several lines unless it has one per node. */
const plots = [
  { id: 'clients', title: 'Clients', format: count, read: (point) => point.clients },
  { id: 'events', title: 'Events per second', format: decimal, read: (point) => point.events },
  { id: 'publishes', title: 'Publishes per second', format: decimal, read: (point) => point.publishes },
  { id: 'deliveries', title: 'Deliveries per second', format: decimal, read: (point) => point.deliveries },
  { id: 'delay', title: 'Event-loop delay, p99', format: milliseconds, read: delay },
  {
    id: 'use',
    title: 'Event-loop use',
    busiest: 'Event-loop use, busiest',
    format: percent,
    most: 1,
    read: (point) => point.use,
  },
  { id: 'memory', title: 'Memory', format: bytes, read: (point) => point.memory },
  {
    id: 'pools',
    title: 'Pools: requests at work',
    format: decimal,
    read: busy,
    parts: [
      { name: 'at work', colour: 'var(--line-1)', read: busy },
      { name: 'waiting', colour: 'var(--line-3)', read: waiting },
    ],
  },
];

/** So many colours there are for nodes; then they begin anew. */
const colours = 10;

/** The colour of a node, the same in all plots. */
export function colourOf(index) {
  return `var(--line-${1 + (index % colours)})`;
}

export class Plots {
  #charts = plots.map((plot) => ({ plot, chart: new Chart({ ...plot, testId: `plot-${plot.id}` }) }));

  constructor() {
    byId('plots').append(...this.#charts.map(({ chart }) => chart.element));
  }

  /** @param {import('./history.js').History} history */
  show(history, view) {
    const times = history.rounds.map(({ at }) => at);
    for (const { plot, chart } of this.#charts) {
      const all = view.scope === together && view.nodes.length > 1;
      if (plot.busiest) chart.title = all && view.combine === 'together' ? plot.busiest : plot.title;
      chart.show(times, linesOf(plot, history, view, all));
    }
  }
}

function linesOf(plot, history, view, all) {
  if (all && view.combine === 'each') {
    return view.nodes.map((node, i) => ({
      name: node,
      colour: colourOf(i),
      values: history.series(node, plot.read),
    }));
  }
  const parts = plot.parts ?? [{ name: plot.title, colour: 'var(--line-1)', read: plot.read }];
  return parts.map(({ name, colour, read }) => ({ name, colour, values: history.series(view.scope, read) }));
}
