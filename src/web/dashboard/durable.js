/** Sessions that outlive their nodes; nothing of it is shown where no node has any. */
import { byId } from './dom.js';
import { facts, setFacts } from './facts.js';
import { age, bytes, count, milliseconds } from './format.js';
import { together } from './history.js';

const list = facts();
list.classList.add('broad');

export function showDurable(history, view) {
  const nodes = [...history.latest].filter(([, { durable }]) => durable);
  byId('durable-part').hidden = nodes.length === 0;
  if (!list.isConnected) byId('durable').append(list);
  const point = history.now(view.scope);
  if (!point) return setFacts(list, [['Unknown', 'This node does not answer.']]);
  const { durable } = point;
  if (!durable) return setFacts(list, [['Durable', 'clients.durable is not configured on this node']]);
  const shown = view.scope === together ? nodes : nodes.filter(([node]) => node === view.scope);
  setFacts(list, [
    ['Durable', state(shown, view)],
    ['Lease', lease(durable, shown)],
    ['Sessions', sessions(durable)],
    ['Claimed', claimed(durable)],
    ['Handed over', durable.handedOver > 0 ? `${count(durable.handedOver)} to other nodes` : ''],
    ['Not complete', incomplete(durable)],
    ['Lost to others', lost(durable)],
    ['Stored within', stored(point)],
    ['Journal in Redis', `${count(durable.entries)} batches of events, ${bytes(durable.bytes)}`],
    ['Not stored', durable.unstored > 0 ? `${count(durable.unstored)} events, while sessions were not durable` : ''],
    ['Redis errors', durable.errors > 0 ? `${count(durable.errors)} requests failed` : 'none'],
  ]);
}

function state(shown, { missing }) {
  const down = shown.filter(([, { durable }]) => durable.up === 0);
  const all = missing.length === 0 ? 'nodes' : 'nodes that answer';
  if (shown.length === 1) return down.length === 0 ? 'yes' : `NO, for ${age(down[0][1].durable.downMs)}`;
  if (down.length === 0) return `on all ${shown.length} ${all}`;
  const texts = down.map(([node, { durable }]) => `${node} for ${age(durable.downMs)}`);
  return `on ${shown.length - down.length} of ${shown.length} ${all}; NOT on ${texts.join(', ')}`;
}

/** The name of the lease is that of its keys in Redis. */
function lease({ leaseMs, leasesLost }, shown) {
  const parts = [leaseMs > 0 ? `renewed, lasts ${age(leaseMs)}` : 'has run out'];
  if (shown.length > 1) parts[0] = leaseMs > 0 ? `all renewed, the shortest lasts ${age(leaseMs)}` : 'one has run out';
  else parts.push(...shown[0][1].durable.owners);
  if (leasesLost > 0) parts.push(`${count(leasesLost)} lost`);
  return parts.join(' · ');
}

function sessions({ sessions, present }) {
  const stored = `${count(sessions)} stored`;
  return present === 0 ? stored : `${stored} · ${count(present)} of them adopted from other nodes`;
}

function claimed({ claimed, adopted, departures, contended, sweeps }) {
  if (claimed === 0 && contended === 0) return `none in ${count(sweeps)} searches for nodes that are gone`;
  const parts = [
    `${count(claimed)} of nodes that are gone`,
    `${count(adopted)} went on`,
    `${count(departures)} departed`,
  ];
  if (contended > 0) parts.push(`${count(contended)} went to other nodes`);
  return parts.join(' · ');
}

/** Adopted clients that had to begin anew. */
function incomplete({ failed, peers, actions }) {
  const reasons = [
    [failed, 'could not start'],
    [peers, 'another node did not answer'],
    [actions, 'actions were published'],
  ];
  const present = reasons.filter(([number]) => number > 0).map(([number, words]) => `${count(number)} ${words}`);
  return present.join(', ');
}

function lost({ claimsLost, fenced }) {
  if (claimsLost === 0) return 'none';
  return `${count(claimsLost)} sessions, after this node was silent · ${count(fenced)} writes refused`;
}

function stored({ durable: { waiting, waitingMs }, histograms }) {
  const latency = histograms.get('stored');
  const times = latency?.lately ?? latency?.ever;
  const parts = times?.count ? [`p50 ${milliseconds(times.p50)}`, `p99 ${milliseconds(times.p99)}`] : ['nothing yet'];
  if (waiting > 0) parts.push(`${count(waiting)} events wait, for ${milliseconds(waitingMs)}`);
  return parts.join(' · ');
}
