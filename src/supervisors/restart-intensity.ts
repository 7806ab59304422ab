/**
 * How many restarts a supervisor has performed lately: a sliding window, for the supervisor as a whole, not per child. One
 * restart more than allowed within the period, and the fault is not one that restarting fixes.
 */
export class RestartIntensity {
  readonly allowed: number;
  readonly periodMs: number;
  #times: number[] = [];
  #first = 0;

  /** Throws a RangeError for a negative number of restarts or a period that is not positive. */
  constructor(allowed: number, periodMs: number) {
    if (!Number.isInteger(allowed) || allowed < 0)
      throw new RangeError(`intensity: ${allowed} is no count of restarts`);
    if (!(periodMs > 0)) throw new RangeError(`periodMs: ${periodMs} is no period`);
    this.allowed = allowed;
    this.periodMs = periodMs;
  }

  /** Counts a restart; false if it is one too many. */
  add(now: number = performance.now()): boolean {
    this.#times.push(now);
    return this.used(now) <= this.allowed;
  }

  /** Restarts within the period that ends now. */
  used(now: number = performance.now()): number {
    while (this.#first < this.#times.length && this.#times[this.#first]! < now - this.periodMs) this.#first += 1;
    if (this.#first > 64 && this.#first * 2 > this.#times.length) {
      this.#times = this.#times.slice(this.#first);
      this.#first = 0;
    }
    return this.#times.length - this.#first;
  }
}
