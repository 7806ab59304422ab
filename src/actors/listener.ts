/**
 * A listening server as a supervised actor: it listens from `init` to `terminate`, so that the order of the tree is the order in
 * which ports open and close, and a taken port makes the start fail with its own clear error.
 */
import { Actor } from '../kernel/actor.ts';

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
    this.#listening = await this.#start();
    // Killed while the port was being opened: nobody else would close it.
    if (!this.alive) await this.#listening.stop();
  }

  receive(): void {}

  override async terminate(): Promise<void> {
    await this.#listening?.stop();
  }

  override inspect(): Record<string, unknown> {
    return { port: this.#listening?.port };
  }
}
