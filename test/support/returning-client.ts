/** A Socket.IO client that comes back by itself, and notes what it hears. */
import { io, type Socket } from 'socket.io-client';
import { eventually } from './eventually.ts';

export interface ReturningOptions {
  readonly transports?: readonly ('polling' | 'websocket')[];
  readonly query?: Record<string, string>;
  readonly auth?: Record<string, unknown>;
  readonly namespace?: string;
}

export class ReturningClient {
  readonly socket: Socket;
  /** Names and arguments of all events, without positions. */
  readonly heard: (readonly [string, ...unknown[]])[] = [];
  /** Positions of the same. */
  readonly positions: unknown[] = [];
  /** Of each connect packet, whether it was a recovery. */
  readonly connects: boolean[] = [];
  /** The session ids of these. */
  readonly sids: string[] = [];

  constructor(url: string, { transports = ['websocket'], query, auth, namespace = '' }: ReturningOptions = {}) {
    this.socket = io(url + namespace, {
      transports: [...transports],
      forceNew: true,
      reconnectionDelay: 20,
      reconnectionDelayMax: 60,
      // A WebSocket that is cut before its first packet is no error for the library: it would wait for 20 s.
      timeout: 2500,
      ...(query && { query }),
      ...(auth && { auth }),
    });
    this.socket.on('connect', () => {
      this.connects.push(this.socket.recovered === true);
      this.sids.push(this.socket.id!);
    });
    this.socket.onAny((name: string, ...args: unknown[]) => {
      this.positions.push(query?.recovery === '0' ? undefined : args.pop());
      this.heard.push([name, ...args]);
    });
  }

  /** Waits for the connect packet of that number, counted from 1. */
  async connected(count = 1, limitMs = 10_000): Promise<void> {
    await eventually(() => this.connects.length >= count, `connect packet ${count}`, limitMs);
  }

  /** The first arguments of all events of that name. */
  firsts(name: string): unknown[] {
    return this.heard.filter(([heard]) => heard === name).map(([, first]) => first);
  }

  /** With all namespaces of its connection. */
  stop(): void {
    this.socket.disconnect();
    this.socket.io.reconnection(false);
    this.socket.io.engine?.close();
  }
}
