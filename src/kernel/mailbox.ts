/**
 * A queue of letters: a ring that doubles when it is full and falls back to its first size when it has been emptied, so
 * that a burst does not hold its memory for ever.
 *
 *   ring:  [ . | . | a | b | c | . | . | . ]     push at tail, shift at head, both masked by length - 1
 *                    ^head       ^tail
 */
const firstCapacity = 8;
const keptCapacity = 64;

export class Mailbox {
  #ring: unknown[] = new Array(firstCapacity).fill(undefined);
  #head = 0;
  #length = 0;
  /** The most letters that ever waited here. */
  peak = 0;

  get length(): number {
    return this.#length;
  }

  push(letter: unknown): void {
    if (this.#length === this.#ring.length) this.#resize(this.#ring.length * 2);
    this.#ring[(this.#head + this.#length) & (this.#ring.length - 1)] = letter;
    this.#length += 1;
    if (this.#length > this.peak) this.peak = this.#length;
  }

  /** The oldest letter; call only while `length` is not 0. */
  shift(): unknown {
    const letter = this.#ring[this.#head];
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#length -= 1;
    if (this.#length === 0 && this.#ring.length > keptCapacity) this.#resize(firstCapacity);
    return letter;
  }

  #resize(capacity: number): void {
    const ring = new Array(capacity).fill(undefined);
    for (let i = 0; i < this.#length; i += 1) ring[i] = this.#ring[(this.#head + i) & (this.#ring.length - 1)];
    this.#ring = ring;
    this.#head = 0;
  }
}
