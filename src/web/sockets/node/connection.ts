/**
 * A connection of HTTP, with the exchanges on it that have no answer yet: one, or more where a client does not wait for answers
 * (RFC 9112 §9.3.2). It knows when the client has gone away, for all of them.
 */
import type { Socket } from 'node:net';

export interface Exchange {
  /** The client has gone away. */
  abort(): void;
}

/** Requests without an answer: so many fit into what is read at a time, and are there before the first can be answered. */
const maxOpen = 1000;

/** How often requests may be read anew after an upgrade has come to nothing: each time leaves listeners of Node's on the socket. */
const maxReadings = 4;

/** How long a client may go on sending what nobody reads, until it has read its answer. */
const lingerMs = 2000;

const state = Symbol('connection');

type Known = Socket & { [state]?: Connection | undefined };

export class Connection {
  readonly socket: Socket;
  readonly #open: Exchange[] = [];
  #readings = 0;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', ignore);
    socket.on('close', closed);
  }

  static of(socket: Known): Connection {
    socket[state] ??= new Connection(socket);
    return socket[state];
  }

  /** It carries no more requests, and needs nothing of this any more: WebSockets are what a server mostly holds. */
  release(): void {
    const socket: Known = this.socket;
    socket.off('error', ignore);
    socket.off('close', closed);
    socket[state] = undefined;
  }

  abort(): void {
    for (const exchange of this.#open.splice(0)) exchange.abort();
  }

  /** Whether a request waits for its answer. */
  get isBusy(): boolean {
    return this.#open.length > 0;
  }

  /** Whether requests are to be read anew once more, which is to be counted by asking. */
  mayBeReadAnew(): boolean {
    this.#readings += 1;
    return this.#readings <= maxReadings;
  }

  /** A client that goes on asking while it gets no answers loses its connection. */
  begin(exchange: Exchange): void {
    if (this.#open.push(exchange) > maxOpen) this.socket.destroy();
  }

  end(exchange: Exchange): void {
    const at = this.#open.indexOf(exchange);
    if (at >= 0) this.#open.splice(at, 1);
  }
}

function closed(this: Known): void {
  this[state]?.abort();
}

/** Sockets say that they are closed as well. */
function ignore(): void {}

/**
 * Ends a connection whose client may still be sending: were it closed at once, the system would throw away what the client
 * has not read yet (RFC 9112 §9.6).
 */
export function closeGently(socket: Socket): void {
  socket.end();
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => clearTimeout(timer));
}
