/**
 * JSON from strangers. `JSON.parse` itself is safe at any depth, but what it makes of a million brackets overflows the
 * stack of everything that walks it later, `JSON.stringify` first of all. So depth is bounded here, once.
 */
import { HiveError } from '../observe/errors.ts';

/** Deeper than any real payload, far shallower than what overflows a stack. */
export const maxJsonDepth = 256;

/**
 * The value of a JSON text from a client.
 * @throws HiveError `bad_packet` if the text is not JSON, or nests too deeply
 */
export function parseJson(text: string): unknown {
  if (isTooDeep(text)) throw new HiveError('bad_packet', `The packet nests deeper than ${maxJsonDepth} levels.`);
  try {
    return JSON.parse(text);
  } catch {
    throw new HiveError('bad_packet', 'The packet contains invalid JSON.');
  }
}

/**
 * The value of a JSON text from a back end, which is told what is wrong with it.
 * @param what the beginning of the sentence that says so: `The body is`
 * @throws HiveError `invalid_json`
 */
export function parseBackEndJson(text: string, what: string): unknown {
  if (isTooDeep(text)) throw new HiveError('invalid_json', `${what} nested deeper than ${maxJsonDepth} levels.`);
  try {
    return JSON.parse(text);
  } catch (error) {
    const summary = `${what} not JSON`;
    throw new HiveError('invalid_json', `${summary}: ${(error as Error).message}`, { cause: error, summary });
  }
}

function isTooDeep(text: string): boolean {
  // A shorter text cannot nest too deeply: each level takes two characters.
  if (text.length <= 2 * maxJsonDepth) return false;
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charCodeAt(at);
    if (inString) {
      if (character === 0x5c) at += 1;
      else if (character === 0x22) inString = false;
    } else if (character === 0x22) {
      inString = true;
    } else if (character === 0x5b || character === 0x7b) {
      depth += 1;
      if (depth > maxJsonDepth) return true;
    } else if (character === 0x5d || character === 0x7d) {
      depth -= 1;
    }
  }
  return false;
}

/** The index just behind the string that starts at `at` with its quote. The text must be valid JSON. */
export function endOfString(text: string, at: number): number {
  for (let end = text.indexOf('"', at + 1); ; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === 0x5c) escapes += 1;
    if (escapes % 2 === 0) return end + 1;
  }
}

/** The index of the first character at or after `at` that is not JSON's white space. */
export function skipSpace(text: string, at: number): number {
  let index = at;
  for (;;) {
    const character = text.charCodeAt(index);
    if (character !== 0x20 && character !== 0x0a && character !== 0x0d && character !== 0x09) return index;
    index += 1;
  }
}

/**
 * Whether it can be written as JSON, bytes included: what other nodes send may also be integers beyond JSON's and values of
 * Erlang.
 */
export function isPlain(value: unknown): boolean {
  if (typeof value !== 'object') return typeof value !== 'bigint';
  if (value === null || value instanceof Uint8Array) return true;
  if (Array.isArray(value)) return value.every(isPlain);
  return Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every(isPlain);
}

/**
 * What JSON text would make of a value: numbers beyond JSON's are null, and halves of surrogate pairs the replacement character. So what
 * clients and back ends sent is the same on every node; the value itself if there is nothing of the kind in it.
 */
export function asInJson(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'string') return value.toWellFormed();
  if (Array.isArray(value)) return value.every(isInJson) ? value : value.map(asInJson);
  if (!isRecord(value) || isInJson(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key.toWellFormed(), asInJson(item)]));
}

function isInJson(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value === 'string') return value.isWellFormed();
  if (Array.isArray(value)) return value.every(isInJson);
  if (!isRecord(value)) return true;
  for (const key in value) if (!key.isWellFormed() || !isInJson(value[key])) return false;
  return true;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
