/**
 * EPMD inside a node, for machines where no other runs: registration, look-up and the list of names. What would let one
 * node end another (`kill`, `stop`) is not served. Source: EPMD protocol.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { listenOn } from '../sockets.ts';
import { request, response } from './epmd.ts';

interface Registration {
  readonly port: number;
  readonly type: number;
  readonly protocol: number;
  readonly highest: number;
  readonly lowest: number;
  readonly name: Buffer;
  readonly extra: Buffer;
}

/** No request is longer; the longest name has 255 characters. */
const maxRequest = 2048;
/** How long a connection may take for its request. */
const requestTimeoutMs = 5000;

export class EpmdServer {
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #nodes = new Map<string, Registration>();
  #port = 0;
  #creation = 0;

  get port(): number {
    return this.#port;
  }

  /**
   * Listens on each of these addresses. Rejects (EADDRINUSE) if the first is taken; resolves to what went wrong with the
   * others.
   */
  async listen(port: number, hosts: readonly string[]): Promise<Error[]> {
    this.#port = port;
    const failures: Error[] = [];
    for (const [index, host] of hosts.entries()) {
      const server = createServer((socket) => this.#serve(socket));
      try {
        this.#port = await listenOn(server, host, this.#port);
        this.#servers.push(server);
      } catch (error) {
        if (index === 0) throw error;
        failures.push(error as Error);
      }
    }
    return failures;
  }

  stop(): void {
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#nodes.clear();
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    let bytes: Buffer = Buffer.alloc(0);
    socket.setTimeout(requestTimeoutMs, () => socket.destroy());
    // An error is always followed by `close`, which does all there is to do.
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    const read = (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length < 2) return;
      const length = bytes.readUInt16BE(0);
      if (length === 0 || length > maxRequest) return void socket.destroy();
      if (bytes.length < 2 + length) return;
      socket.off('data', read);
      // A registered node says nothing more; what it says is thrown away.
      socket.resume();
      this.#answer(socket, bytes.subarray(2, 2 + length));
    };
    socket.on('data', read);
  }

  #answer(socket: Socket, body: Buffer): void {
    switch (body[0]) {
      case request.alive:
        return this.#register(socket, body);
      case request.portPlease:
        socket.end(this.#portOf(body.toString('utf8', 1)));
        return;
      case request.names:
        socket.end(this.#names());
        return;
      default:
        socket.destroy();
    }
  }

  #register(socket: Socket, body: Buffer): void {
    const node = isLocal(socket) ? parseAlive(body) : undefined;
    if (!node) return void socket.destroy();
    const name = node.name.toString('utf8');
    const taken = this.#nodes.has(name);
    this.#creation = (this.#creation % 0xfffffff0) + 1;
    const wide = node.highest >= 6;
    const answer = Buffer.alloc(wide ? 6 : 4);
    answer[0] = wide ? response.aliveX : response.alive;
    answer[1] = taken ? 1 : 0;
    if (wide) answer.writeUInt32BE(this.#creation + 3, 2);
    else answer.writeUInt16BE((this.#creation % 3) + 1, 2);
    if (taken) return void socket.end(answer);
    socket.setTimeout(0);
    socket.setKeepAlive(true);
    this.#nodes.set(name, node);
    socket.on('close', () => {
      if (this.#nodes.get(name) === node) this.#nodes.delete(name);
    });
    socket.write(answer);
  }

  #portOf(name: string): Buffer {
    const node = this.#nodes.get(name);
    if (!node) return Buffer.of(response.port, 1);
    const head = Buffer.alloc(10);
    head[0] = response.port;
    head[1] = 0;
    head.writeUInt16BE(node.port, 2);
    head[4] = node.type;
    head[5] = node.protocol;
    head.writeUInt16BE(node.highest, 6);
    head.writeUInt16BE(node.lowest, 8);
    return Buffer.concat([head, withLength(node.name), withLength(node.extra)]);
  }

  #names(): Buffer {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(this.#port);
    const lines = [...this.#nodes].map(([name, node]) => `name ${name} at port ${node.port}\n`);
    return Buffer.concat([head, Buffer.from(lines.join(''))]);
  }
}

function parseAlive(body: Buffer): Registration | undefined {
  if (body.length < 13) return undefined;
  const nameEnd = 11 + body.readUInt16BE(9);
  if (nameEnd === 11 || body.length < nameEnd + 2) return undefined;
  const extraEnd = nameEnd + 2 + body.readUInt16BE(nameEnd);
  if (body.length < extraEnd) return undefined;
  return {
    port: body.readUInt16BE(1),
    type: body[3]!,
    protocol: body[4]!,
    highest: body.readUInt16BE(5),
    lowest: body.readUInt16BE(7),
    name: Buffer.from(body.subarray(11, nameEnd)),
    extra: Buffer.from(body.subarray(nameEnd + 2, extraEnd)),
  };
}

/** Only nodes of this machine may register here. */
function isLocal(socket: Socket): boolean {
  const from = socket.remoteAddress ?? '';
  return from.startsWith('127.') || from === '::1' || from.startsWith('::ffff:127.') || from === socket.localAddress;
}

function withLength(bytes: Buffer): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(bytes.length);
  return Buffer.concat([head, bytes]);
}
