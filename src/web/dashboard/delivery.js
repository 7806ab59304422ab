/**
 * Whether everybody gets what is for them: clients that lose their connections, back ends that are to hear who has left, other nodes
 * with subscribers.
 */
import { byId } from './dom.js';
import { facts, setFacts } from './facts.js';
import { age, bytes, count, decimal, milliseconds } from './format.js';

const list = facts();
list.classList.add('broad');

export function showDelivery(history, view) {
  const point = history.now(view.scope);
  if (!list.isConnected) byId('delivery').append(list);
  if (!point) return setFacts(list, [['Unknown', 'This node does not answer.']]);
  const { delivery } = point;
  setFacts(list, [
    ['Suspended', `${count(delivery.suspended)} of ${count(point.clients)} clients`],
    ['Returned', returned(point)],
    ['Not recovered', notRecovered(delivery)],
    ['Not returned', notReturned(delivery)],
    ['Kept for returns', kept(delivery)],
    ['Departures', departures(delivery)],
    ['Between nodes', betweenNodes(delivery)],
    ['Gaps', gaps(delivery)],
    ['Confirmations', confirmations(point)],
  ]);
}

function returned({ delivery: { recovered, replayed, elsewhere }, recovered: rate, histograms }) {
  const parts = [`${count(recovered)}`, `${decimal(rate)}/s`];
  const away = histograms.get('away');
  const times = away?.lately ?? away?.ever;
  if (times?.count) parts.push(`away p50 ${milliseconds(times.p50)}, p99 ${milliseconds(times.p99)}`);
  if (recovered > 0) parts.push(`${decimal(replayed / recovered)} events replayed each`);
  if (elsewhere > 0) parts.push(`${count(elsewhere)} now at another node`);
  return parts.join(' · ');
}

/** Those that came back and became new clients. */
function notRecovered({ unknown, ended, incomplete, tooMuch }) {
  const reasons = [
    [unknown, 'of an unknown session'],
    [ended, 'too late'],
    [incomplete, 'not all was kept'],
    [tooMuch, 'too much was missed'],
  ];
  return withReasons(unknown + ended + incomplete + tooMuch, reasons);
}

/** Sessions that ended without a return. */
function notReturned({ expired, evicted, lost }) {
  const reasons = [
    [expired, 'window over'],
    [evicted, 'slot needed'],
    [lost, 'events lost'],
  ];
  return withReasons(expired + evicted + lost, reasons);
}

function withReasons(sum, reasons) {
  const present = reasons.filter(([number]) => number > 0).map(([number, words]) => `${count(number)} ${words}`);
  return present.length === 0 ? count(sum) : `${count(sum)}: ${present.join(', ')}`;
}

function kept({ kept, keptBytes, keptMs }) {
  return kept === 0 ? 'nothing' : `${count(kept)} events, ${bytes(keptBytes)}, oldest ${age(keptMs)}`;
}

function departures({ departures, oldestDepartureMs, departuresGivenUp }) {
  const waiting =
    departures === 0 ? 'none waiting' : `${count(departures)} waiting for a back end, oldest ${age(oldestDepartureMs)}`;
  return departuresGivenUp === 0 ? waiting : `${waiting} · ${count(departuresGivenUp)} given up`;
}

function betweenNodes({ unacknowledged, unacknowledgedBytes, resent }) {
  const kept =
    unacknowledged === 0
      ? 'all acknowledged'
      : `${count(unacknowledged)} not acknowledged, ${bytes(unacknowledgedBytes)}`;
  return resent === 0 ? kept : `${kept} · ${count(resent)} resent`;
}

function gaps({ gaps, dropped, missed }) {
  if (gaps === 0 && missed === 0) return 'none';
  return `${count(gaps)}, ${count(dropped)} publishes lost · ${count(missed)} subscriptions concerned here`;
}

/** Of publishes that somebody waited for and that concerned other nodes. */
function confirmations({ delivery: { confirmed, unconfirmed }, histograms }) {
  if (confirmed === 0 && unconfirmed === 0) return 'none';
  const parts = [count(confirmed)];
  const latency = histograms.get('confirmations');
  const times = latency?.lately ?? latency?.ever;
  if (times?.count) parts.push(`p50 ${milliseconds(times.p50)}, p99 ${milliseconds(times.p99)}`);
  if (unconfirmed > 0) parts.push(`${count(unconfirmed)} not by all nodes`);
  return parts.join(' · ');
}
