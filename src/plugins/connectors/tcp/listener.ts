/** The listening mode of `connector.tcp`: back ends connect to Hive. */
import { createServer, type Server, type Socket } from 'node:net';
import { HiveError } from '../../../observe/errors.ts';
import type { ConnectionSink, ConnectionSource } from '../../types.ts';
import { reasonOf } from './probe.ts';
import { type TcpTerms, TcpWorker } from './worker.ts';

/** Connections of one pool, at most (as in 2014). */
const maxConnections = 1024;
/** Idle time after which the system looks whether the other end is still there, ms. */
export const keepAliveMs = 30_000;

export class TcpListener implements ConnectionSource {
  readonly code = 'tcp_error';
  readonly #host: string;
  readonly #port: number;
  readonly #terms: TcpTerms;
  readonly #live = new Set<Socket>();
  #server: Server | undefined;
  /** A connection was refused since the last one was accepted. */
  #isFull = false;

  constructor(host: string, port: number, terms: TcpTerms) {
    this.#host = host;
    this.#port = port;
    this.#terms = terms;
  }

  get problem(): string | undefined {
    return this.#live.size === 0 ? 'no back end is connected' : undefined;
  }

  /** @throws HiveError (rejection) `port_taken` */
  async open(sink: ConnectionSink): Promise<void> {
    const options = { pauseOnConnect: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs };
    const server = createServer(options, (socket) => void this.#accept(socket, sink));
    server.maxConnections = maxConnections;
    const { log } = this.#terms;
    server.on('drop', () => {
      const isNews =
        !this.#isFull && !log.excess('Connections of back ends are refused', `${this.#host}:${this.#port}`);
      if (isNews) log.warning(`Connections are refused: there are ${maxConnections} already`);
      this.#isFull = true;
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => {
        const place = `${this.#host}:${this.#port}`;
        reject(new HiveError('port_taken', `Cannot listen on ${place}: ${reasonOf(error)}`, { cause: error }));
      });
      server.listen({ host: this.#host, port: this.#port }, resolve);
    });
    server.on('error', (error) => {
      if (log.excess('Accepting connections', `${this.#host}:${this.#port}`, 'error')) return;
      log.error(`Accepting connections: ${reasonOf(error)}`);
    });
    this.#server = server;
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : this.#port;
    log.notice(`Listening for back ends on ${this.#host}:${port}`);
  }

  async #accept(socket: Socket, sink: ConnectionSink): Promise<void> {
    this.#isFull = false;
    this.#live.add(socket);
    socket.once('close', () => this.#live.delete(socket));
    if (!(await sink.admit(new TcpWorker(socket, this.#terms)))) socket.destroy();
  }

  /** Who comes, comes by itself. */
  wanted(): void {}

  close(): void {
    this.#server?.close();
    this.#server = undefined;
  }
}
