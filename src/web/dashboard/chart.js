/**
 * A plot of the last minutes. The picture is an SVG that stretches with the page, so all text stands outside of it:
 *
 *   title          now
 *   ┌─────────────────┐ max
 *   │   ╱╲   lines    │
 *   └────────┴────────┘ 0
 *        −30 s      now
 *   names of the lines
 */
import { element, reconcile, setText } from './dom.js';
import { age, roundUp } from './format.js';
import { historyMs } from './history.js';
import { shown } from './text.js';

/** What is on the picture at least, before so much is known. */
const leastMs = 60_000;
const width = 300;
const height = 100;
/** The axis has its marks so far apart, the first of these with which there is room for them. */
const stepsMs = [15_000, 30_000, 60_000, 120_000];
const mostMarks = 3;
/** Without a point for so long a line breaks: nobody was looking. */
const gapMs = 20_000;

/** @typedef {{ name: string, colour: string, values: (number | null)[] }} Line */

function svg(tag, attributes) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

export class Chart {
  element;
  #title;
  #format;
  #most;
  #now = element('output', 'now');
  #when = element('span', 'when');
  #top = element('span', 'top');
  #legend = element('ul', 'legend');
  #axis = element('div', 'axis');
  #svg = svg('svg', { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  #marks = svg('g', {});
  #area = svg('path', { class: 'area' });
  #lines = svg('g', {});
  #cursor = svg('line', { class: 'cursor', y1: '0', y2: String(height), visibility: 'hidden' });
  /** @type {{ times: number[], lines: Line[] }} */
  #shown = { times: [], lines: [] };
  #pointed = -1;

