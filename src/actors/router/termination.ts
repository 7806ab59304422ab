/**
 * One request to the clients of this node to leave: those present at that moment, no others. They run `on_terminate`, may
 * leave by themselves, and are ended when the time is over.
 */
import type { Kernel } from '../../kernel/kernel.ts';
import { Timer } from '../../kernel/timers.ts';
import type { ClientActor } from '../client/client.ts';

export class Termination {
  /** Resolves when all have gone, have been told to end at the deadline, or need not leave any more. */
  readonly done: Promise<void>;
  readonly #kernel: Kernel;
  readonly #left: Set<ClientActor>;
  readonly #deadline: Timer;
  #finish: () => void = () => {};

  constructor(kernel: Kernel, clients: Iterable<ClientActor>, reason: string, graceMs: number) {
    this.#kernel = kernel;
    this.#left = new Set(clients);
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.#deadline = new Timer({ expire: () => this.#expire() });
    if (this.#left.size > 0) kernel.wheel.start(this.#deadline, graceMs);
    else this.cancel();
    for (const client of this.#left) client.self.tell({ type: 'terminate', reason });
  }

  /** The client has ended. */
  gone(client: ClientActor): void {
    if (this.#left.delete(client) && this.#left.size === 0) this.cancel();
  }

  /** Whoever is still there may stay. */
  cancel(): void {
    this.#deadline.cancel();
    this.#left.clear();
    this.#finish();
  }

  /** Ends the rest, whatever they wait for; `on_disconnect` runs all the same. */
  #expire(): void {
    for (const { cell } of this.#left) this.#kernel.exit(cell.parent ?? cell, cell, 'shutdown');
    this.cancel();
  }
}
