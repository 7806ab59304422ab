/** A server's listening that can pause, made of what every library can: beginning and ending it. */
import type { Listening } from './types.ts';

/** A socket that listens. */
export interface ListenSocket {
  readonly port: number;
  close(): void;
}

export class PausableListening implements Listening {
  readonly port: number;
  readonly #open: (port: number) => Promise<ListenSocket>;
  #socket: ListenSocket | undefined;
  /** One at a time, however often it is paused and resumed meanwhile: the port is had once. */
  #opening: Promise<void> | undefined;
  #wanted = true;
  #stopped = false;

  private constructor(open: (port: number) => Promise<ListenSocket>, socket: ListenSocket) {
    this.port = socket.port;
    this.#open = open;
    this.#socket = socket;
  }

  static async start(open: (port: number) => Promise<ListenSocket>, port: number): Promise<Listening> {
    return new PausableListening(open, await open(port));
  }

  stop(): void {
    this.#stopped = true;
    this.pause();
  }

  pause(): void {
    this.#wanted = false;
    this.#socket?.close();
    this.#socket = undefined;
  }

  async resume(): Promise<void> {
    if (this.#stopped) return;
    this.#wanted = true;
    if (this.#socket) return;
    this.#opening ??= this.#reopen();
    await this.#opening;
  }

  async #reopen(): Promise<void> {
    try {
      this.#socket = await this.#open(this.port);
    } catch (error) {
      this.#wanted = false;
      throw error;
    } finally {
      this.#opening = undefined;
    }
    if (!this.#wanted) this.pause(); // it was paused while it opened
  }
}
