/**
 * A socket library that runs wherever Node does: `node:http`, `node:https` and the `ws` package in the manner of the native
 * ones.
 *
 *     library.ts ── exchange.ts ──── connection.ts     requests
 *            └───── upgrade.ts ───── socket.ts         WebSockets
 *                                      ├─ frames.ts, outbox.ts
 *                                      └─ subscriptions.ts
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, type Socket, Server as TcpServer } from 'node:net';
import { WebSocketServer } from 'ws';
import { framed } from '../framing.ts';
import { maxHeadBytes } from '../head-limit.ts';
import { type ListenSocket, PausableListening } from '../listening.ts';
import { refusedPort } from '../refused-port.ts';
import { readTls } from '../tls.ts';
import type {
  Listening,
  Payload,
  RequestHandler,
  SocketApp,
  SocketBehavior,
  SocketLibrary,
  TlsFiles,
} from '../types.ts';
import { Connection, closeGently } from './connection.ts';
import { NodeRequest, NodeResponse } from './exchange.ts';
import { compressedFrameOf, frameOf, opcodes } from './frames.ts';
import { readProxyHeader } from './proxy-header.ts';
import { HeldPeer, type NodeSocket, type SocketHost } from './socket.ts';
import { Subscriptions } from './subscriptions.ts';
import {
  deflateOffer,
  NodeUpgradeResponse,
  plainAnswer,
  refusalOf,
  wantsWebSocket,
  withoutUpgrade,
} from './upgrade.ts';

const httpOptions = {
  maxHeaderSize: maxHeadBytes,
  // The whole head; it is one packet mostly.
  headersTimeout: 20_000,
  // The whole request. Its answer may take any time.
  requestTimeout: 120_000,
  // Longer than proxies keep unused connections, or they would send requests into closed ones: nginx 60 s.
  keepAliveTimeout: 75_000,
  connectionsCheckingInterval: 5000,
} satisfies ServerOptions;

const tlsHandshakeMs = 10_000;

/** How long a client may take to answer a close frame. */
const closeMs = 10_000;

/** By the code of a parser's error; 400 otherwise. */
const statusOf = new Map<string | undefined, number>([
  ['HPE_HEADER_OVERFLOW', 431],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 413],
  ['ERR_HTTP_REQUEST_TIMEOUT', 408],
]);

export function nodeLibrary(): SocketLibrary {
  return { createApp: (tls, mayBeProxied) => new NodeApp(tls, mayBeProxied === true && !tls) };
}

class NodeApp implements SocketApp {
  readonly #server: Server;
  /** Has the server read requests from a socket that an upgrade has taken from it. */
  readonly #parse: (socket: Socket) => void;
  /** Everything that is connected. */
  readonly #connections = new Set<Socket>();
  readonly #subscriptions = new Subscriptions<NodeSocket<unknown>>();
  readonly #sockets = new Set<NodeSocket<unknown>>();
  #holdsSockets = false;
  #post: RequestHandler | undefined;
  #any: RequestHandler | undefined;

