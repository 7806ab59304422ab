/**
 * A way to a server that can be cut: what is under way is lost, and nobody gets through until it is mended. What the server says can be
 * delayed.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';

export type Direction = 'client' | 'server';

/** When a way is cut by itself. */
interface Limit {
  readonly to: Direction;
  readonly isHalf: boolean;
  readonly reached: () => void;
  bytesLeft: number;
}

export class CutProxy {
  readonly url: string;
  readonly #server: Server;
  #targets: readonly number[];
  /** Those to clients, and those to servers. */
  readonly #sockets = new Map<Socket, Direction>();
  /** Nobody hears of them any more. */
  readonly #silent = new Set<Socket>();
  #next = 0;
  #isCut = false;
  #limit: Limit | undefined;
  /** How long what servers say is under way, ms. */
  delayMs = 0;
  /** What they have said since, in order. */
  #held: (() => void)[] | undefined;

  private constructor(server: Server, port: number, targets: readonly number[]) {
    this.#server = server;
    this.#targets = targets;
    this.url = `http://127.0.0.1:${port}`;
    server.on('connection', (socket) => this.#forward(socket));
  }

  /** @param targets ports of 127.0.0.1; every connection goes to the next one */
  static async start(...targets: readonly number[]): Promise<CutProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (typeof address !== 'object' || !address) throw new Error('no address');
    return new CutProxy(server, address.port, targets);
  }

  /** @param isSilent both ends keep what they believe to be a connection; `half`: only the server does */
  cut(isSilent: boolean | 'half' = false): void {
    this.#isCut = true;
    const limit = this.#limit;
    this.#limit = undefined;
    // What becomes of one end would be told to the other.
    if (isSilent) for (const socket of this.#sockets.keys()) this.#silence(socket);
    for (const [socket, to] of this.#sockets) {
      if (!isSilent || (isSilent === 'half' && to === 'client')) reset(socket);
    }
    if (isSilent) this.#sockets.clear();
    limit?.reached();
  }

  /**
   * Cuts when that many bytes more have gone to one side. Resolves when it is cut, for whatever reason.
   * @param isHalf the server keeps what it believes to be a connection
   */
  cutAfter(bytesLeft: number, to: Direction, isHalf = false): Promise<void> {
    return new Promise((reached) => {
      this.#limit = { to, isHalf, reached, bytesLeft };
    });
  }

  /** Nothing that servers say gets through until what is returned is called. */
  hold(): () => void {
    this.#held ??= [];
    return () => {
      const held = this.#held ?? [];
      this.#held = undefined;
      for (const deliver of held) deliver();
    };
  }

  /** @param targets where connections go from now on; without, where they went before */
  mend(...targets: readonly number[]): void {
    this.#isCut = false;
    if (targets.length > 0) this.#targets = targets;
  }

  async stop(): Promise<void> {
    this.cut();
    for (const socket of this.#silent) socket.destroy();
    await new Promise((closed) => this.#server.close(closed));
  }

  #silence(socket: Socket): void {
    // All listeners at once would make it flow again.
    for (const event of ['data', 'end', 'close', 'error']) socket.removeAllListeners(event);
    socket.pause();
    socket.on('error', () => {});
    this.#silent.add(socket);
  }

  #forward(client: Socket): void {
    if (this.#isCut) return reset(client);
    this.#next += 1;
    const server = connect(this.#targets[this.#next % this.#targets.length]!, '127.0.0.1');
    client.on('data', (data) => this.#deliver(server, 'server', data));
    server.on('data', (data) => this.#later(() => this.#deliver(client, 'client', data)));
    for (const [one, other, to] of [
      [client, server, 'client'],
      [server, client, 'server'],
    ] as const) {
      this.#sockets.set(one, to);
      one.setNoDelay(true);
      one.on('error', () => other.destroy());
      one.on('end', () => other.end());
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
  }

  #later(deliver: () => void): void {
    if (this.#held) this.#held.push(deliver);
    else if (this.delayMs > 0) setTimeout(deliver, this.delayMs);
    else deliver();
  }

  #deliver(socket: Socket, to: Direction, data: Buffer): void {
    const limit = this.#limit;
    if (limit?.to !== to) return void socket.write(data);
    const last = data.subarray(0, limit.bytesLeft);
    limit.bytesLeft -= last.length;
    if (last.length === data.length) return void socket.write(data);
    // What has been let through is to arrive; a reset would take it along.
    socket.write(last, () => {
      if (this.#limit === limit) this.cut(limit.isHalf && 'half');
    });
  }
}

/** A socket that is ending, or not there yet, cannot be reset: it would never be closed, and Node could not exit. */
function reset(socket: Socket): void {
  if (socket.writableEnded || socket.connecting) socket.destroy();
  else socket.resetAndDestroy();
}
