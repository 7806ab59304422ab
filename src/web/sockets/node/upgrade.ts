/**
 * Requests for WebSockets (RFC 6455 §4.2). What `ws` would refuse is refused here before the layers above hear of it, so that no
 * upgrade that they have agreed to can fail.
 */
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { WebSocketServer } from 'ws';
import type { UpgradeResponse } from '../types.ts';
import { closeGently } from './connection.ts';
import { Answer } from './exchange.ts';
import { type HeldPeer, NodeSocket, type SocketHost } from './socket.ts';

const version = '13';
/** 16 bytes in Base64. */
const keyPattern = /^[+/0-9A-Za-z]{22}==$/;

/** Whether that is what the client asks for, rather than another protocol, which servers may decline to know. */
export function wantsWebSocket({ headers, method, httpVersion }: IncomingMessage): boolean {
  if (method !== 'GET' || httpVersion === '1.0' || headers.upgrade?.toLowerCase() !== 'websocket') return false;
  return (headers['content-length'] ?? '0') === '0' && headers['transfer-encoding'] === undefined;
}

/** The refusal of a request that nobody could agree to, or undefined. */
export function refusalOf({ headers }: IncomingMessage): string | undefined {
  if (headers['sec-websocket-version'] !== version) {
    return plainAnswer(426, [`Sec-WebSocket-Version: ${version}`, 'Upgrade: websocket']);
  }
  return keyPattern.test(headers['sec-websocket-key'] ?? '') ? undefined : plainAnswer(400);
}

/** An answer without body after which the connection is closed. */
export function plainAnswer(status: number, headers: readonly string[] = []): string {
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...headers, 'Connection: close', 'Content-Length: 0'];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

export class NodeUpgradeResponse<Host> extends Answer implements UpgradeResponse {
  readonly #host: SocketHost<Host>;
  readonly #server: WebSocketServer;
  readonly #socket: Socket;
  readonly #head: Buffer;
  readonly #parse: (socket: Socket) => void;

  /** @param parse takes further requests from the socket, if this one was refused */
  constructor(
    host: SocketHost<Host>,
    server: WebSocketServer,
    message: IncomingMessage,
    socket: Socket,
    head: Buffer,
    parse: (socket: Socket) => void,
  ) {
    super(message);
    this.#host = host;
    this.#server = server;
    this.#socket = socket;
    this.#head = head;
    this.#parse = parse;
  }

  upgrade<Data>(data: Data, _key: string, protocol: string): void {
    const socket = this.#socket;
    // It is about to be closed, which ends this request as well.
    if (!socket.readable || !socket.writable || !this.finish()) return;
    const host = this.#host as unknown as SocketHost<Data>;
    // `ws` would refuse odd offers, and takes the first of others.
    if (protocol === '') delete this.message.headers['sec-websocket-protocol'];
    else this.message.headers['sec-websocket-protocol'] = protocol;
    socket.cork();
    this.#server.handleUpgrade(this.message, socket, this.#head, (peer) => {
      this.connection.release();
      const held = new NodeSocket(host, peer as HeldPeer, socket, data);
      host.behavior.open(held);
      // Together with the answer.
      held.flush();
    });
    socket.uncork();
  }

  /** Refuses the request. */
  protected override write(
    status: number,
    reason: string,
    headers: string[],
    body: string | Uint8Array,
    wantsClose: boolean,
  ): void {
    const close = wantsClose || !this.connection.mayBeReadAnew();
    let head = `HTTP/1.1 ${status} ${reason}\r\nDate: ${new Date().toUTCString()}\r\n`;
    if (close) head += 'Connection: close\r\n';
    for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
    const socket = this.#socket;
    socket.cork();
    socket.write(`${head}\r\n`, 'latin1');
    socket.write(body);
    socket.uncork();
    if (close) {
      closeGently(socket);
      return;
    }
    if (this.#head.length > 0) socket.unshift(this.#head);
    this.#parse(socket);
  }
}

/**
 * A request that asks for something else than a WebSocket is an ordinary request. Older Node than 24.9 does not ask what it is;
 * its parser has let go of the request by now, so it is given to a new one without what has misled the first.
 * @param isLast whether the connection is to be closed afterwards
 */
export function withoutUpgrade(
  { method, url, httpVersion, rawHeaders }: IncomingMessage,
  head: Buffer,
  isLast: boolean,
): Buffer {
  let text = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (!/^(upgrade|connection|http2-settings)$/i.test(rawHeaders[i]!))
      text += `${rawHeaders[i]}: ${rawHeaders[i + 1]}\r\n`;
  }
  if (isLast) text += 'Connection: close\r\n';
  return Buffer.concat([Buffer.from(`${text}\r\n`, 'latin1'), head]);
}

/**
 * What `ws` is to be told of a client's extensions: that it offers compression, if it does so in a way that leaves the server
 * the choice of its window, or nothing. `ws` would refuse clients with odd offers, and heeds windows at a cost per socket.
 */
export function deflateOffer(header: string): string | undefined {
  for (const offer of header.split(',')) {
    const [name, ...parameters] = offer.split(';').map((part) => part.trim());
    if (name === 'permessage-deflate' && parameters.every(isHeeded) && new Set(parameters).size === parameters.length) {
      return [name, ...parameters].join('; ');
    }
  }
  return undefined;
}

function isHeeded(parameter: string): boolean {
  return /^(server_no_context_takeover|client_no_context_takeover|client_max_window_bits(=(8|9|1[0-5]))?)$/.test(
    parameter,
  );
}
