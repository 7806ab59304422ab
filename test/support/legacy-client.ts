/** The client of Socket.IO 0.9 as its users know it, with the part of its interface that tests use. */
import { createRequire } from 'node:module';

export interface LegacySocket {
  on(event: string, listener: (...args: never[]) => void): this;
  once(event: string, listener: (...args: never[]) => void): this;
  emit(event: string, ...args: unknown[]): this;
  send(text: string): this;
  disconnect(): void;
  readonly socket: {
    readonly sessionid: string;
    readonly connected: boolean;
    readonly transport: { readonly name: string } | null;
  };
  readonly json: { send(value: unknown): void };
}

interface Library {
  transports: string[];
  connect(url: string, options: Record<string, unknown>): LegacySocket;
}

const require = createRequire(import.meta.url);
const library = require('socket.io-client-0.9') as Library;

/**
 * Connects over that transport only. Node's build of the library sends an origin without scheme with its WebSockets
 * (`127.0.0.1:8080`), and none otherwise: the server must allow both.
 */
export function connectLegacy(url: string, transport: string, options: Record<string, unknown> = {}): LegacySocket {
  // Given as an option, the list would be merged into the default one, element by element and for all later clients.
  library.transports = [transport];
  return library.connect(url, {
    'force new connection': true,
    'try multiple transports': false,
    reconnect: false,
    'connect timeout': 2000,
    ...options,
  });
}
