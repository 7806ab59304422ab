/**
 * A few bytes that are compared and written again and again: keys, tags, the heads of messages. Four at a time, which is
 * several times as fast as one at a time, and for so few as a call into the runtime.
 *
 *   bytes:  c h a n n e l      the last word ends with the last byte and overlaps the one before, so that
 *   words: [c h a n]           nothing is left over
 *               [n n e l]
 */
export class BytePattern {
  readonly length: number;
  readonly #words: readonly number[];
  /** The bytes, where there is not even one word. */
  readonly #few: readonly number[];

  /** Copies the bytes of the view from `start` on. */
  constructor(view: DataView, start: number, length: number) {
    this.length = length;
    const words: number[] = [];
    for (let at = 0; at < length - 4; at += 4) words.push(view.getInt32(start + at, true));
    if (length >= 4) words.push(view.getInt32(start + length - 4, true));
    this.#words = words;
    this.#few = length < 4 ? Array.from({ length }, (_, i) => view.getUint8(start + i)) : [];
  }

  /** True if the view has these bytes there; it must be at least as long. */
  isAt(view: DataView, at: number): boolean {
    const words = this.#words;
    const last = words.length - 1;
    if (last < 0) return this.#fewAt(view, at);
    // Backwards: what begins alike differs at its end.
    if (view.getInt32(at + this.length - 4, true) !== words[last]) return false;
    for (let i = last - 1; i >= 0; i -= 1) if (view.getInt32(at + 4 * i, true) !== words[i]) return false;
    return true;
  }

  /** Writes the bytes to the view, which must have room for them. */
  write(view: DataView, at: number): void {
    const words = this.#words;
    const last = words.length - 1;
    for (let i = 0; i < last; i += 1) view.setInt32(at + 4 * i, words[i]!, true);
    if (last >= 0) view.setInt32(at + this.length - 4, words[last]!, true);
    else for (let i = 0; i < this.length; i += 1) view.setUint8(at + i, this.#few[i]!);
  }

  #fewAt(view: DataView, at: number): boolean {
    for (let i = 0; i < this.length; i += 1) if (view.getUint8(at + i) !== this.#few[i]) return false;
    return true;
  }
}
