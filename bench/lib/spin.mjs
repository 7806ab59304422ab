/**
 * Keeps the load generator awake. Whoever sends to a process that sleeps pays for waking it, and that is the server: the less there is
 * to do for the generator, the more often, so that slow contestants would be made slower still. A generator that never sleeps
 * need not be woken.
 */

import { sharesProcessor } from './cpu.mjs';

/** What the generator has done so far: pieces read, connections opened and closed, requests answered. */
export const activity = { count: 0 };

/** An idle turn takes a few microseconds; what is longer was not the generator's, but somebody else's on its processor. */
const maxTurnMs = 0.02;

export class Spinner {
  /** Time in which there was nothing to do, ms. */
  idleMs = 0;
  #running = true;

  constructor() {
    let last = performance.now();
    let seen = activity.count;
    const turn = () => {
      const now = performance.now();
      if (activity.count === seen) this.idleMs += Math.min(now - last, maxTurnMs);
      last = now;
      seen = activity.count;
      if (this.#running && !sharesProcessor) setImmediate(turn);
    };
    setImmediate(turn);
  }

  stop() {
    this.#running = false;
  }
}
