/**
 * Text from others (session ids, states, names, reasons, stacks) on its way to the page. Whatever it is, it neither widens the page
 * nor looks like something else: it is cut, with its length told, and what cannot be seen or turns the direction of what follows is
 * written as JSON has it, `\u202e`.
 */

/** So much of a text is shown where it has a line or a cell to itself. */
export const fewCharacters = 300;

/** What joins the parts of one emoji, which alone has a use for it. */
const joiner = String.raw`(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f])\u200d(?=\p{Extended_Pictographic})`;
const colour = String.raw`(?<=\p{Extended_Pictographic})\ufe0f`;
/** Controls but tabulators and line feeds, halves of pairs, and all that Unicode wants to be ignored: of no width, or for direction. */
const unseen = String.raw`[\p{Cc}\p{Cs}\u2028\u2029\p{Default_Ignorable_Code_Point}]`;
const hidden = new RegExp(`(?!${joiner}|${colour}|[\\t\\n])${unseen}`, 'gu');

const plain = /^[ -~]*$/;

/** @param {string} text */
export function visible(text) {
  return plain.test(text) ? text : text.replace(hidden, escaped);
}

function escaped(character) {
  const code = character.codePointAt(0);
  return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`;
}

/** The beginning of a text, without half a character at its end. */
function beginning(text, most) {
  const code = text.charCodeAt(most - 1);
  return text.slice(0, code >= 0xd800 && code < 0xdc00 ? most - 1 : most);
}

/** A text as the page shows it: of a long one the beginning, and how long it is. @param {string} text */
export function shown(text, most = fewCharacters) {
  if (text.length <= most) return visible(text);
  return `${visible(beginning(text, most))}… (${lengthOf(text)})`;
}

/** @param {string} text */
export function lengthOf(text) {
  return `${text.length.toLocaleString('en')} characters`;
}

/** How much of a value is shown at first, and when the user wants more: an end there must be, for the browser's sake. */
export const few = { characters: fewCharacters, entries: 100, depth: 12, all: 20_000 };
export const many = { characters: 1_000_000, entries: 10_000, depth: 100, all: 2_000_000 };

/**
 * A value as JSON with an indentation of two, cut where it is too long, too wide or too deep.
 * @returns {{ text: string, isCut: boolean }}
 */
export function jsonText(value, { characters, entries, depth, all } = few) {
  let isCut = false;
  let left = all;
  const cut = (words) => {
    isCut = true;
    return words;
  };
  const spend = (text) => {
    left -= text.length;
    return text;
  };
  const write = (part, indent) => {
    if (typeof part === 'string') {
      const most = Math.max(0, Math.min(characters, left));
      if (part.length <= most) return spend(JSON.stringify(part));
      return cut(`${spend(JSON.stringify(beginning(part, most)).slice(0, -1))}…" (${lengthOf(part)})`);
    }
    if (typeof part !== 'object' || part === null) return spend(String(JSON.stringify(part)));
    const isList = Array.isArray(part);
    const names = isList ? undefined : Object.keys(part);
    const size = isList ? part.length : names.length;
    const [open, close] = isList ? '[]' : '{}';
    if (size === 0) return spend(open + close);
    if (indent.length >= 2 * depth) return cut(`${open}…${close} (${size.toLocaleString('en')})`);
    const inner = `${indent}  `;
    const lines = [];
    for (let i = 0; i < size && i < entries && left > 0; i += 1) {
      const name = names ? `${write(names[i], inner)}: ` : '';
      lines.push(inner + name + write(names ? part[names[i]] : part[i], inner));
      left -= inner.length;
    }
    if (lines.length < size) lines.push(cut(`${inner}… ${(size - lines.length).toLocaleString('en')} more`));
    return `${open}\n${lines.join(',\n')}\n${indent}${close}`;
  };
  return { text: visible(write(value, '')), isCut };
}
