/**
 * The dashboard: each round asks what is shown, one request after the other, and shows what came.
 *
 *   nodes ─▶ history ─▶ plots, delivery, durable sessions, latency, pools, table of nodes
 *   alarms (if any is set), health, crashes (if there are new ones), tree, actor, channel, client (as far as they are on the screen)
 */
import { ActorView } from './actor.js';
import { Alarms } from './alarms.js';
import { Gone, get, Interrupted, Refused } from './api.js';
import { ChannelView } from './channel.js';
import { ClientView } from './client.js';
import { Crashes } from './crashes.js';
import { showDelivery } from './delivery.js';
import { byId, choice, element, reconcile, setText } from './dom.js';
import { showDurable } from './durable.js';
import { History, together } from './history.js';
import { Latency } from './latency.js';
import * as link from './link.js';
import { awayText, showNodes } from './nodes.js';
import { Plots } from './plots.js';
import { Poller } from './poller.js';
import { showPools } from './pools.js';
import { setTheme, theme } from './theme.js';
import { Tree } from './tree.js';
import { TreeView } from './tree-view.js';

const leastPointMs = 1500;
const tellMs = 1000;

/** `away`: since when missing nodes have not answered, by the page's clock, and whether they ever did while it looked. */
const view = {
  scope: together,
  combine: 'together',
  nodes: [],
  missing: [],
  /** @type {Map<string, { since: number, wasSeen: boolean }>} */
  away: new Map(),
  /** Whether the one node that is shown did not answer. */
  isSilent: false,
};
let health = {};
let began = false;

const history = new History();
const plots = new Plots();
const latency = new Latency();
const alarms = new Alarms();
const tree = new Tree();
const actor = new ActorView();
const poller = new Poller(round);
const client = new ClientView(() => poller.now());
const channel = new ChannelView(
  () => poller.now(),
  (sid) => client.choose(sid),
);
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
for (const id of ['supervision', 'actor-panel', 'channel-panel', 'client-panel']) watcher.observe(byId(id));

// --- a round

async function round() {
  try {
    await ask();
    answered();
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
  if (goOn() && onScreen.has('actor-panel')) await actor.ask(view.nodes);
  if (goOn() && onScreen.has('channel-panel')) await channel.ask();
  if (goOn() && onScreen.has('client-panel')) await client.ask();
  redraw();
}

async function askNodes() {
  const { nodes, missing } = await get('nodes', { buckets: 'true' });
  const former = view.away;
  const before = history.rounds.at(-1);
  history.add(nodes);
  link.seen();
  view.nodes = Object.keys(nodes).sort();
  view.missing = missing;
  view.away = new Map(
    missing.map((node) => {
      const wasSeen = before?.points.has(node) ?? false;
      return [node, former.get(node) ?? { since: wasSeen ? before.at : performance.now(), wasSeen }];
    }),
  );
  ({ health } = await get('health', { cluster: 'true' }));
  await alarms.ask(new Map(view.nodes.map((node) => [node, history.latest.get(node)])));
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
  view.isSilent = view.scope !== together && !view.nodes.includes(view.scope);
  alarms.show(known() === 1);
  showNodes(history, view, health, choose);
  plots.show(history, view);
  showDelivery(history, view);
  showDurable(history, view);
  latency.show(history, view);
  showPools(history, view);
  const shown = shownNodes();
  treeView.show(shown);
  crashes.show(shown, view.isSilent);
}

function redrawAndAsk() {
  treeView.show(shownNodes());
  poller.now();
}

// --- what is live, and what goes wrong

function answered() {
  const { scope, missing } = view;
  link.answered({
    missing: missing.length,
    known: known(),
    chosen: view.isSilent ? `${scope} ${awayText(view, scope)}. Other nodes are live.` : '',
  });
}

function failed(error) {
  if (error instanceof Interrupted) return 'interrupted';
  if (error instanceof Refused && error.status === 401) {
    link.failed('refused', 'key refused', 'The key in the address of this page is wrong, or not valid any more.');
    return 'stop';
  }
  if (error instanceof Gone || error instanceof Refused) {
    const next = 'The page keeps trying.';
    if (error instanceof Gone) link.failed('gone', 'no answer', error.message, next);
    else link.failed('gone', 'failed', `${error.message} ${next}`);
    return 'failed';
  }
  // A defect of the page: what it shows may be wrong from now on, so it must be seen.
  link.failed('gone', 'failed', `The page has failed: ${error instanceof Error ? error.message : error}.`);
  console.error(error);
  return 'failed';
}

// --- what the user chooses

function showScope() {
  const select = /** @type {HTMLSelectElement} */ (byId('scope'));
  const single = known() === 1 && view.scope === together;
  const nodes = single ? [] : view.nodes.map((node) => ({ value: node, text: node }));
  const options = [{ value: together, text: allNodes() }, ...nodes];
  // What was seen of a missing node is in the plots; and it may come back.
  const absent = new Set(view.scope === together ? view.missing : [view.scope, ...view.missing]);
  for (const node of view.nodes) absent.delete(node);
  for (const node of absent) options.push({ value: node, text: `${node} (missing)` });
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

/** How many nodes there are, the missing ones too. */
const known = () => view.nodes.length + view.missing.length;

function allNodes() {
  return known() === 1 ? view.nodes[0] : `All ${known()} nodes`;
}

function choose(node) {
  view.scope = view.scope === node || known() === 1 ? together : node;
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
byId('retry').addEventListener('click', () => poller.anew());
choice('theme', theme(), setTheme);
choice('combine', view.combine, (chosen) => {
  view.combine = chosen;
  redraw();
});
choice('order', 'start', (chosen) => {
  tree.sort = chosen === 'mailbox' ? chosen : '';
  poller.now();
});

const tell = () => {
  if (!document.hidden) link.tell();
};
setInterval(tell, tellMs);
document.addEventListener('visibilitychange', tell);
poller.now();
