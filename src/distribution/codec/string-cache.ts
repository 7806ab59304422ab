/**
 * Bytes into text. Short texts (keys, tags, channel ids, atoms) come again and again: one string serves all, found by a
 * hash of its bytes. What comes only once is not kept: the first time only the hash is remembered.
 */
import { isUtf8 } from 'node:buffer';
import { BytePattern } from './byte-pattern.ts';

/** Bytes of the longest text that is kept. */
export const shortText = 32;
const slots = 2048;
/** Upper bits of a product are its best mixed. */
const indexShift = 32 - Math.log2(slots);
const factor = 0x9e3779b1;

interface Slot {
  readonly pattern: BytePattern;
  readonly text: string;
}

export class StringCache {
  readonly #slots: (Slot | undefined)[] = new Array<Slot | undefined>(slots).fill(undefined);
  readonly #seen = new Int32Array(slots);

  /** The text of at most `shortText` bytes; undefined if they are not UTF-8. */
  read(bytes: Buffer, view: DataView, start: number, length: number): string | undefined {
    const hash = hashOf(view, start, length);
    const index = hash >>> indexShift;
    const slot = this.#slots[index];
    if (slot !== undefined && slot.pattern.length === length && slot.pattern.isAt(view, start)) return slot.text;
    const text = textIn(bytes, view, start, length);
    if (text === undefined) return undefined;
    if (this.#seen[index] === hash) this.#slots[index] = { pattern: new BytePattern(view, start, length), text };
    else this.#seen[index] = hash;
    return text;
  }
}

/** The text in these bytes; undefined if they are not UTF-8. */
export function textIn(bytes: Buffer, view: DataView, start: number, length: number): string | undefined {
  const end = start + length;
  if (isAscii(view, start, end)) return bytes.toString('latin1', start, end);
  return isUtf8(bytes.subarray(start, end)) ? bytes.toString('utf8', start, end) : undefined;
}

function isAscii(view: DataView, start: number, end: number): boolean {
  let at = start;
  let all = 0;
  for (; at + 4 <= end; at += 4) all |= view.getInt32(at, true);
  for (; at < end; at += 1) all |= view.getUint8(at);
  return (all & 0x80808080) === 0;
}

function hashOf(view: DataView, start: number, length: number): number {
  let hash = length;
  let at = start;
  if (length >= 4) {
    const last = start + length - 4;
    for (; at < last; at += 4) {
      hash = Math.imul(hash ^ view.getInt32(at, true), factor);
      hash ^= hash >>> 15;
    }
    return Math.imul(hash ^ view.getInt32(last, true), factor);
  }
  for (; at < start + length; at += 1) hash = (hash << 8) ^ view.getUint8(at);
  return Math.imul(hash, factor);
}
