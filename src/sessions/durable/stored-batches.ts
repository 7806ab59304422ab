/**
 * The batches that Redis has, by the numbers of their last entries, and how many of them are of use no more. To trim costs Redis more
 * than to keep some too many for a while.
 *
 *   head ──▶ 12  19  25 │ 31  40 …      oldest entry that is kept: 28
 *            to be dropped
 */

/** Batches that are dropped together, at least, and as a part of all. */
const fewest = 32;
const part = 1 / 8;

export class StoredBatches {
  #lasts: number[] = [];
  #head = 0;
  #kept = 0;

  get count(): number {
    return this.#lasts.length - this.#head;
  }

  add(last: number): void {
    this.#lasts.push(last);
  }

  /** Whether it is worth dropping those whose entries are all before that one. */
  isWorth(oldest: number): boolean {
    const dropped = this.#droppable(oldest);
    return dropped >= fewest && dropped >= this.count * part;
  }

  /** Drops them. Returns the last number that is gone; undefined if there are none. */
  drop(oldest: number): number | undefined {
    if (this.#droppable(oldest) === 0) return undefined;
    const trimmed = this.#lasts[this.#kept - 1];
    this.#head = this.#kept;
    if (this.#head > this.#lasts.length / 2) {
      this.#lasts = this.#lasts.slice(this.#head);
      this.#head = 0;
      this.#kept = 0;
    }
    return trimmed;
  }

  clear(): void {
    this.#lasts = [];
    this.#head = 0;
    this.#kept = 0;
  }

  #droppable(oldest: number): number {
    while (this.#kept < this.#lasts.length && this.#lasts[this.#kept]! < oldest) this.#kept += 1;
    return this.#kept - this.#head;
  }
}
