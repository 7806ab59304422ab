/**
 * When the page asks: every two seconds while somebody can see it, at once when it is shown again or the user wants something,
 * never while it is hidden. The next round begins when the last one has ended, so a slow node is asked less often.
 */

const pauseMs = 2000;
const longestPauseMs = 15_000;

export class Poller {
  #round;
  #timer;
  #running = false;
  #again = false;
  #stopped = false;
  #failures = 0;

  /** `round` asks everything that is shown; resolves to `'on'`, `'failed'` (the next pause is longer) or `'stop'`. */
  constructor(round) {
    this.#round = round;
    document.addEventListener('visibilitychange', () => {
      clearTimeout(this.#timer);
      if (!document.hidden) this.#run();
    });
  }

  /** Asks now, or as soon as the present round has ended. */
  now() {
    this.#stopped = false;
    if (this.#running) this.#again = true;
    else this.#run();
  }

  async #run() {
    if (this.#running || this.#stopped || document.hidden) return;
    clearTimeout(this.#timer);
    this.#running = true;
    this.#again = false;
    const outcome = await this.#round();
    this.#running = false;
    this.#stopped = outcome === 'stop';
    this.#failures = outcome === 'failed' ? this.#failures + 1 : 0;
    if (this.#stopped || document.hidden) return;
    const pause = Math.min(longestPauseMs, pauseMs * 2 ** this.#failures);
    this.#timer = setTimeout(() => this.#run(), this.#again ? 0 : pause);
  }
}
