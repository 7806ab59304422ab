/**
 * How long the hooks of one event take, the whole chain. Chains that wait are all timed. Two looks at the clock take about as
 * long as a chain that does not, so of those the first are timed, and then every sixteenth, which stands for those before it.
 */
import type { Histogram } from '../../observe/histogram.ts';

const timedAtFirst = 64;
const untimedAtMost = 15;

/** When a chain has begun: on the clock of `performance.now()`, or 0 if nobody looked. */
type Begun = number;

export class HookLatency {
  readonly #ofEvent: Histogram;
  readonly #ofAll: Histogram;
  #toBeTimed = timedAtFirst;
  /** Chains that have passed since the last that was timed. */
  #untimed = 0;
  /** The last chain that was timed had to wait: so may the next. */
  #waits = false;

  constructor(ofEvent: Histogram, ofAll: Histogram) {
    this.#ofEvent = ofEvent;
    this.#ofAll = ofAll;
  }

  begin(): Begun {
    return this.#waits || this.#toBeTimed > 0 || this.#untimed >= untimedAtMost ? performance.now() : 0;
  }

  /** A chain has ended, or failed, without waiting. */
  passed(begun: Begun): void {
    if (begun === 0) {
      this.#untimed += 1;
      return;
    }
    this.#waits = false;
    this.#toBeTimed -= 1;
    this.#record(begun, this.#untimed + 1);
    this.#untimed = 0;
  }

  /** A chain has to wait. Returns when it has begun: now, as good as, if nobody looked. */
  waiting(begun: Begun): Begun {
    this.#waits = true;
    return begun === 0 ? performance.now() : begun;
  }

  /** A chain that had to wait has ended, or failed. */
  waited(begun: Begun): void {
    this.#record(begun, 1);
  }

  #record(begun: Begun, times: number): void {
    const ms = performance.now() - begun;
    this.#ofEvent.record(ms, times);
    this.#ofAll.record(ms, times);
  }
}