  /** `format` makes text of a value; `most`: the top of the scale, if it is always the same. */
  constructor({ title, testId, format, most = undefined }) {
    this.#title = title;
    this.#format = format;
    this.#most = most;
    this.#svg.append(
      svg('line', { class: 'grid', x1: '0', x2: String(width), y1: '50', y2: '50' }),
      this.#marks,
      this.#area,
      this.#lines,
      this.#cursor,
    );
    const picture = element('div', 'picture', this.#top, element('span', 'bottom', '0'), this.#svg);
    const head = element('div', 'head', element('h3', '', title), this.#when, this.#now);
    this.element = element('figure', 'chart', head, picture, this.#axis, this.#legend);
    this.#axis.setAttribute('aria-hidden', 'true');
    this.element.dataset.testid = testId;
    picture.addEventListener('pointermove', (event) => this.#point(event));
    picture.addEventListener('pointerleave', () => this.#point(undefined));
  }

  set title(title) {
    this.#title = title;
    setText(this.element.querySelector('h3'), title);
  }

  /** @param {number[]} times @param {Line[]} lines */
  show(times, lines) {
    this.#shown = { times, lines };
    const greatest = Math.max(0, ...lines.flatMap(({ values }) => values.map((value) => value ?? 0)));
    const most = this.#most ?? roundUp(greatest);
    setText(this.#top, this.#format(most));
    const x = (time) => this.#x(time);
    const y = (value) => height - 1 - (Math.min(value, most) / most) * (height - 3);
    reconcile(
      this.#lines,
      lines,
      ({ name }) => name,
      () => svg('path', { class: 'line' }),
      (path, { colour, values }) => {
        path.setAttribute('d', outline(times, values, x, y));
        path.style.stroke = colour;
      },
    );
    const single = lines.length === 1 ? lines[0] : undefined;
    this.#area.setAttribute('d', single ? outline(times, single.values, x, y, height) : '');
    this.#area.style.fill = single?.colour ?? 'none';
    this.#drawAxis();
    this.#tell();
  }

  /** Marks at round times before the last point. */
  #drawAxis() {
    const spanMs = this.#spanMs;
    const stepMs = stepsMs.find((step) => spanMs / step < mostMarks) ?? stepsMs.at(-1);
    const ages = [];
    for (let ageMs = 0; ageMs <= spanMs; ageMs += stepMs) ages.push(ageMs);
    const share = (ageMs) => 1 - ageMs / spanMs;
    reconcile(
      this.#axis,
      ages,
      (ageMs) => ageMs,
      (ageMs) => element('span', '', ageMs === 0 ? 'now' : `−${age(ageMs)}`),
      (mark, ageMs) => {
        mark.style.left = `${(100 * share(ageMs)).toFixed(2)}%`;
        // Near the edges there is room on one side only.
        mark.dataset.side = share(ageMs) > 0.9 ? 'end' : share(ageMs) < 0.1 ? 'start' : '';
      },
    );
    reconcile(
      this.#marks,
      ages.slice(1),
      (ageMs) => ageMs,
      () => svg('line', { class: 'grid', y1: '0', y2: String(height) }),
      (line, ageMs) => {
        const x = (width * share(ageMs)).toFixed(1);
        line.setAttribute('x1', x);
        line.setAttribute('x2', x);
      },
    );
  }

  /** The picture begins with the first point, until there are more than it shows. */
  get #spanMs() {
    const { times } = this.#shown;
    return Math.min(historyMs, Math.max(leastMs, (times.at(-1) ?? 0) - (times[0] ?? 0)));
  }

  #x(time) {
    return width - (((this.#shown.times.at(-1) ?? 0) - time) / this.#spanMs) * width;
  }

  #point(event) {
    const { times } = this.#shown;
    this.#pointed = -1;
    if (event && times.length > 0) {
      const box = this.#svg.getBoundingClientRect();
      const wanted = times.at(-1) - (1 - (event.clientX - box.left) / box.width) * this.#spanMs;
      let best = 0;
      for (const [i, time] of times.entries()) if (Math.abs(time - wanted) < Math.abs(times[best] - wanted)) best = i;
      this.#pointed = best;
    }
    this.#tell();
  }

  /** The values at the pointer, or the last ones. */
  #tell() {
    const { times, lines } = this.#shown;
    const pointed = this.#pointed >= 0 && this.#pointed < times.length;
    const at = pointed ? this.#pointed : times.length - 1;
    const end = times.at(-1) ?? 0;
    this.#cursor.setAttribute('visibility', pointed ? 'visible' : 'hidden');
    if (pointed) {
      const x = String(this.#x(times[at]));
      this.#cursor.setAttribute('x1', x);
      this.#cursor.setAttribute('x2', x);
    }
    setText(this.#when, pointed ? `${Math.round((end - times[at]) / 1000)} s ago` : '');
    const text = (line) => this.#format(line?.values[at]);
    setText(this.#now, lines.length === 1 ? text(lines[0]) : '');
    reconcile(
      this.#legend,
      lines.length > 1 ? lines : [],
      ({ name }) => name,
      ({ name }) => element('li', '', element('span', 'swatch'), element('span', 'name', name), element('b', '')),
      (item, line) => {
        item.firstElementChild.style.background = line.colour;
        setText(item.lastElementChild, text(line));
      },
    );
    const words = lines.map((line) => (lines.length > 1 ? `${line.name} ${text(line)}` : text(line)));
    this.element.setAttribute('aria-label', shown(`${this.#title}: ${words.join(', ')}`));
  }
}

/** The path of a line; with `bottom` that of the area between it and there. */
function outline(times, values, x, y, bottom = undefined) {
  let path = '';
  let last;
  const close = () => {
    if (bottom !== undefined && last !== undefined) path += `V${bottom}Z`;
  };
  for (const [i, value] of values.entries()) {
    const goesOn = last !== undefined && times[i] - last < gapMs;
    if (value === null || value === undefined || !goesOn) close();
    if (value === null || value === undefined) {
      last = undefined;
      continue;
    }
    const place = `${x(times[i]).toFixed(1)} ${y(value).toFixed(1)}`;
    if (goesOn) path += `L${place}`;
    else if (bottom === undefined)
      path += `M${place}h0`; // a line of no length, which round ends make visible
    else path += `M${x(times[i]).toFixed(1)} ${bottom}L${place}`;
    last = times[i];
  }
  close();
  return path;
}
