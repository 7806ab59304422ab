/** Lines that a console or file could not take as fast as they came: counted, and told there once it takes lines again. */
import type { Counter } from './metrics.ts';

export class LostLines {
  readonly #total: Counter;
  readonly #note: (count: number) => string;
  #untold = 0;

  /** @param note makes the line that tells of so many */
  constructor(total: Counter, note: (count: number) => string) {
    this.#total = total;
    this.#note = note;
  }

  get any(): boolean {
    return this.#untold > 0;
  }

  add(): void {
    this.#total.value += 1;
    this.#untold += 1;
  }

  /** The line to be written; undefined if no line was lost since it was last asked for. */
  take(): string | undefined {
    if (this.#untold === 0) return undefined;
    const note = this.#note(this.#untold);
    this.#untold = 0;
    return note;
  }
}
