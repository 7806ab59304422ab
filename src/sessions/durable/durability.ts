/** Whether the sessions of a node are durable now, and why not. That it has changed is logged once, and published. */
import { events } from '../../observe/events.ts';
import type { Log } from '../../observe/logger.ts';
import type { Counter } from '../../observe/metrics.ts';
import { textOf } from '../../observe/thrown.ts';

export interface DurabilitySetup {
  readonly node: string;
  readonly log: Log;
  /** Requests to Redis that failed. */
  readonly errors: Counter;
  /** ms; monotonic. */
  readonly now: () => number;
}

export class Durability {
  readonly #setup: DurabilitySetup;
  #problem: string | undefined = 'Redis has not answered yet';
  #since: number;
  #isTold = false;

  constructor(setup: DurabilitySetup) {
    this.#setup = setup;
    this.#since = setup.now();
  }

  /** Why sessions are not durable; undefined if they are. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** How long they have not been, ms; 0 while they are. */
  get downMs(): number {
    return this.#problem === undefined ? 0 : this.#setup.now() - this.#since;
  }

  failed(error: unknown): void {
    const { errors, log, now } = this.#setup;
    errors.value += 1;
    if (this.#problem === undefined) this.#since = now();
    this.#problem = textOf(error);
    if (this.#isTold) return;
    this.#isTold = true;
    log.warning(`Sessions are not durable: ${this.#problem}`);
    this.#publish(false, this.#problem);
  }

  succeeded(): void {
    if (this.#problem === undefined) return;
    const { log } = this.#setup;
    if (this.#isTold) log.notice('Sessions are durable again', { afterMs: Math.round(this.downMs) });
    else log.notice('Sessions are durable');
    this.#problem = undefined;
    this.#isTold = false;
    this.#publish(true, undefined);
  }

  #publish(isDurable: boolean, reason: string | undefined): void {
    if (events.durable.hasSubscribers) events.durable.publish({ node: this.#setup.node, isDurable, reason });
  }
}
