/** What a chat shows: messages, notes between them, members. */
import { byId, coloured, element } from './dom.js';

/** A line of the talk: `{ note }`, or a message `{ nick, text, time }`. */
export function line(entry, me) {
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
