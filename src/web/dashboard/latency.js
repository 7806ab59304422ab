/** How long hooks, back ends and publishes take: the last ten seconds of each, and a plot of the one that the user chose. */
import { Chart } from './chart.js';
import { byId, element, reconcile, setName, setText } from './dom.js';
import { Few } from './few.js';
import { decimal, milliseconds } from './format.js';

/** At first; the rest on demand, so that a thousand events do not fill the page. */
const fewRows = 12;

const lines = [
  { name: 'p50', colour: 'var(--line-2)' },
  { name: 'p90', colour: 'var(--line-1)' },
  { name: 'p99', colour: 'var(--line-3)' },
];

/** Shown elsewhere. */
const others = new Set(['confirmations', 'delay', 'away']);

const titles = { hooks: 'All hooks', pools: 'All pools', publishes: 'Publishes', stored: 'Stored in Redis' };

/** What a histogram is of: its name, and of what kind that is. */
function titleOf(key) {
  if (Object.hasOwn(titles, key)) return [titles[key], ''];
  const space = key.indexOf(' ');
  return [key.slice(space + 1), key.slice(0, space)];
}

export class Latency {
  #chart = new Chart({ title: titles.hooks, testId: 'plot-latency', format: milliseconds });
  #chosen = 'hooks';
  #redraw = () => {};
  #few = new Few('all-latency', fewRows, () => this.#redraw());

  constructor() {
    byId('latency-plot').append(this.#chart.element);
  }

  /** @param {import('./history.js').History} history */
  show(history, view) {
    this.#redraw = () => this.show(history, view);
    const found = [...(history.now(view.scope)?.histograms ?? [])].filter(([key]) => !others.has(key));
    const rank = ([key, { ever }]) => (key in titles ? Number.POSITIVE_INFINITY : ever.count);
    const sorted = found.sort((a, b) => rank(b) - rank(a) || 0);
    reconcile(
      byId('latency'),
      this.#few.of(sorted),
      ([key]) => key,
      ([key]) => this.#row(key),
      (row, [key, histogram]) => this.#fill(row, key, histogram),
    );
    this.#plot(history, view);
  }

  #row(key) {
    const button = element('button', 'plain');
    setName(button, titleOf(key)[0]);
    button.addEventListener('click', () => {
      this.#chosen = key;
      this.#redraw();
    });
    const title = element('th', '', button, element('span', 'kind', titleOf(key)[1]));
    title.setAttribute('scope', 'row');
    const row = element('tr', '', title);
    for (let i = 0; i < 5; i += 1) row.append(element('td', 'number'));
    row.dataset.testid = `latency ${key}`;
    return row;
  }

  #fill(row, key, { rate, lately, ever, max }) {
    const now = lately ?? ever;
    row.classList.toggle('chosen', key === this.#chosen);
    row.classList.toggle('past', !lately);
    row.querySelector('button').setAttribute('aria-pressed', String(key === this.#chosen));
    const texts = [decimal(rate), ...[now.p50, now.p90, now.p99, ever.count > 0 ? max : null].map(milliseconds)];
    for (const [i, text] of texts.entries()) setText(row.cells[i + 1], text);
  }

  #plot(history, view) {
    const times = history.rounds.map(({ at }) => at);
    const read = (name) => (point) => point.histograms.get(this.#chosen)?.lately?.[name] ?? null;
    this.#chart.title = titleOf(this.#chosen).join(' ').trim();
    this.#chart.show(
      times,
      lines.map(({ name, colour }) => ({ name, colour, values: history.series(view.scope, read(name)) })),
    );
  }
}
