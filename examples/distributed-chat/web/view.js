/** What the page shows. Whatever came from a user is set as text, never as markup. */

const byId = (id) => document.getElementById(id);

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

/** A hue per nick, the same on everybody's screen. */
function hue(nick) {
  let sum = 0;
  for (const character of nick) sum = (sum * 31 + character.codePointAt(0)) % 360;
  return String(sum);
}

function coloured(tag, className, nick) {
  const made = element(tag, className, nick);
  made.style.setProperty('--hue', hue(nick));
  return made;
}

function line(entry, me) {
  if (entry.note) return element('li', 'note', entry.note);
  const made = element('li', entry.nick === me ? 'message mine' : 'message');
  made.dataset.testid = 'message';
  const head = element('p', 'head');
  const time = element('time', '', new Date(entry.time).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' }));
  time.dateTime = new Date(entry.time).toISOString();
  head.append(coloured('span', 'nick', entry.nick), time);
  made.append(head, element('p', 'text', entry.text));
  return made;
}

let noticeTimer;

/** A short remark over the page that goes away by itself. */
export function notice(text) {
  clearTimeout(noticeTimer);
  byId('notice').textContent = text;
  byId('notice').hidden = false;
  noticeTimer = setTimeout(() => {
    byId('notice').hidden = true;
  }, 6000);
}

/** `state` is connecting, connected or reconnecting. */
export function link(state, node) {
  byId('link').dataset.state = state;
  byId('status').textContent = state;
  byId('node').textContent = node.name;
  byId('node').title = node.url;
  byId('enter').disabled = state !== 'connected';
}

/** Shows the nick form (with an error or without), or the chat when `me` has a nick. */
export function welcome(me, error = '') {
  byId('welcome').hidden = me !== undefined;
  byId('chat').hidden = me === undefined;
  byId('me').textContent = me === undefined ? '' : `you are ${me}`;
  byId('nick-error').textContent = error;
  if (me === undefined) byId('nick').focus();
}

/** Whether the user can speak now. */
export function speaking(allowed) {
  for (const id of ['text', 'send', 'leave']) byId(id).disabled = !allowed;
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
  byId('messages').replaceChildren(...(shown?.entries ?? []).map((entry) => line(entry, me)));
  byId('messages').scrollTop = byId('messages').scrollHeight;
  members(shown?.members ?? [], me);
}

export function members(nicks, me) {
  byId('count').textContent = String(nicks.length);
  byId('members').replaceChildren(
    ...nicks.map((nick) => {
      const item = coloured('li', 'member', nick);
      if (nick === me) item.append(element('small', '', ' (you)'));
      return item;
    }),
  );
}

/** One more line in the chosen room; scrolls along unless the user reads further up. */
export function append(entry, me) {
  const list = byId('messages');
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  list.append(line(entry, me));
  if (atEnd) list.scrollTop = list.scrollHeight;
}
