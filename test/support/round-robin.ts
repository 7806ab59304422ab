/** A load balancer as bad as can be for sessions: every single request, and every WebSocket, goes to the next server. */
import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';

export class RoundRobin {
  readonly url: string;
  readonly #targets: number[];
  readonly #handshakes: number | undefined;
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #sockets = new Set<Socket>();
  #next = 0;
  /** Texts to look for in answers, and how often they were found. */
  readonly #counts = new Map<string, number>();

  private constructor(server: Server, port: number, targets: readonly number[], handshakes: number | undefined) {
    this.#server = server;
    this.#handshakes = handshakes;
    this.#targets = [...targets];
    this.url = `http://127.0.0.1:${port}`;
    server.on('request', (req, res) => this.#forward(req, res));
    server.on('upgrade', (req, socket, head) => this.#upgrade(req, socket as Socket, head));
    server.on('connection', (socket) => this.#track(socket));
  }

  /**
   * @param targets ports of 127.0.0.1
   * @param handshakes where all requests without a session go instead
   */
  static async start(targets: readonly number[], handshakes?: number): Promise<RoundRobin> {
    const server = createServer({ keepAliveTimeout: 60_000 });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (typeof address !== 'object' || !address) throw new Error('no address');
    return new RoundRobin(server, address.port, targets, handshakes);
  }

  /** Requests go there no more. */
  remove(target: number): void {
    this.#targets.splice(this.#targets.indexOf(target), 1);
  }

  /** Counts the answers of requests with that text in it from now on. */
  watchFor(text: string): void {
    this.#counts.set(text, 0);
  }

  seen(text: string): number {
    return this.#counts.get(text) ?? 0;
  }

  stop(): Promise<void> {
    this.#agent.destroy();
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #target(url = ''): number {
    if (this.#handshakes !== undefined && !/[?&]sid=|\/socket\.io\/1\/[^?]/.test(url)) return this.#handshakes;
    this.#next += 1;
    return this.#targets[this.#next % this.#targets.length]!;
  }

  #forward(req: IncomingMessage, res: ServerResponse): void {
    const { method, url: path } = req;
    const headers = { ...req.headers, connection: 'keep-alive' };
    const forward = request(
      { host: '127.0.0.1', port: this.#target(path), method, path, headers, agent: this.#agent },
      (answer) => {
        res.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.on('data', (chunk) => this.#look(String(chunk)));
        answer.pipe(res);
        answer.on('error', () => res.destroy());
      },
    );
    forward.on('error', (error: NodeJS.ErrnoException) => {
      // The server has closed an idle connection in that moment: what has no body is asked once more, as proxies do.
      const isStale = forward.reusedSocket && error.code === 'ECONNRESET' && method === 'GET' && !res.headersSent;
      if (isStale && !res.destroyed) this.#forward(req, res);
      else res.destroy();
    });
    req.on('error', () => forward.destroy());
    // After a complete answer the connection to the server is somebody else's.
    res.on('close', () => res.writableFinished || forward.destroy());
    if (req.readableEnded) forward.end();
    else req.pipe(forward);
  }

  #upgrade(req: IncomingMessage, client: Socket, head: Buffer): void {
    const server = connect(this.#target(req.url), '127.0.0.1');
    this.#track(server);
    const lines = [`${req.method} ${req.url} HTTP/1.1`];
    for (let at = 0; at < req.rawHeaders.length; at += 2)
      lines.push(`${req.rawHeaders[at]}: ${req.rawHeaders[at + 1]}`);
    server.write(`${lines.join('\r\n')}\r\n\r\n`);
    server.write(head);
    client.setNoDelay(true);
    server.setNoDelay(true);
    client.pipe(server).pipe(client);
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  }

  #look(text: string): void {
    for (const [wanted, count] of this.#counts) if (text.includes(wanted)) this.#counts.set(wanted, count + 1);
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
