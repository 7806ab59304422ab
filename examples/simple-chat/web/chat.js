/** The simple chat in the browser: a nick, then a room, then talk. Three steps, each begun by an event that a hook answers. */
import { append, byId, link, notice, onSubmit } from './shared/dom.js';
import { connect } from './shared/node.js';
import { line, members } from './shared/talk.js';

const RETRY_MS = 1000;
const RETRIES = 50; // the server notices a client that vanished without a word after 45 s at most

let socket;
let nick; // once the back end has agreed
let room; // once we are in
let wanted; // what we have asked for and not been told yet
let retries = 0; // left for a nick that our own former session may still have

function show(view) {
  byId('welcome').hidden = view === 'room';
  byId('nick-form').hidden = view !== 'nick';
  byId('room-form').hidden = view !== 'rooms';
  byId('chat').hidden = view !== 'room';
  byId('me').textContent = nick === undefined ? '' : `you are ${nick}`;
  byId({ nick: 'nick', rooms: 'room', room: 'text' }[view]).focus();
}

/** Whether the server can hear us now. */
function linked(state, node) {
  link(state, node);
  for (const id of ['authorize', 'join', 'text', 'send', 'leave']) byId(id).disabled = state !== 'connected';
}

function authorize(name) {
  wanted = name;
  if (socket.connected) socket.emit('authorize', { nick: name });
}

function join(name) {
  socket.emit('join_chat', { chat: name });
}

function add(entry) {
  const list = byId('messages');
  append(list, line(entry, nick, list.lastElementChild));
}

const handlers = {
  authorized(value) {
    const again = nick !== undefined; // a new session after a broken connection
    nick = value.nick;
    retries = 0;
    byId('nick-error').textContent = '';
    if (again && room !== undefined) join(room);
    else show('rooms');
  },
  entered({ rooms: [name] }) {
    byId('room-error').textContent = '';
    if (name === room) return;
    room = name;
    byId('room-title').textContent = room;
    byId('messages').replaceChildren();
    show('room');
  },
  exited() {
    room = undefined;
    show('rooms');
  },
  // Our own join is told to us before the answer to it arrives, so the members are noted whatever the room.
  joined(value) {
    members(value.members, nick);
    if (value.room === room && value.nick !== nick) add({ note: `${value.nick} joined` });
  },
  left(value) {
    members(value.members, nick);
    if (value.room === room && value.nick !== nick) add({ note: `${value.nick} left` });
  },
  message(value) {
    if (value.room === room) add(value);
  },
  refused(value) {
    if (value.event === 'authorize' && value.code === 'nick_taken' && retries > 0) {
      retries -= 1;
      setTimeout(authorize, RETRY_MS, wanted);
    } else if (value.event === 'authorize') {
      nick = undefined;
      room = undefined;
      byId('nick-error').textContent = value.description;
      show('nick');
    } else if (value.event === 'join_chat') {
      room = undefined;
      byId('room-error').textContent = value.description;
      show('rooms');
    } else {
      notice(value.description);
    }
  },
  hive_error: (value) => notice(value.description),
};

async function start() {
  show('nick');
  socket = await connect(linked);
  socket.on('connect', () => {
    if (nick !== undefined) authorize(nick);
  });
  socket.on('disconnect', () => {
    if (nick !== undefined) retries = RETRIES;
  });
  for (const [name, handler] of Object.entries(handlers)) socket.on(name, handler);
}

onSubmit('nick-form', (text) => {
  authorize(text);
  return false;
});
onSubmit('room-form', (text) => {
  join(text);
  return false;
});
onSubmit('composer', (text) => {
  socket.emit('publish_msg', { room, text });
});
byId('leave').addEventListener('click', () => socket.emit('leave_chat', { chat: room }));
start().catch((error) => notice(`The page could not start: ${error.message}`));
