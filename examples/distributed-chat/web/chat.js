/** The chat in the browser: what it knows of rooms, what the user does, what the cluster says. */

import { Connection, firstNode } from './connection.js';
import { Outbox } from './outbox.js';
import { notice, onSubmit } from './shared/dom.js';
import { members } from './shared/talk.js';
import * as view from './view.js';

const RETRY_MS = 1000;
const RESUME_MS = 170_000; // a node notices a client that vanished without a word after 45 s at most, then waits 120 s for it
const MAX_ENTRIES = 500; // lines kept per room

const rooms = new Map(); // name -> { members, away, revision, entries, ids, unread }
let active; // name of the room shown
let nick; // what the user asked for; kept over reconnections and reloads
let welcomed = false; // our session has its nick
let former; // the id of the last session that had it
let reloading = false; // it is another one than before: what was missed comes with the rooms' history
let asked; // names of rooms that we have asked for and not been told of yet
let resumeUntil = 0; // until then a taken nick may be our own former session's
let connection;
const outbox = new Outbox(
  (message) => connection.emit('publish_msg', message),
  () => view.waiting(outbox.texts(active)),
);

const saved = JSON.parse(sessionStorage.getItem('chat') ?? '{"rooms":[]}');

function save() {
  sessionStorage.setItem('chat', JSON.stringify({ nick, rooms: [...rooms.keys()] }));
}

function authorize() {
  if (!welcomed) connection.emit('authorize', { nick, former });
}

function join(names) {
  asked = names;
  connection.emit('join_chat', { chat: names });
}

function showRooms() {
  view.rooms(rooms, active, select);
}

function select(name) {
  active = name;
  const shown = rooms.get(name);
  if (shown) shown.unread = 0;
  showRooms();
  view.room(name, shown, nick);
  view.waiting(outbox.texts(name));
}

function add(name, room, entry) {
  room.entries.push(entry);
  if (room.entries.length > MAX_ENTRIES) room.ids.delete(room.entries.shift().id);
  if (name === active) view.append(entry, nick);
}

function roster(room, { members, away, revision }) {
  if (revision < room.revision) return;
  room.members = members;
  room.away = away;
  room.revision = revision;
}

function changed(value, note) {
  const room = rooms.get(value.room);
  if (!room) return;
  roster(room, value);
  if (note && value.nick !== nick) add(value.room, room, { note });
  if (value.room === active) members(room.members, nick, room.away);
}

const handlers = {
  authorized(value) {
    nick = value.nick;
    welcomed = true;
    former = connection.sid;
    view.welcome(nick);
    view.changing(true);
    const names = rooms.size > 0 ? [...rooms.keys()] : saved.rooms;
    join(names.length > 0 ? names : ['lobby']);
    save();
  },
  entered(value) {
    asked = undefined;
    if (reloading) view.returned('reloaded');
    reloading = false;
    outbox.open();
    for (const told of value.rooms) {
      const room = rooms.get(told.room) ?? {
        members: [],
        away: [],
        revision: 0,
        entries: [],
        ids: new Set(),
        unread: 0,
      };
      rooms.set(told.room, room);
      roster(room, told);
      for (const message of told.history) handlers.message(message);
    }
    const latest = value.rooms.at(-1).room;
    select(rooms.has(active) && value.rooms.length > 1 ? active : latest);
    save();
  },
  exited(value) {
    for (const name of value.rooms) rooms.delete(name);
    select(rooms.has(active) ? active : rooms.keys().next().value);
    save();
  },
  message(value) {
    outbox.remove(value.id);
    const room = rooms.get(value.room);
    if (!room || room.ids.has(value.id)) return;
    room.ids.add(value.id);
    add(value.room, room, value);
    if (value.room === active) return;
    room.unread += 1;
    showRooms();
  },
  joined: (value) => changed(value, `${value.nick} joined`),
  left: (value) => changed(value, `${value.nick} left`),
  roster: (value) => changed(value),
  refused(value) {
    if (value.event === 'join_chat') asked = undefined;
    if (value.code === 'not_authorized' && nick !== undefined) {
      welcomed = false;
      outbox.close();
      authorize();
    } else if (value.event !== 'authorize') {
      outbox.remove(value.id);
      notice(value.description);
    } else if (value.code === 'nick_taken' && Date.now() < resumeUntil) {
      setTimeout(authorize, RETRY_MS);
    } else {
      nick = undefined;
      view.welcome(undefined, value.description);
    }
  },
  hive_error: (value) => notice(value.description),
};

const listener = {
  trying: (node) => view.link(nick === undefined ? 'connecting' : 'reconnecting', node),
  up(node, recovered) {
    view.link('connected', node);
    view.killing(node);
    if (recovered) {
      view.returned('back, nothing missed');
    } else {
      welcomed = false;
      reloading = rooms.size > 0;
    }
    if (nick === undefined) return;
    if (!welcomed) return authorize();
    view.changing(true);
    outbox.open();
    // What we have said ourselves may have been lost with the connection.
    if (asked) join(asked);
  },
  down(node) {
    if (welcomed) resumeUntil = Date.now() + RESUME_MS;
    view.link('reconnecting', node);
    view.returned('');
    view.changing(false);
    view.killing(undefined);
    outbox.close();
  },
  received(name, value) {
    if (Object.hasOwn(handlers, name)) handlers[name](value);
  },
};

onSubmit('nick-form', (text) => {
  nick = text;
  resumeUntil = 0;
  authorize();
  return false;
});
onSubmit('room-form', (name) => (rooms.has(name) ? select(name) : join([name])));
onSubmit('composer', (text) => outbox.add(active, text));
document.getElementById('leave').addEventListener('click', () => connection.emit('leave_chat', { chat: [active] }));

view.onKill(async (node) => {
  const { ok } = await fetch(node.kill, { method: 'POST' });
  if (!ok) notice(`${node.name} could not be killed.`);
});

async function start() {
  if (typeof window.io !== 'function') {
    notice('The Socket.IO client is missing: run `make build` in the folder of Hive and reload this page.');
    return;
  }
  const nodes = await (await fetch('nodes')).json();
  if (saved.nick) {
    nick = saved.nick;
    resumeUntil = Date.now() + RESUME_MS;
  } else {
    view.welcome(undefined);
  }
  const wanted = new URLSearchParams(location.search).get('node');
  connection = new Connection(nodes, firstNode(nodes, wanted), listener);
}

view.changing(false);
start().catch((error) => notice(`The page could not start: ${error.message}`));
