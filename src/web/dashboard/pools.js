/** The connector pools: how busy each is, and whether Redis is there. */
import { byId, element, reconcile, setName, setText } from './dom.js';
import { Few } from './few.js';
import { count, decimal } from './format.js';
import { shown } from './text.js';

const fewPools = 6;
const noPools =
  'No pool is running. Hooks reach back ends through pools; the section `connectors` of the configuration says which.';
let redraw = () => {};
const few = new Few('all-pools', fewPools, () => redraw());

export function showPools(history, view) {
  redraw = () => showPools(history, view);
  const pools = [...(history.now(view.scope)?.pools ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
  byId('no-pools').hidden = pools.length > 0;
  setText(byId('no-pools'), view.isSilent ? 'This node does not answer.' : noPools);
  reconcile(
    byId('pools'),
    few.of(pools),
    ([name]) => name,
    ([name, { kind }]) => item(name, kind),
    (made, [, pool]) => fill(made, pool),
  );
}

function item(name, kind) {
  const title = element('b', 'name');
  setName(title, name.slice(kind.length + 1));
  const head = element('div', 'head', title, element('span', 'kind', kind), element('span', 'chip'));
  const bar = element('div', 'bar', element('span', ''));
  bar.setAttribute('role', 'meter');
  bar.setAttribute('aria-label', `${shown(name)}: workers in use`);
  bar.setAttribute('aria-valuemin', '0');
  const made = element('li', '', head, bar, element('p', 'soft'));
  made.dataset.testid = `pool ${name}`;
  return made;
}

function fill(made, pool) {
  const { workers, capacity, busy, waiting, requests, errors } = pool;
  const [head, bar, text] = made.children;
  const chip = head.lastElementChild;
  const [state, words] = stateOf(pool);
  chip.dataset.state = state;
  setText(chip, words);
  bar.setAttribute('aria-valuenow', String(busy));
  bar.setAttribute('aria-valuemax', String(capacity));
  bar.firstElementChild.style.width = `${Math.min(100, (100 * busy) / Math.max(1, capacity))}%`;
  bar.classList.toggle('full', busy >= capacity);
  const parts = [`${count(busy)} of ${count(capacity)} at work`, `${count(workers)} running`];
  if (waiting > 0) parts.push(`${count(waiting)} waiting`);
  parts.push(`${decimal(requests)}/s`);
  if (errors) parts.push(`${decimal(errors)} errors/s`);
  setText(text, parts.join(' · '));
}

function stateOf({ kind, workers, connected = 0 }) {
  if (kind !== 'redis') return workers > 0 ? ['ready', 'ready'] : ['failed', 'no worker'];
  if (connected === 0) return ['failed', 'Redis is away'];
  return connected < workers ? ['degraded', `${count(connected)} connected`] : ['ready', 'connected'];
}
