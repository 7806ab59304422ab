/** What the chat accepts as a nick, as rooms and as a message. */

export const maxRooms = 20; // of one session
const maxText = 2000; // characters of one message

const word = '[\\p{L}\\p{N}_]';
const goodNick = new RegExp(`^${word}(?:[\\p{L}\\p{N}_ .'-]{0,22}[\\p{L}\\p{N}_.])?$`, 'u');
const goodId = /^[A-Za-z0-9_-]{1,64}$/;
const goodRoom = /^[\p{L}\p{N}_-]{1,32}$/u; // no dot: it would make a deeper channel

/** The user asked for what the chat does not allow; the page gets `code` and the text as a `refused` event. */
export class Refused extends Error {
  constructor(code, description) {
    super(description);
    this.code = code;
  }
}

/** A usable nick. @throws Refused */
export function cleanNick(value) {
  const nick = typeof value === 'string' ? value.normalize('NFC').trim() : '';
  if (goodNick.test(nick)) return nick;
  throw new Refused(
    'bad_nick',
    "A nick has 1 to 24 letters, digits, spaces or . _ ' - and begins with a letter or digit.",
  );
}

/** The room names of a channel expression `{"chat": name or [names]}`. @throws Refused */
export function cleanRooms(expression) {
  const alone = isObject(expression) && Object.keys(expression).length === 1 ? expression.chat : undefined;
  const names = typeof alone === 'string' ? [alone] : alone;
  if (!Array.isArray(names) || names.length === 0 || names.length > maxRooms) {
    throw new Refused('bad_room', 'Name the rooms like this: {"chat": "lobby"} or {"chat": ["lobby", "garden"]}.');
  }
  if (names.every((name) => typeof name === 'string' && goodRoom.test(name))) return [...new Set(names)];
  throw new Refused('bad_room', "A room's name has 1 to 32 letters, digits, - or _.");
}

/** The text of a message. @throws Refused */
export function cleanText(value) {
  const text = typeof value === 'string' ? value.trim() : '';
  if (text !== '' && text.isWellFormed() && [...text].length <= maxText) return text;
  throw new Refused('bad_message', `A message has 1 to ${maxText} characters.`);
}

/** The id that a page gave a message; null or undefined if it gave none. @throws Refused */
export function cleanId(value) {
  if (value === undefined || value === null || (typeof value === 'string' && goodId.test(value))) return value;
  throw new Refused('bad_message', 'The id of a message has 1 to 64 letters, digits, - or _.');
}

/** Equal for nicks that look alike, which count as one. */
export function sameNick(nick) {
  return nick.normalize('NFKC').toUpperCase().toLowerCase();
}

export function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
