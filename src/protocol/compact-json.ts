/**
 * JSON that is only passed on needs no values, but it must be known to be valid. For short texts, as events mostly are, looking
 * at each character once costs a third of what `JSON.parse` costs, and nothing has to be put together anew.
 *
 * What is found is compact: no white space between tokens, no `\u` escapes. That is what `JSON.stringify` makes, so nearly
 * all that browsers send. Anything else is for the parser, which also knows what is wrong with it. Source: RFC 8259.
 */
import { maxJsonDepth } from './json.ts';

/** In UTF-16 units. Longer texts are parsed faster than they are looked at; shorter ones cannot nest too deeply. */
export const maxScanned = 2 * maxJsonDepth;

const quote = 0x22;
const comma = 0x2c;
const minus = 0x2d;
const dot = 0x2e;
const zero = 0x30;
const nine = 0x39;
const colon = 0x3a;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;
/** The short escapes: `"`, `\`, `/`, `b`, `f`, `n`, `r`, `t`. */
const escapable = new Set([0x22, 0x5c, 0x2f, 0x62, 0x66, 0x6e, 0x72, 0x74]);

/**
 * The index just behind the value that starts at `at`, or -1 if it is not certain that a compact one is there.
 * @param text at most `maxScanned` long: values in values are a recursion
 */
export function endOfValue(text: string, at: number): number {
  switch (text.charCodeAt(at)) {
    case quote:
      return endOfText(text, at + 1);
    case openBrace:
      return text.charCodeAt(at + 1) === closeBrace ? at + 2 : endOfMembers(text, at + 1);
    case openBracket:
      return text.charCodeAt(at + 1) === closeBracket ? at + 2 : endOfElements(text, at + 1);
    case 0x74:
      return text.startsWith('true', at) ? at + 4 : -1;
    case 0x66:
      return text.startsWith('false', at) ? at + 5 : -1;
    case 0x6e:
      return text.startsWith('null', at) ? at + 4 : -1;
    default:
      return endOfNumber(text, at);
  }
}

/** The same for the elements of an array, at least one, and its closing bracket. */
export function endOfElements(text: string, at: number): number {
  for (let start = at; ; ) {
    const end = endOfValue(text, start);
    if (end < 0) return -1;
    const next = text.charCodeAt(end);
    if (next === closeBracket) return end + 1;
    if (next !== comma) return -1;
    start = end + 1;
  }
}

/** The index of the closing quote of the string whose contents start at `at`, if it has no escapes; else -1. */
export function endOfPlainText(text: string, at: number): number {
  for (let end = at; ; end += 1) {
    const unit = text.charCodeAt(end);
    if (unit === quote) return end;
    // Behind the end it is NaN.
    if (!(unit >= 0x20) || unit === backslash) return -1;
  }
}

function endOfMembers(text: string, at: number): number {
  for (let start = at; ; ) {
    if (text.charCodeAt(start) !== quote) return -1;
    const key = endOfText(text, start + 1);
    if (key < 0 || text.charCodeAt(key) !== colon) return -1;
    const end = endOfValue(text, key + 1);
    if (end < 0) return -1;
    const next = text.charCodeAt(end);
    if (next === closeBrace) return end + 1;
    if (next !== comma) return -1;
    start = end + 1;
  }
}

/** Behind the closing quote. */
function endOfText(text: string, at: number): number {
  for (let end = at; ; end += 1) {
    const unit = text.charCodeAt(end);
    if (unit === quote) return end + 1;
    if (!(unit >= 0x20)) return -1;
    if (unit === backslash) {
      end += 1;
      if (!escapable.has(text.charCodeAt(end))) return -1;
    }
  }
}

function endOfNumber(text: string, at: number): number {
  const first = text.charCodeAt(at) === minus ? at + 1 : at;
  let end = endOfDigits(text, first);
  if (end === first || (text.charCodeAt(first) === zero && end > first + 1)) return -1;
  if (text.charCodeAt(end) === dot) {
    const fraction = end + 1;
    end = endOfDigits(text, fraction);
    if (end === fraction) return -1;
  }
  // `e` or `E`
  if ((text.charCodeAt(end) | 0x20) !== 0x65) return end;
  const sign = text.charCodeAt(end + 1);
  const exponent = sign === minus || sign === 0x2b ? end + 2 : end + 1;
  end = endOfDigits(text, exponent);
  return end === exponent ? -1 : end;
}

function endOfDigits(text: string, at: number): number {
  let end = at;
  for (let unit = text.charCodeAt(end); unit >= zero && unit <= nine; unit = text.charCodeAt(end)) end += 1;
  return end;
}
