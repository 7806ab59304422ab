/**
 * HTTP on a socket library (sockets/types.ts) with its pitfalls fenced in. A response must not be touched after it was aborted or answered (the
 * library throws), a handler that answers later must have an abort handler, and writes belong into a cork. So:
 *
 *     app.post('/x', (res, req) => {
 *       const key = req.getHeader('key');          // the request is only valid until the handler returns
 *       defer(res);                                 // needed when the answer comes later; readBody (bodies.ts) does it too
 *       readBody(res, limit, budget).then((body) => sendJson(res, 200, …), …);
 *     });
 *
 * The send functions do nothing on a response that is over, so nobody else has to check.
 */

import { STATUS_CODES } from 'node:http';
import { ipAddress } from '../../observe/source.ts';
import type { Listening, SocketApp, SocketRequest, SocketResponse } from '../sockets/types.ts';

/** What is used of a request, so that one of another node can take its place (client/relay/exchange.ts). */
export type HttpRequest = SocketRequest;

/** A response, with what is remembered of it. */
export interface HttpResponse extends SocketResponse {
  /** True once it was answered or aborted; false when an answer is to come later. */
  over?: boolean;
  onAbort?: () => void;
  /** Nothing may come after the answer: it refuses a WebSocket, or a body, whose rest would be taken for requests. */
  isLast?: boolean;
  /** It answers HEAD. */
  bodiless?: boolean;
  /** The client has said that this is its last request on the connection. */
  closes?: boolean;
  /** The headers that tell browsers who may see the answer. */
  cors?: Headers;
  /** Who has sent the request, once that is known; see client-address.ts. */
  clientAddress?: string;
}

/** Name and value pairs, written as they are. */
export type Headers = readonly (readonly [name: string, value: string])[];

const none: Headers = [];
export const jsonType = 'application/json; charset=utf-8';
export const plainText = 'text/plain; charset=utf-8';

/** A running server. */
export interface Server {
  readonly port: number;
  /** Ends it, see `closeServer`. */
  stop(): Promise<void>;
}

/**
 * Ends a server: no new connections, then the present ones closed, when their last answers have reached the sockets. Idle
 * kept-alive ones would keep the process alive.
 */
export async function closeServer(app: SocketApp, listening: Listening): Promise<void> {
  listening.stop();
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  app.close();
}

/** Announces that the answer comes after the handler has returned. `onAbort` runs if the client goes away before it. */
export function defer(res: HttpResponse, onAbort?: () => void): void {
  if (onAbort) {
    const earlier: (() => void) | undefined = res.onAbort;
    res.onAbort = earlier ? () => [earlier, onAbort].forEach(run) : onAbort;
  }
  if (res.over !== undefined) return;
  res.over = false;
  res.onAborted(() => {
    res.over = true;
    res.onAbort?.();
  });
}

/**
 * The method in lower case, and what else the answer's form depends on. An answer to HEAD will have no body: the client would take
 * it for the next answer. A client that wants the connection closed after the answer is told that it will be (RFC 9112 §9.6): Node's
 * would use it again otherwise, while it is being closed.
 */
export function methodOf(res: HttpResponse, req: HttpRequest): string {
  const method = req.getMethod();
  if (method === 'head') res.bodiless = true;
  const connection = req.getHeader('connection');
  if (connection.length === 5 && connection.toLowerCase() === 'close') res.closes = true;
  return method;
}

function run(callback: () => void): void {
  callback();
}

/** True once the response was sent or its client has gone away. */
export function isOver(res: HttpResponse): boolean {
  return res.over === true;
}

/** Answers with a body as it is; without `type`, an answer without content type. */
export function send(
  res: HttpResponse,
  status: number,
  body: string | Buffer = '',
  type = '',
  headers: Headers = none,
): void {
  if (res.over === true) return;
  res.over = true;
  res.cork(() => write(res, status, body, type, headers));
}

/** The same within a callback of the library, which has corked the response already. */
export function sendAtOnce(
  res: HttpResponse,
  status: number,
  body: string | Buffer = '',
  type = '',
  headers: Headers = none,
): void {
  if (res.over === true) return;
  res.over = true;
  write(res, status, body, type, headers);
}

function write(res: HttpResponse, status: number, body: string | Buffer, type: string, headers: Headers): void {
  // The library's own status is 200.
  if (status !== 200) res.writeStatus(statusLine(status));
  if (type !== '') res.writeHeader('Content-Type', type);
  for (const [name, value] of headers) res.writeHeader(name, value);
  if (res.closes === true) res.writeHeader('Connection', 'close');
  const close = status === 431 || res.isLast === true;
  if (res.bodiless === true) endHead(res, Buffer.byteLength(body), close);
  else res.end(body, close);
}

/** Ends the answer to HEAD: it says how long the body of that to GET would be. */
export function endHead(res: HttpResponse, length: number, close: boolean): void {
  if (close) {
    res.end('', true);
    return;
  }
  res.writeHeader('Content-Length', `${length}`);
  res.endWithoutBody();
}

export function sendJson(res: HttpResponse, status: number, value: unknown, headers: Headers = none): void {
  send(res, status, JSON.stringify(value), jsonType, headers);
}

/** Answers with what is JSON text already. */
export function sendJsonText(res: HttpResponse, status: number, text: string): void {
  send(res, status, text, jsonType);
}

const statusLines = new Map<number, string>();

function statusLine(status: number): string {
  let line = statusLines.get(status);
  if (line === undefined) {
    line = `${status} ${STATUS_CODES[status] ?? 'Unknown'}`;
    statusLines.set(status, line);
  }
  return line;
}

/** Who has connected, as seen by the socket: an IP address in its usual form. Who has sent the request: client-address.ts. */
export function remoteAddress(res: HttpResponse): string {
  const text = Buffer.from(res.getRemoteAddressAsText()).toString();
  return text.includes(':') ? (ipAddress(text) ?? text) : text;
}
