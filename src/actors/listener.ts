/**
 * A listening server as a supervised actor: it listens from `init` to `terminate`, so that the order of the tree is the order in
 * which ports open and close, and a taken port makes the start fail with its own clear error.
 */
import { Actor } from '../kernel/actor.ts';
import type { From } from '../kernel/types.ts';

export interface Listening {
  readonly port: number;
  /** Stops accepting connections; the server may wait for its last ones. */
  stop(): void | Promise<void>;
}

export class Listener extends Actor<never> {
  readonly #start: () => Promise<Listening>;
  #listening: Listening | undefined;

  constructor(start: () => Promise<Listening>) {
    super();
    this.#start = start;
  }

  override get trapsExits(): boolean {
    return true;
  }

  override async init(): Promise<void> {
    const listening = await this.#start();
    if (!this.alive) return listening.stop(); // killed while the port was being opened
    this.#listening = listening;
    // One that is killed must free its port, too, or the next could not start.
    this.kernel.onExit(this.self, () => void this.#stop());
  }

  receive(message: never, from: From | undefined): void {
    this.unexpected(message, from);
  }

  override terminate(): Promise<void> {
    return this.#stop();
  }

  /** Only the first time: killed while it stops, it has stopped listening already. */
  async #stop(): Promise<void> {
    const listening = this.#listening;
    this.#listening = undefined;
    await listening?.stop();
  }

  override inspect(): Record<string, unknown> {
    return { port: this.#listening?.port };
  }
}