  /** @param mayBeProxied whether to look for the PROXY protocol, which costs each connection a turn of the event loop */
  constructor(tls: TlsFiles | undefined, mayBeProxied: boolean) {
    // What `node:http` and `node:https` listen to.
    const connected = tls ? 'secureConnection' : 'connection';
    const options = {
      ...httpOptions,
      shouldUpgradeCallback: (message: IncomingMessage) => this.#holdsSockets && wantsWebSocket(message),
    };
    this.#server = tls
      ? createTlsServer({ ...options, ...readTls(tls), handshakeTimeout: tlsHandshakeMs })
      : createServer(options);
    const [serve] = this.#server.listeners('connection') as [(this: Server, socket: Socket) => void];
    this.#parse = mayBeProxied
      ? (socket) => serve.call(this.#server, socket)
      : (socket) => this.#server.emit(connected, socket);
    const connections = this.#connections;
    const closed = function (this: Socket): void {
      connections.delete(this);
    };
    this.#server.on('connection', (socket: Socket) => {
      if (connections.has(socket)) return;
      connections.add(socket);
      socket.on('close', closed);
    });
    if (mayBeProxied) {
      this.#server.off('connection', serve);
      this.#server.on('connection', (socket: Socket) => readProxyHeader(socket, () => this.#parse(socket)));
    }
    this.#server.on('request', (message, response) => this.#handle(message, response));
    this.#server.on('clientError', refuse);
    this.#server.on('error', () => {
      // A connection that could not be accepted is lost to its client alone. Who begins to listen hears of it besides.
    });
  }

  post(_pattern: '/*', handler: RequestHandler): void {
    this.#post = framed(handler);
  }

  any(_pattern: '/*', handler: RequestHandler): void {
    this.#any = framed(handler);
  }

  ws<Data>(_pattern: '/*', behavior: SocketBehavior<Data>): void {
    const options = {
      noServer: true,
      clientTracking: false,
      WebSocket: HeldPeer,
      maxPayload: behavior.maxPayloadLength,
      // What is sent is compressed in frames.ts.
      perMessageDeflate: behavior.compression && { serverNoContextTakeover: true, clientNoContextTakeover: true },
      skipUTF8Validation: false,
      // Pongs go through the outbox, which bounds them.
      autoPong: false,
      closeTimeout: closeMs,
    };
    const sockets = new WebSocketServer(options);
    this.#holdsSockets = true;
    const host = { behavior, subscriptions: this.#subscriptions, sockets: this.#sockets } as SocketHost<unknown>;
    this.#server.on('upgrade', (message: IncomingMessage, socket: Socket, head: Buffer) => {
      if (Connection.of(socket).isBusy) socket.destroy();
      else if (!wantsWebSocket(message)) this.#again(message, socket, head);
      else if (socket.readable && socket.writable) this.#upgrade(host, sockets, message, socket, head);
    });
  }

  listen(host: string, port: number): Promise<Listening> {
    return PausableListening.start((at) => this.#open(host, at), port);
  }

  async #open(host: string, port: number): Promise<ListenSocket> {
    const server = this.#server;
    server.listen({ host, port, exclusive: true });
    try {
      await once(server, 'listening');
    } catch (cause) {
      throw await refusedPort(host, port, cause);
    }
    // That of the HTTP server would close connections that are idle for the moment, too.
    return { port: (server.address() as AddressInfo).port, close: () => TcpServer.prototype.close.call(server) };
  }

  publish(topic: string, message: Payload, isBinary: boolean, compress: boolean): void {
    const subscribers = this.#subscriptions.of(topic);
    if (!subscribers) return;
    const opcode = isBinary ? opcodes.binary : opcodes.text;
    const frame = frameOf(opcode, message);
    const compressed = (compress && compressedFrameOf(opcode, message)) || frame;
    for (const socket of subscribers) socket.push(socket.inflates ? compressed : frame);
  }

  numSubscribers(topic: string): number {
    return this.#subscriptions.of(topic)?.size ?? 0;
  }

  late(upgrade: () => void): void {
    upgrade();
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
    for (const connection of this.#connections) connection.destroy();
  }

  #handle(message: IncomingMessage, response: ServerResponse): void {
    const handler = (message.method === 'POST' && this.#post) || this.#any;
    if (handler) handler(new NodeResponse(message, response), new NodeRequest(message));
    else response.writeHead(404).end();
  }

  #upgrade(
    host: SocketHost<unknown>,
    sockets: WebSocketServer,
    message: IncomingMessage,
    socket: Socket,
    head: Buffer,
  ): void {
    const refusal = refusalOf(message);
    if (refusal !== undefined) {
      socket.write(refusal);
      closeGently(socket);
      return;
    }
    const { headers } = message;
    const request = new NodeRequest(message);
    if (host.behavior.compression) {
      const offer = headers['sec-websocket-extensions'];
      headers['sec-websocket-extensions'] = offer && deflateOffer(offer);
    }
    host.behavior.upgrade(
      new NodeUpgradeResponse(host, sockets, message, socket, head, this.#parse),
      request,
      undefined,
    );
  }

  /** Takes a request once more, as one without upgrade. */
  #again(message: IncomingMessage, socket: Socket, head: Buffer): void {
    socket.unshift(withoutUpgrade(message, head, !Connection.of(socket).mayBeReadAnew()));
    this.#parse(socket);
  }
}

/** What is no HTTP, or too much of it, or too slow. */
function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  if (socket.writableEnded) return;
  // Another answer may be due before this one.
  if (!socket.writable || error.code === 'ECONNRESET' || Connection.of(socket).isBusy) {
    socket.destroy();
    return;
  }
  socket.write(plainAnswer(statusOf.get(error.code) ?? 400));
  closeGently(socket);
}
