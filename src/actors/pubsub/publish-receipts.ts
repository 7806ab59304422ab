/**
 * What this node has of what one boot of another node has published for it: each publication is passed on once and in order,
 * and acknowledged. A state machine without I/O, timers or clock.
 *
 *   number ≤ what is here        known: it was sent again
 *   after  ≤ what is here        new
 *   after  > what is here        something in between is missing: it is asked for once, and all is dropped until it has come
 */
export class PublishReceipts {
  /** The boot that publishes, `id@host#creation`. */
  readonly origin: string;
  #upTo = 0;
  /** What is missing has been asked for. */
  #isMissing = false;
  #isOwed = false;

  constructor(origin: string) {
    this.origin = origin;
  }

  /** Everything up to this number is here. */
  get upTo(): number {
    return this.#upTo;
  }

  /** Whether an acknowledgement has to be sent. */
  get isOwed(): boolean {
    return this.#isOwed;
  }

  /** @returns whether it is new, and to be passed on */
  take(number: number, after: number): boolean {
    if (number > this.#upTo && after > this.#upTo) {
      if (this.#isMissing) return false;
      this.#isMissing = true;
      this.#isOwed = true;
      return false;
    }
    this.#isMissing = false;
    this.#isOwed = true;
    if (number <= this.#upTo) return false;
    this.#upTo = number;
    return true;
  }

  /** What was sent may have been lost without a trace: the next acknowledgement asks for it. */
  ask(): void {
    this.#isMissing = true;
    this.#isOwed = true;
  }

  /** The boot is connected anew, and sends again what is not acknowledged. */
  resume(): void {
    this.#isMissing = false;
    this.#isOwed = true;
  }

  /** The acknowledgement that is owed: what is here, and whether the rest is to be sent again. */
  acknowledge(): { readonly upTo: number; readonly again: boolean } {
    this.#isOwed = false;
    return { upTo: this.#upTo, again: this.#isMissing };
  }
}
