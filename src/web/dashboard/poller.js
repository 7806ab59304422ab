/**
 * When the page asks: every two seconds while somebody can see it, never while it is hidden. The next round begins when the last
 * one has ended, so a slow node is asked less often.
 *
 * At once it asks when the user wants something, when it is shown again or gets the focus, and when the network is back. In the
 * latter cases a question that is waiting may well wait for an answer that will not come (the machine has slept, the network was
 * another one): it is given up.
 */
import { interrupt, waitedMs } from './api.js';

const pauseMs = 2000;
const longestPauseMs = 15_000;
/** A question that is younger is not given up: of a node that answers it has the answer by then. */
const graceMs = 300;

export class Poller {
  #round;
  #timer;
  #grace;
  #running = false;
  #again = false;
  #stopped = false;
  #failures = 0;

  /**
   * `round` asks everything that is shown; resolves to `'on'`, `'failed'` (the next pause is longer), `'interrupted'` (another one
   * begins) or `'stop'`.
   */
  constructor(round) {
    this.#round = round;
    const hurry = () => {
      clearTimeout(this.#timer);
      if (!document.hidden) this.#hurry();
    };
    document.addEventListener('visibilitychange', hurry);
    for (const event of ['online', 'focus']) window.addEventListener(event, hurry);
  }

  /** Asks now, or as soon as the present round has ended. */
  now() {
    this.#stopped = false;
    if (this.#running) this.#again = true;
    else this.#run();
  }

  /** Asks now, and does not wait for the present round. */
  anew() {
    this.#stopped = false;
    this.#hurry();
  }

  #hurry() {
    this.#failures = 0;
    if (!this.#running) return this.#run();
    this.#again = true;
    clearTimeout(this.#grace);
    this.#grace = setTimeout(interrupt, Math.max(0, graceMs - waitedMs()));
  }

  async #run() {
    if (this.#running || this.#stopped || document.hidden) return;
    clearTimeout(this.#timer);
    this.#running = true;
    this.#again = false;
    const outcome = await this.#round();
    clearTimeout(this.#grace);
    this.#running = false;
    this.#stopped = outcome === 'stop';
    this.#failures = outcome === 'failed' ? this.#failures + 1 : 0;
    if (this.#stopped || document.hidden) return;
    if (this.#again) return void this.#run();
    const pause = Math.min(longestPauseMs, pauseMs * 2 ** this.#failures);
    this.#timer = setTimeout(() => this.#run(), pause);
  }
}
