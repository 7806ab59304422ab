/** The table of the cluster's nodes, the missing ones too. */
import { byId, element, reconcile, setName, setText } from './dom.js';
import { age, bytes, count, decimal, milliseconds, percent } from './format.js';
import { timeOfDay } from './link.js';
import { colourOf } from './plots.js';

const none = '–';
const mostOfReasons = 1000;

/** Since when a node has not answered. */
export function awayText({ away }, name) {
  const known = away.get(name);
  if (!known) return 'is not in the cluster any more';
  const time = timeOfDay(known.since);
  if (!known.wasSeen) return `has not answered since this page asked for it, ${time}`;
  return `has not answered for ${age(performance.now() - known.since)}, last at ${time}`;
}

/** `choose` is called with the name of the node that the user wants to look at. */
export function showNodes(history, view, health, choose) {
  const rows = [
    ...view.nodes.map((name, i) => ({ name, colour: colourOf(i), health: health[name], missing: false })),
    ...view.missing.map((name) => ({ name, colour: 'transparent', health: undefined, missing: true })),
  ];
  reconcile(
    byId('nodes'),
    rows,
    ({ name }) => name,
    ({ name }) => row(name, choose),
    (made, node) => {
      made.classList.toggle('missing', node.missing);
      made.classList.toggle('chosen', view.scope === node.name);
      const [title, state, ...numbers] = made.cells;
      const swatch = title.querySelector('.swatch');
      swatch.hidden = rows.length === 1;
      swatch.style.background = node.colour;
      title.querySelector('button').disabled = node.missing;
      showHealth(state, node, view, history.latest);
      const texts = node.missing ? [] : numbersOf(history, node.name);
      for (const [i, cell] of numbers.entries()) setText(cell, texts[i] ?? none);
    },
  );
}

function row(name, choose) {
  const button = element('button', 'plain');
  setName(button, name);
  button.addEventListener('click', () => choose(name));
  const title = element('th', '', element('span', 'swatch'), button);
  title.setAttribute('scope', 'row');
  const state = element('td', 'health', element('span', 'chip'), element('span', 'reasons'));
  const made = element('tr', '', title, state);
  for (const { textContent: heading } of byId('nodes-head').querySelectorAll('.number')) {
    const cell = element('td', 'number');
    cell.dataset.name = heading;
    made.append(cell);
  }
  made.dataset.testid = `node ${name}`;
  return made;
}

/** Of a node that is missing, where sessions outlive their nodes. */
function claimsText(latest) {
  const isDurable = [...latest.values()].some(({ durable }) => durable);
  return isDurable ? '; others claim its sessions when its lease has ended' : '';
}

function showHealth(cell, { name, health, missing }, view, latest) {
  const sample = latest.get(name);
  const status = missing ? 'missing' : (health?.status ?? 'unknown');
  const [chip, reasons] = cell.children;
  chip.dataset.state = status;
  setText(chip, status);
  const present = [...(health?.reasons ?? []), ...departuresText(sample)].join('; ');
  setText(reasons, missing ? awayText(view, name) + claimsText(latest) : present, mostOfReasons);
}

/** Clients that have gone, of which back ends do not know yet. */
function departuresText(sample) {
  if (!sample?.delivery.departures) return [];
  const { departures, oldestDepartureMs } = sample.delivery;
  return [`departures not answered by a back end: ${count(departures)}, oldest ${age(oldestDepartureMs)}`];
}

function numbersOf(history, name) {
  const point = history.now(name);
  const sample = history.latest.get(name);
  if (!point || !sample) return [];
  const delay = point.histograms.get('delay');
  return [
    age(sample.uptime),
    count(point.clients),
    decimal(point.events),
    decimal(point.deliveries),
    bytes(point.memory),
    milliseconds((delay?.lately ?? delay?.ever)?.p99),
    percent(point.use),
  ];
}
