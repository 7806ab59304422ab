/** Clients that people really use, behind one small interface: send an event, await an event. */
import { io } from 'socket.io-client';
import { connectLegacy } from './legacy-client.ts';

export const clientKinds = ['4.8 websocket', '4.8 polling', '0.9 websocket', '0.9 xhr-polling'] as const;
/** `4.8 upgrade` starts with polling and moves to a WebSocket. */
export type ClientKind = (typeof clientKinds)[number] | '4.8 upgrade';

export interface ReceivedEvent {
  readonly name: string;
  readonly args: readonly unknown[];
}

/** What both generations have in common. */
interface AnySocket {
  on(name: string, listener: (...args: unknown[]) => void): unknown;
  emit(name: string, ...args: unknown[]): unknown;
  disconnect(): unknown;
}

interface Socket09 extends AnySocket {
  /** Internal: every event goes through here. */
  $emit(name: string, ...args: unknown[]): unknown;
}

const patienceMs = 15_000;
const lifeCycle09 = new Set([
  'connect',
  'connecting',
  'connect_failed',
  'disconnect',
  'error',
  'reconnect',
  'reconnecting',
]);

export class SocketClient {
  readonly kind: ClientKind;
  /** Every event so far, oldest first. */
  readonly received: ReceivedEvent[] = [];
  connected = false;
  readonly #socket: AnySocket;
  #wake: (() => void)[] = [];

  private constructor(kind: ClientKind, url: string, query: Record<string, string>) {
    this.kind = kind;
    const note = (name: string, args: unknown[]): void => {
      this.received.push({ name, args });
      this.#notify();
    };
    if (kind.startsWith('4.8')) {
      const socket = io(url, {
        transports: kind === '4.8 upgrade' ? ['polling', 'websocket'] : [kind.slice(4)],
        forceNew: true,
        reconnection: false,
        query,
      });
      socket.onAny((name: string, ...args: unknown[]) => note(name, args));
      this.#socket = socket as AnySocket;
    } else {
      const socket = connectLegacy(url, kind.slice(4)) as unknown as Socket09;
      const emit = socket.$emit;
      socket.$emit = (name: string, ...args: unknown[]) => {
        if (!lifeCycle09.has(name)) note(name, args);
        return emit.call(socket, name, ...args);
      };
      this.#socket = socket;
    }
    this.#socket.on('connect', () => {
      this.connected = true;
      this.#notify();
    });
    this.#socket.on('disconnect', () => {
      this.connected = false;
      this.#notify();
    });
    for (const failure of ['connect_error', 'connect_failed', 'error']) {
      this.#socket.on(failure, (reason) => note(`client ${failure}`, [String(reason)]));
    }
  }

  static async connect(kind: ClientKind, url: string, query: Record<string, string> = {}): Promise<SocketClient> {
    const client = new SocketClient(kind, url, query);
    await client.until(() => client.connected || client.received.length > 0, 'the connection');
    if (!client.connected) throw new Error(`${kind}: ${JSON.stringify(client.received)}`);
    return client;
  }

  emit(name: string, ...args: unknown[]): void {
    this.#socket.emit(name, ...args);
  }

  /** The first argument of the first event (also one that came before) that fits. */
  async event<Value = unknown>(name: string, fits: (value: Value) => boolean = () => true): Promise<Value> {
    const find = () => this.received.find((event) => event.name === name && fits(event.args[0] as Value));
    await this.until(() => find() !== undefined, `the event ${name}`);
    return find()!.args[0] as Value;
  }

  /** The same, for an event that comes after this call. */
  async nextEvent<Value = unknown>(name: string, fits: (value: Value) => boolean = () => true): Promise<Value> {
    const seen = this.received.length;
    const find = () => this.received.slice(seen).find((event) => event.name === name && fits(event.args[0] as Value));
    await this.until(() => find() !== undefined, `the next event ${name}`);
    return find()!.args[0] as Value;
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    const deadline = setTimeout(() => this.#notify(), patienceMs);
    const start = Date.now();
    while (!condition()) {
      // Timers may fire a millisecond early.
      if (Date.now() - start >= patienceMs - 10) {
        throw new Error(`${this.kind} client waited in vain for ${what}; it has ${JSON.stringify(this.received)}`);
      }
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
    clearTimeout(deadline);
  }

  async disconnect(): Promise<void> {
    if (!this.connected) return;
    this.#socket.disconnect();
    await this.until(() => !this.connected, 'its own disconnect');
  }

  #notify(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
