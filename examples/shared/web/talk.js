/** What a chat shows: messages, notes between them, members. */
import { byId, coloured, element } from './dom.js';

const GROUP_MS = 5 * 60_000; // messages of one author that follow each other as soon as that stand together

/** The entries by the lines that show them. */
const entries = new WeakMap();

/** Whether a message follows another one of its author. */
function goesOn(entry, former) {
  return former !== undefined && former.nick === entry.nick && new Date(entry.time) - new Date(former.time) < GROUP_MS;
}

/** A line of the talk: `{ note }`, or a message `{ nick, text, time }`. `before` is the line above, if there is one. */
export function line(entry, me, before) {
  if (entry.note) return element('li', 'note', entry.note);
  const made = element('li', entry.nick === me ? 'message mine' : 'message');
  made.dataset.testid = 'message';
  const head = element('p', 'head');
  const time = element('time', '', new Date(entry.time).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' }));
  time.dateTime = new Date(entry.time).toISOString();
  head.append(coloured('span', 'nick', entry.nick), time);
  if (goesOn(entry, entries.get(before))) {
    // Who cannot see the group hears who speaks.
    head.classList.add('hidden');
    made.classList.add('more');
    made.title = time.textContent;
  }
  made.append(head, element('p', 'text', entry.text));
  entries.set(made, entry);
  return made;
}

/** All lines of a talk. */
export function lines(talk, me) {
  const made = [];
  for (const entry of talk) made.push(line(entry, me, made.at(-1)));
  return made;
}

/** `away` are those of them who have lost their connection. */
export function members(nicks, me, away = []) {
  byId('count').textContent = String(nicks.length);
  byId('members').replaceChildren(
    ...nicks.map((nick) => {
      const item = coloured('li', 'member', nick);
      if (nick === me) item.append(element('small', '', ' (you)'));
      else if (away.includes(nick)) item.append(element('small', '', ' (away)'));
      return item;
    }),
  );
}
