/** A request of `node:http` and its response, in the shape of the seam. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Payload, SocketRequest, SocketResponse } from '../types.ts';
import { Connection, closeGently, type Exchange } from './connection.ts';
import { proxiedAddressOf } from './proxy-header.ts';

export class NodeRequest implements SocketRequest {
  readonly #message: IncomingMessage;
  readonly #path: string;
  readonly #query: string;

  constructor(message: IncomingMessage) {
    this.#message = message;
    const target = message.url!;
    // RFC 9112 §3.2.2: proxies put the whole URL there.
    const url = target.startsWith('/') ? target : target.replace(/^https?:\/\/[^/?]*/i, '');
    const mark = url.indexOf('?');
    this.#path = (mark < 0 ? url : url.slice(0, mark)) || '/';
    this.#query = mark < 0 ? '' : url.slice(mark + 1);
  }

  getUrl(): string {
    return this.#path;
  }

  getQuery(key?: string): string | undefined {
    if (key === undefined) return this.#query;
    return new URLSearchParams(this.#query).get(key) ?? undefined;
  }

  getMethod(): string {
    return this.#message.method!.toLowerCase();
  }

  getHeader(name: string): string {
    const value = this.#message.headers[name];
    if (value === undefined) return '';
    return typeof value === 'string' ? value : value.join(', ');
  }

  forEach(callback: (name: string, value: string) => void): void {
    const { rawHeaders } = this.#message;
    for (let i = 0; i < rawHeaders.length; i += 2) callback(rawHeaders[i]!.toLowerCase(), rawHeaders[i + 1]!);
  }
}

/** What answers to requests and refusals of WebSockets have in common. */
export abstract class Answer implements SocketResponse, Exchange {
  protected readonly connection: Connection;
  protected readonly message: IncomingMessage;
  #status = 200;
  #reason = 'OK';
  readonly #headers: string[] = [];
  #onAborted: (() => void) | undefined;
  #isOver = false;

  constructor(message: IncomingMessage) {
    this.message = message;
    this.connection = Connection.of(message.socket);
    this.connection.begin(this);
  }

  /** @param headers names and values in turn */
  protected abstract write(
    status: number,
    reason: string,
    headers: string[],
    body: string | Uint8Array,
    close: boolean,
  ): void;

  onAborted(handler: () => void): void {
    this.#onAborted = handler;
  }

  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): void {
    const length = Number(this.message.headers['content-length']);
    let read = 0;
    this.message.on('data', (chunk: Buffer) => {
      read += chunk.length;
      handler(toArrayBuffer(chunk), read === length);
    });
    this.message.on('end', () => {
      // Where the length is known, the last chunk has said so.
      if (read !== length || read === 0) handler(new ArrayBuffer(0), true);
    });
  }

  pause(): void {
    this.message.pause();
  }

  resume(): void {
    this.message.resume();
  }

  cork(callback: () => void): void {
    callback();
  }

  writeStatus(status: string): void {
    this.#status = Number(status.slice(0, 3));
    this.#reason = status.slice(4);
  }

  writeHeader(name: string, value: string): void {
    this.#headers.push(name, value);
  }

  end(body: Payload = '', closeConnection = false): void {
    if (!this.finish()) return;
    const data = typeof body === 'string' || body instanceof Uint8Array ? body : bytesOf(body);
    const headers = this.#headers;
    // RFC 9110 §8.6: not there.
    if (this.#status !== 204 && this.#status !== 304) headers.push('Content-Length', `${Buffer.byteLength(data)}`);
    this.write(this.#status, this.#reason, headers, data, closeConnection);
  }

  endWithoutBody(): void {
    if (this.finish()) this.write(this.#status, this.#reason, this.#headers, '', false);
  }

  getRemoteAddressAsText(): ArrayBuffer {
    return toArrayBuffer(Buffer.from(this.message.socket.remoteAddress ?? ''));
  }

  getProxiedRemoteAddressAsText(): ArrayBuffer {
    return toArrayBuffer(Buffer.from(proxiedAddressOf(this.message.socket) ?? ''));
  }

  abort(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onAborted?.();
  }

  /** @returns false if it was over already */
  protected finish(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.connection.end(this);
    return true;
  }
}

export class NodeResponse extends Answer {
  readonly #response: ServerResponse;

  constructor(message: IncomingMessage, response: ServerResponse) {
    super(message);
    this.#response = response;
  }

  protected override write(
    status: number,
    reason: string,
    headers: string[],
    body: string | Uint8Array,
    close: boolean,
  ): void {
    if (this.#response.destroyed) return;
    if (close) {
      if (!headers.includes('Connection')) headers.push('Connection', 'close');
      const { socket } = this.message;
      socket.destroySoon = () => closeGently(socket);
    }
    // HTTP/1.1 keeps connections without being told; how long is nobody's business.
    else if (this.message.httpVersionMinor > 0) this.#response.removeHeader('Connection');
    this.#response.writeHead(status, reason, headers);
    this.#response.end(body);
  }
}

/** A copy: what comes in is mostly part of a larger piece of memory. */
export function toArrayBuffer({ buffer, byteOffset, byteLength }: Uint8Array): ArrayBuffer {
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
}

function bytesOf(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
