/**
 * Every window that shows this page is subscribed to the channel `ping.all`. A ping is an action for all subscribers of `ping`,
 * the sender among them: "send your browser the event `pong`". The server runs it; there is no back end.
 */
import * as comb from './comb.js';
import { byId, coloured, element, hue, link, notice } from './shared/dom.js';
import { connect } from './shared/node.js';

const MAX_LATEST = 12; // pings listed
const MAX_TRIPS = 40; // round trips kept for the bars and the median
const LOST_MS = 10_000; // a ping that has not come back by then is not waited for

const FIRST = [
  'Amber',
  'Busy',
  'Clover',
  'Dusty',
  'Eager',
  'Fuzzy',
  'Golden',
  'Humming',
  'Lively',
  'Mellow',
  'Nimble',
  'Sunny',
];
const SECOND = [
  'Bee',
  'Blossom',
  'Bumble',
  'Comb',
  'Drone',
  'Forager',
  'Meadow',
  'Nectar',
  'Pollen',
  'Queen',
  'Scout',
  'Wing',
];

const any = (words) => words[Math.floor(Math.random() * words.length)];
const me = new URLSearchParams(location.search).get('name')?.slice(0, 24) || `${any(FIRST)} ${any(SECOND)}`;

const away = new Map(); // id of a ping of ours -> when it left
const trips = []; // milliseconds, oldest first
let sent = 0;
let seen = 0;
let socket;

function median(values) {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const figure = (ms) => ms.toFixed(ms < 10 ? 1 : 0);

function ping() {
  if (!socket?.connected) return;
  const now = performance.now();
  for (const [id, left] of away) if (now - left > LOST_MS) away.delete(id);
  const id = `${me} ${now} ${Math.random()}`;
  away.set(id, now);
  socket.emit('ping', { action: 'send_event', args: { name: 'pong', args: [{ id, from: me }] } });
  sent += 1;
  byId('sent').textContent = String(sent);
}

function returned(ms) {
  trips.push(ms);
  if (trips.length > MAX_TRIPS) trips.shift();
  byId('trip').textContent = figure(ms);
  byId('median').textContent = `${figure(median(trips))} ms`;
  const longest = Math.max(...trips);
  byId('trips').replaceChildren(
    ...trips.map((trip) => {
      const bar = element('li');
      bar.style.setProperty('--height', `${Math.max(4, (100 * trip) / longest)}%`);
      return bar;
    }),
  );
}

/** Anybody may have sent this: it is checked, and shown as text. */
function pong(value) {
  if (typeof value?.from !== 'string' || typeof value.id !== 'string') return;
  const from = value.from.slice(0, 24);
  const left = away.get(value.id);
  seen += 1;
  byId('seen').textContent = String(seen);
  comb.ripple(from, hue(from));
  const item = coloured('li', 'from', from);
  if (left !== undefined) {
    away.delete(value.id);
    const ms = performance.now() - left;
    returned(ms);
    item.append(element('small', '', `you, ${figure(ms)} ms`));
  }
  byId('latest').prepend(item);
  while (byId('latest').children.length > MAX_LATEST) byId('latest').lastElementChild.remove();
}

function linked(state, node) {
  link(state, node);
  byId('ping').disabled = state !== 'connected';
}

async function start() {
  byId('me').textContent = `you are ${me}`;
  socket = await connect(linked);
  socket.on('connect', () => socket.emit('subscribe', 'ping.all'));
  socket.on('pong', pong);
  socket.on('hive_error', (value) => notice(value.description));
}

byId('ping').addEventListener('click', ping);
document.addEventListener('keydown', (event) => {
  if (event.key !== ' ' || event.repeat || event.target instanceof HTMLButtonElement) return;
  event.preventDefault();
  ping();
});
start().catch((error) => notice(`The page could not start: ${error.message}`));
