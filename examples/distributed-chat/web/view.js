/** What the page shows of the chat. */
import { append as appendTo, byId, element, link as showLink } from './shared/dom.js';
import { line, lines, members } from './shared/talk.js';

const invitation =
  'Nobody has said anything here yet. Say something: everybody in the room sees it, at whichever node. Alone? Open this page in a second window.';

let killed; // by the button

/** `state` is connecting, connected or reconnecting. */
export function link(state, node) {
  showLink(state, node);
  byId('enter').disabled = state !== 'connected';
}

/** How the last return to a node went. */
export function returned(text) {
  byId('returned').textContent = text;
}

/** The node that the user may kill, if the demo offers that. */
export function killing(node) {
  const button = byId('kill');
  killed = node;
  if (node) {
    button.hidden = node.kill === undefined;
    button.textContent = `kill ${node.name}`;
  }
  button.disabled = node === undefined;
}

export function onKill(act) {
  byId('kill').addEventListener('click', () => act(killed));
}

/** What the user has said and has not come back yet. */
export function waiting(texts) {
  byId('waiting').replaceChildren(...texts.map((text) => element('li', 'text', text)));
}

/** Shows the nick form (with an error or without), or the chat when `me` has a nick. */
export function welcome(me, error = '') {
  byId('welcome').hidden = me !== undefined;
  byId('chat').hidden = me === undefined;
  byId('me').textContent = me === undefined ? '' : `you are ${me}`;
  byId('nick-error').textContent = error;
  if (me === undefined) byId('nick').focus();
}

/** Whether the user can change rooms now. What they say meanwhile waits. */
export function changing(allowed) {
  byId('leave').disabled = !allowed;
  for (const control of byId('room-form').elements) control.disabled = !allowed;
}

export function rooms(all, active, onSelect) {
  byId('rooms').replaceChildren(
    ...[...all].map(([name, room]) => {
      const item = element('li');
      const button = element('button', 'room', name);
      button.type = 'button';
      button.dataset.room = name;
      if (name === active) button.setAttribute('aria-current', 'true');
      if (room.unread > 0) {
        const badge = element('span', 'unread', String(room.unread));
        badge.setAttribute('aria-label', `${room.unread} unread`);
        button.append(badge);
      }
      button.addEventListener('click', () => onSelect(name));
      item.append(button);
      return item;
    }),
  );
}

/** The chosen room whole: title, members, messages. */
export function room(name, shown, me) {
  byId('room-title').textContent = name === undefined ? 'No room' : name;
  byId('leave').hidden = name === undefined;
  byId('composer').hidden = name === undefined;
  byId('invite').textContent = name === undefined ? 'You are in no room. Join one: any name will do.' : invitation;
  byId('messages').replaceChildren(...lines(shown?.entries ?? [], me));
  byId('messages').scrollTop = byId('messages').scrollHeight;
  members(shown?.members ?? [], me, shown?.away);
}

/** One more line in the chosen room. */
export function append(entry, me) {
  const list = byId('messages');
  appendTo(list, line(entry, me, list.lastElementChild));
}
