/**
 * Tells since when the process has run without standing still. Whoever looks often sees that it has, if it was for long: between two
 * looks more time has passed than can have.
 */
export class Wakefulness {
  readonly #gapMs: number;
  readonly #now: () => number;
  #lookedAt: number;
  #since = Number.NEGATIVE_INFINITY;

  /**
   * @param gapMs standing still for less is not noticed; somebody looks several times in that time
   * @param now ms; monotonic, and goes on while the process stands still
   */
  constructor(gapMs: number, now: () => number) {
    this.#gapMs = gapMs;
    this.#now = now;
    this.#lookedAt = now();
  }

  /** Returns what time it is. */
  look(): number {
    const now = this.#now();
    if (now - this.#lookedAt > this.#gapMs) this.#since = now;
    this.#lookedAt = now;
    return now;
  }

  /** When it was noticed last that it had stood still. */
  since(): number {
    this.look();
    return this.#since;
  }
}
