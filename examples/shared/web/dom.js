/** What the examples' pages do with the document. Whatever came from a user is set as text, never as markup. */

export const byId = (id) => document.getElementById(id);

export function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

/** A hue per name, the same on everybody's screen. */
export function hue(name) {
  let sum = 0;
  for (const character of name) sum = (sum * 31 + character.codePointAt(0)) % 360;
  return sum;
}

/** An element in the colour of the name that it shows. */
export function coloured(tag, className, name) {
  const made = element(tag, className, name);
  made.style.setProperty('--hue', String(hue(name)));
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

/** The state of the connection, in the header: connecting, connected or reconnecting. */
export function link(state, node) {
  byId('link').dataset.state = state;
  byId('status').textContent = state;
  byId('node').textContent = node.name;
  byId('node').title = node.url;
}

/** Calls `act` with what was typed into a form's input; empties the input unless `act` returns false. */
export function onSubmit(id, act) {
  const form = byId(id);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const input = form.querySelector('input');
    const text = input.value.trim();
    if (text !== '' && act(text) !== false) input.value = '';
  });
}

/** Adds a line to a list; scrolls along unless the user reads further up. */
export function append(list, line) {
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  list.append(line);
  if (atEnd) list.scrollTop = list.scrollHeight;
}
