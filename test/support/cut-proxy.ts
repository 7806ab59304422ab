/** A way to a server that can be cut: what is under way is lost, and nobody gets through until it is mended. */
import { connect, createServer, type Server, type Socket } from 'node:net';

export class CutProxy {
  readonly url: string;
  readonly #server: Server;
  #targets: readonly number[];
  readonly #sockets = new Set<Socket>();
  /** Nobody hears of them any more. */
  readonly #silent = new Set<Socket>();
  #next = 0;
  #isCut = false;
  /** Bytes to clients until the way is cut by itself. */
  #bytesLeft = Number.POSITIVE_INFINITY;

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

  /** @param isSilent both ends keep what they believe to be a connection */
  cut(isSilent = false): void {
    this.#isCut = true;
    this.#bytesLeft = Number.POSITIVE_INFINITY;
    for (const socket of this.#sockets) {
      if (isSilent) this.#silence(socket);
      else socket.resetAndDestroy();
    }
    if (isSilent) this.#sockets.clear();
  }

  /** Cuts when that many bytes more have gone to clients. */
  cutAfter(bytes: number): void {
    this.#bytesLeft = bytes;
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
    if (this.#isCut) return void client.resetAndDestroy();
    this.#next += 1;
    const server = connect(this.#targets[this.#next % this.#targets.length]!, '127.0.0.1');
    client.on('data', (data) => server.write(data));
    server.on('data', (data) => this.#deliver(client, data));
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(one);
      one.setNoDelay(true);
      one.on('error', () => other.destroy());
      one.on('end', () => other.end());
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
  }

  #deliver(client: Socket, data: Buffer): void {
    if (data.length <= this.#bytesLeft) {
      this.#bytesLeft -= data.length;
      client.write(data);
      return;
    }
    const last = data.subarray(0, this.#bytesLeft);
    this.#bytesLeft = 0;
    // What has been let through is to arrive; a reset would take it along.
    client.write(last, () => this.cut());
  }
}
