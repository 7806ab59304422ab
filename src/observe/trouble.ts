/**
 * Whether something that is asked again and again fails now. A single failure is none of the operator's business, and a back end
 * that nobody asks any more is not to be called broken for ever, so it takes several in a row, the last of them lately.
 */
import { textOf } from './thrown.ts';

const failuresInARow = 3;
/** How long the last failure counts. */
const memoryMs = 30_000;

export class Trouble {
  readonly #now: () => number;
  #failures = 0;
  #lastAt = 0;
  #last: unknown;

  /** @param now ms of a monotonic clock */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#last = undefined;
  }

  /** @param what what was thrown, or a text */
  failed(what: unknown): void {
    this.#failures += 1;
    this.#last = what;
    this.#lastAt = this.#now();
  }

  /** What went wrong last; undefined if it works, as far as is known. */
  get reason(): string | undefined {
    if (this.#failures < failuresInARow || this.#now() - this.#lastAt > memoryMs) return undefined;
    return textOf(this.#last);
  }
}
