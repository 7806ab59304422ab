/** Publishers that wait until the home of a channel has said who has what they published. */
import type { TimingWheel } from '../../../kernel/timers.ts';
import type { Unconfirmed } from '../../../web/api/api-host.ts';
import { confirmBoundMs } from '../confirmations.ts';

/** The home waits for the other nodes as long as any publisher does; the rest is for the way there and back. */
const boundMs = 2 * confirmBoundMs;

class HomeConfirmation implements Unconfirmed {
  readonly home: string;
  readonly until: number;
  missing: readonly string[] | undefined;
  #listener: ((nodes: readonly string[]) => void) | undefined;

  constructor(home: string, until: number) {
    this.home = home;
    this.until = until;
  }

  whenKnown(listener: (nodes: readonly string[]) => void): void {
    if (this.missing) listener(this.missing);
    else this.#listener = listener;
  }

  settle(missing: readonly string[]): void {
    this.missing = missing;
    this.#listener?.(missing);
  }
}

export class HomeConfirmations {
  readonly #wheel: TimingWheel;
  /** By the numbers of the items; in the order of their time. */
  readonly #open = new Map<number, HomeConfirmation>();
  #isWound = false;

  constructor(wheel: TimingWheel) {
    this.#wheel = wheel;
  }

  /** @param home who has not confirmed, if nothing is heard in time */
  add(number: number, home: string): Unconfirmed {
    const confirmation = new HomeConfirmation(home, performance.now() + boundMs);
    this.#open.set(number, confirmation);
    this.#wind(boundMs);
    return confirmation;
  }

  settle(number: number, missing: readonly string[]): void {
    const confirmation = this.#open.get(number);
    if (!confirmation) return;
    this.#open.delete(number);
    confirmation.settle(missing);
  }

  #wind(ms: number): void {
    if (this.#isWound) return;
    this.#isWound = true;
    this.#wheel.schedule(Math.max(1, ms), () => this.#expire());
  }

  #expire(): void {
    this.#isWound = false;
    const now = performance.now();
    for (const [number, { until, home }] of this.#open) {
      if (until > now) return this.#wind(until - now);
      this.settle(number, [home]);
    }
  }
}
