/**
 * Does one thing after the other at a rate: closing connections, whose clients come back to other nodes, so that those are not asked
 * for everything at once.
 *
 *   50 ms:  ▪▪▪▪▪      50 ms:  ▪▪▪▪▪      …      rate 100/s
 */
import { Timer, type TimingWheel } from '../../kernel/timers.ts';

const tickMs = 50;
/** Of what was not done in time, because the event loop was late, so much is made up for in one tick. */
const ticksAtOnce = 2;

export class Waves {
  readonly #wheel: TimingWheel;
  readonly #rate: () => number;
  readonly #timer = new Timer({ expire: () => this.#tick() });
  #next: () => boolean = () => false;
  #finish: () => void = () => {};
  #doneAt = 0;
  #owed = 0;

  /** @param rate per second at present; infinite: at once */
  constructor(wheel: TimingWheel, rate: () => number) {
    this.#wheel = wheel;
    this.#rate = rate;
  }

  /**
   * Resolves when there is nothing left to do, or it was cancelled.
   * @param next does one thing; returns false if there was none
   */
  run(next: () => boolean): Promise<void> {
    this.#next = next;
    this.#doneAt = performance.now();
    this.#owed = 1;
    return new Promise((resolve) => {
      this.#finish = resolve;
      this.#work();
    });
  }

  cancel(): void {
    this.#timer.cancel();
    this.#finish();
  }

  #tick(): void {
    const now = performance.now();
    const perMs = this.#rate() / 1000;
    const most = Math.max(1, perMs * tickMs * ticksAtOnce);
    this.#owed = Math.min(most, this.#owed + Math.max(1, now - this.#doneAt) * perMs);
    this.#doneAt = now;
    this.#work();
  }

  #work(): void {
    for (; this.#owed >= 1; this.#owed -= 1) if (!this.#next()) return this.#finish();
    this.#wheel.start(this.#timer, tickMs);
  }
}
