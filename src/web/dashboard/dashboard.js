/**
 * The dashboard: each round asks what is shown, one request after the other, and shows what came.
 *
 *   nodes ─▶ history ─▶ plots, latency, pools, table of nodes
 *   health, crashes (if there are new ones), tree, actor, client (as far as they are on the screen)
 */
import { ActorView } from './actor.js';
import { Gone, get, Refused } from './api.js';
import { ClientView } from './client.js';
import { Crashes } from './crashes.js';
import { byId, choice, element, reconcile, setText } from './dom.js';
import { History, together } from './history.js';
import { Latency } from './latency.js';
import { showNodes } from './nodes.js';
import { Plots } from './plots.js';
import { Poller } from './poller.js';
import { showPools } from './pools.js';
import { setTheme, theme } from './theme.js';
import { Tree } from './tree.js';
import { TreeView } from './tree-view.js';

const leastPointMs = 1500;

const view = { scope: together, combine: 'together', nodes: [], missing: [] };
let health = {};
let began = false;

const history = new History();
const plots = new Plots();
const latency = new Latency();
const tree = new Tree();
const actor = new ActorView();
const poller = new Poller(round);
const client = new ClientView(() => poller.now());
const treeView = new TreeView(tree, redrawAndAsk, (row) => {
  actor.choose(row);
  poller.now();
});
const crashes = new Crashes((node, { path }) => treeView.flash(node, path));

/** The nodes whose tree and crashes are shown. */
const shownNodes = () => (view.scope === together ? view.nodes : view.nodes.filter((node) => node === view.scope));

// --- what is on the screen: what is not is not asked for

const onScreen = new Set();
const watcher = new IntersectionObserver((entries) => {
  let appeared = false;
  for (const { target, isIntersecting } of entries) {
    if (isIntersecting && !onScreen.has(target.id)) appeared = true;
    if (isIntersecting) onScreen.add(target.id);
    else onScreen.delete(target.id);
  }
  if (appeared && began) poller.now();
});
for (const id of ['supervision', 'actor-panel', 'client-panel']) watcher.observe(byId(id));

// --- a round

async function round() {
  try {
    await ask();
    say('live', 'live');
    return 'on';
  } catch (error) {
    return failed(error);
  }
}

async function ask() {
  // What the user does in between makes no points: they would stand too close to tell how much comes per second.
  if (performance.now() - (history.rounds.at(-1)?.at ?? Number.NEGATIVE_INFINITY) >= leastPointMs) await askNodes();
  if (!began) begin();
  showScope();
  redraw();
  const goOn = () => !document.hidden;
  const shown = shownNodes();
  if (goOn()) await crashes.ask(new Map(shown.map((node) => [node, history.latest.get(node)])));
  if (goOn() && onScreen.has('supervision')) await tree.ask(shown, goOn);
  if (goOn() && onScreen.has('actor-panel')) await actor.ask();
  if (goOn() && onScreen.has('client-panel')) await client.ask();
  redraw();
}

async function askNodes() {
  const { nodes, missing } = await get('nodes', { buckets: 'true' });
  history.add(nodes);
  view.nodes = Object.keys(nodes).sort();
  view.missing = missing;
  ({ health } = await get('health', { cluster: 'true' }));
}

/** What is open at first: of a single node more than of several. */
function begin() {
  began = true;
  for (const node of view.nodes) {
    tree.open(node, '');
    if (view.nodes.length < 4) tree.open(node, 'hive_sup');
  }
}

function redraw() {
  showNodes(history, view, health, choose);
  plots.show(history, view);
  latency.show(history, view);
  showPools(history, view);
  const shown = shownNodes();
  treeView.show(shown);
  crashes.show(shown);
}

function redrawAndAsk() {
  treeView.show(shownNodes());
  poller.now();
}

// --- what goes wrong

function failed(error) {
  if (error instanceof Refused && error.status === 401) {
    say('refused', 'key refused', 'The key in the address of this page is wrong, or not valid any more.');
    return 'stop';
  }
  if (error instanceof Refused || error instanceof Gone) {
    const since = history.rounds.at(-1);
    const seen = since ? ` Last seen at ${new Date(performance.timeOrigin + since.at).toLocaleTimeString()}.` : '';
    say('gone', 'no answer', `${error.message}${seen} The page keeps trying.`);
    return 'failed';
  }
  // A defect of the page: what it shows may be wrong from now on, so it must be seen.
  say('gone', 'failed', `The page has failed: ${error instanceof Error ? error.message : error}`);
  console.error(error);
  return 'failed';
}

/** @param {string} state @param {string} word @param {string} [text] why what is shown is not what is */
function say(state, word, text = '') {
  byId('link').dataset.state = state;
  setText(byId('link'), word);
  byId('banner').hidden = text === '';
  setText(byId('banner-text'), text);
  byId('main').classList.toggle('stale', text !== '');
}

// --- what the user chooses

function showScope() {
  const select = /** @type {HTMLSelectElement} */ (byId('scope'));
  const single = view.nodes.length === 1 && view.scope === together;
  const nodes = single ? [] : view.nodes.map((node) => ({ value: node, text: node }));
  const options = [{ value: together, text: allNodes() }, ...nodes];
  // The node that is shown may be gone; it may come back.
  if (view.scope !== together && !view.nodes.includes(view.scope)) {
    options.push({ value: view.scope, text: `${view.scope} (missing)` });
  }
  reconcile(
    select,
    options,
    ({ value }) => value,
    ({ value }) => Object.assign(element('option', ''), { value }),
    (option, { text }) => setText(option, text),
  );
  select.value = view.scope;
  byId('combine').hidden = view.scope !== together || view.nodes.length < 2;
}

function allNodes() {
  return view.nodes.length === 1 ? view.nodes[0] : `All ${view.nodes.length} nodes`;
}

function choose(node) {
  view.scope = view.scope === node || view.nodes.length === 1 ? together : node;
  showScope();
  redraw();
  poller.now();
}

byId('scope').addEventListener('change', (event) => {
  view.scope = /** @type {HTMLSelectElement} */ (event.target).value;
  showScope();
  redraw();
  poller.now();
});
byId('retry').addEventListener('click', () => poller.now());
choice('theme', theme(), setTheme);
choice('combine', view.combine, (chosen) => {
  view.combine = chosen;
  redraw();
});
choice('order', 'start', (chosen) => {
  tree.sort = chosen === 'mailbox' ? chosen : '';
  poller.now();
});

poller.now();
