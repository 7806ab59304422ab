/**
 * How the distribution layer gets its byte streams: TCP here, TLS in tls-sockets.ts.
 */
import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { lookup } from '../kernel/lookups.ts';

export interface Sockets {
  /** Bytes of the length in front of each handshake packet: 2 over TCP, 4 over TLS. */
  readonly handshakeHeader: 2 | 4;
  /** Resolves once connected. Rejects after `timeoutMs`. */
  connect(host: string, port: number, timeoutMs: number): Promise<Socket>;
  /** A server that does not listen yet; `accept` gets each stream when it is ready to be read. */
  listen(accept: (socket: Socket) => void): Server;
}

export const tcp: Sockets = {
  handshakeHeader: 2,

  connect(host, port, timeoutMs) {
    return new Promise((resolve, reject) => {
      const socket = dial({ host, port, lookup, noDelay: true, keepAlive: true });
      const timer = setTimeout(() => {
        socket.destroy();
        reject(new Error(`${host}:${port} did not answer within ${timeoutMs} ms`));
      }, timeoutMs);
      // The listener stays: no error may hit a socket that nobody listens to yet.
      socket.once('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      socket.once('connect', () => {
        clearTimeout(timer);
        resolve(socket);
      });
    });
  },

  listen(accept) {
    return createServer({ noDelay: true, keepAlive: true }, accept);
  },
};

/** Listens on the first free port of the range (inclusive); port 0 as `first` is any. Resolves to the port. */
export async function listenInRange(server: Server, host: string, first: number, last: number): Promise<number> {
  for (let port = first; ; port += 1) {
    try {
      return await listenOn(server, host, port);
    } catch (error) {
      const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      if (!taken || port >= last) throw error;
    }
  }
}

export function listenOn(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => reject(error);
    server.once('error', fail);
    server.listen({ host, port, exclusive: true }, () => {
      server.off('error', fail);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
