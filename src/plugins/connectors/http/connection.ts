/**
 * One connection to an HTTP back end, for one request at a time; it is opened when it is wanted and kept for the next one. For
 * plain HTTP it does what undici's `Client` does, at less than half the cost of a request. What goes out is written to a socket of
 * Node as it is, what comes in goes from the socket into undici's parser.
 *
 *   closed ─▶ connecting ─▶ sent ─▶ idle ─▶ waiting for a round of the event loop ─▶ sent …
 *      ▲                               └─▶ closed by either side
 *      └── at every failure
 *
 * The back end may have closed an idle connection without our knowing it yet. So a request waits until all sockets have been
 * looked at once; if that ends the connection it goes over a new one, as nothing of it was sent. This also keeps what came
 * unasked from being taken for its answer.
 */
import { connect, type Socket } from 'node:net';
import { lookup } from '../../../kernel/lookups.ts';
import { Timer, type TimingWheel } from '../../../kernel/timers.ts';
import { type AnswerHeaders, HttpResponseParser, maxAtOnce } from './response-parser.ts';

/** What `undici` calls a request, as far as it is needed. */
export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly string[] | null;
  readonly body: string | null;
}

/** Told of the answer as undici's handlers are. */
export interface HttpAnswerHandler {
  onRequestStart(controller: { abort(reason: Error): void }): void;
  /** @param headers those that matter, as undici names them */
  onResponseStart(controller: unknown, status: number, headers: AnswerHeaders): void;
  /** @param piece in a buffer that is used again when `onResponseEnd` has been called */
  onResponseData(controller: unknown, piece: Buffer): void;
  onResponseEnd(): void;
  onResponseError(controller: unknown, error: Error): void;
}

export interface HttpConnectionOptions {
  readonly url: URL;
  readonly connectTimeoutMs: number;
  readonly maxBodyBytes: number;
  /** How long it is kept without a request, if the back end does not close it sooner, ms; 0: not at all. */
  readonly maxIdleMs: number | undefined;
  readonly wheel: TimingWheel;
}

/** How long a connection may be idle if the back end does not say how long it will keep it, and at most. */
export const defaultIdleMs = 4000;
export const longestIdleMs = 600_000;
/** So much earlier than the back end says we close it: two that do so at the same time would lose a request. */
export const idleMarginMs = 2000;
const keepAliveProbeMs = 60_000;

/** A path, or a whole URL, without spaces or control characters: it must not be able to begin another header. */
const validPath = /^(?:\/|https?:\/\/)[\x21-\xff]*$/;

/** All connections read into it: what has come is dealt with before anything else is read. */
const readBuffer = Buffer.allocUnsafeSlow(maxAtOnce);

export class HttpConnection extends Timer {
  readonly #options: HttpConnectionOptions;
  #socket: Socket | undefined;
  #parser: HttpResponseParser | undefined;
  #request: HttpRequest | undefined;
  #handler: HttpAnswerHandler | undefined;
  #isConnecting = false;
  #isSent = false;
  #waiting: NodeJS.Immediate | undefined;

  constructor(options: HttpConnectionOptions) {
    super();
    this.#options = options;
  }

  /** @throws Error if the request cannot be sent */
  dispatch(request: HttpRequest, handler: HttpAnswerHandler): void {
    if (this.#handler) throw new Error('the connection is busy');
    if (!validPath.test(request.path))
      throw new Error('the path must start with a slash and have visible characters of Latin-1 only');
    this.cancel();
    this.#request = request;
    this.#handler = handler;
    handler.onRequestStart(this);
    if (!this.#handler) return;
    if (this.#socket) this.#lookFirst();
    else this.#connect();
  }

  /** The first of the two may come in the round that has brought the request: only between them all sockets are looked at. */
  #lookFirst(): void {
    this.#waiting = setImmediate(() => {
      this.#waiting = setImmediate(() => this.#send());
    });
  }

  /** Gives up what is under way. */
  abort(): void {
    this.#handler = undefined;
    this.#close();
  }

  /** Ends the connection, and fails what is under way. */
  close(): void {
    if (this.#handler) this.#fail(new Error('the connection was closed'));
    else this.#close();
  }

  #close(): void {
    const socket = this.#socket;
    if (!socket) return;
    this.cancel();
    clearImmediate(this.#waiting);
    this.#socket = undefined;
    this.#isConnecting = false;
    this.#isSent = false;
    this.#parser?.[Symbol.dispose]();
    this.#parser = undefined;
    socket.destroy();
  }

  /** Connecting took too long, or nobody needed the connection for a while. */
  override expire(): void {
    if (!this.#isConnecting) return this.#close();
    this.#fail(new Error(`connect timeout: no connection within ${this.#options.connectTimeoutMs} ms`));
  }

  #connect(): void {
    const { url, connectTimeoutMs, wheel } = this.#options;
    const socket = connect({
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port || 80),
      lookup,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveProbeMs,
      onread: {
        buffer: readBuffer,
        callback: (length) => {
          if (socket === this.#socket) this.#read(length);
          return true;
        },
      },
    });
    this.#socket = socket;
    this.#isConnecting = true;
    wheel.start(this, connectTimeoutMs);
    socket.on('connect', () => {
      if (socket === this.#socket) this.#connected();
    });
    // A socket that was given up may still have its say.
    socket.on('end', () => {
      if (socket === this.#socket) this.#ended();
    });
    socket.on('error', (error) => {
      if (socket === this.#socket) this.#broken(error);
    });
    socket.on('close', () => {
      if (socket === this.#socket) this.#lost(new Error('the connection was closed'));
    });
  }

  #connected(): void {
    this.cancel();
    this.#isConnecting = false;
    this.#parser = new HttpResponseParser(this.#options.maxBodyBytes);
    this.#send();
  }

  #send(): void {
    const socket = this.#socket!;
    const { method, path, headers, body } = this.#request!;
    const text = body ?? '';
    const length = Buffer.byteLength(text);
    let head = `${method} ${path} HTTP/1.1\r\nhost: ${this.#options.url.host}\r\nconnection: keep-alive\r\n`;
    if (headers) for (let at = 0; at < headers.length; at += 2) head += `${headers[at]}: ${headers[at + 1]}\r\n`;
    if (method !== 'GET' || length > 0) head += `content-length: ${length}\r\n`;
    this.#request = undefined;
    this.#isSent = true;
    // ASCII needs no second piece in another encoding.
    if (length === text.length) {
      socket.write(`${head}\r\n${text}`, 'latin1');
      return;
    }
    socket.cork();
    socket.write(`${head}\r\n`, 'latin1');
    socket.write(text);
    socket.uncork();
  }

  #read(length: number): void {
    if (!this.#isSent) return this.#lost();
    let isComplete: boolean;
    try {
      isComplete = this.#parser!.read(readBuffer.subarray(0, length));
    } catch (error) {
      return this.#fail(error as Error);
    }
    if (isComplete) this.#answered();
  }

  /** The back end sends no more. */
  #ended(): void {
    if (this.#isSent && this.#parser!.finish()) this.#answered();
    else this.#lost(new Error('the connection was closed by the back end'));
  }

  /** Who closes without having read all of the request resets the connection; an answer that ends with it has ended all the same. */
  #broken(error: NodeJS.ErrnoException): void {
    if (error.code === 'ECONNRESET' && this.#isSent && this.#parser!.finish()) this.#answered();
    else this.#lost(error);
  }

  /** A request that was not sent goes over another connection. */
  #lost(error?: Error): void {
    if (this.#isConnecting || this.#isSent) return this.#fail(error!);
    this.#close();
    if (this.#handler) this.#connect();
  }

  #fail(error: Error): void {
    const handler = this.#handler;
    this.abort();
    handler?.onResponseError(this, error);
  }

  #answered(): void {
    const handler = this.#handler!;
    const { status, headers } = this.#parser!;
    const body = this.#parser!.takeBody();
    this.#handler = undefined;
    this.#isSent = false;
    this.#keep();
    handler.onResponseStart(this, status, headers);
    for (const piece of body) handler.onResponseData(this, piece);
    handler.onResponseEnd();
  }

  /** Keeps the connection for the next request, as long as that will probably work. */
  #keep(): void {
    const { keepsConnection, keepsSeconds } = this.#parser!;
    const { maxIdleMs } = this.#options;
    const idleMs =
      keepsSeconds === undefined
        ? (maxIdleMs ?? defaultIdleMs)
        : Math.min(maxIdleMs ?? longestIdleMs, keepsSeconds * 1000 - idleMarginMs);
    // An answer that has come before the request was out: the rest of it would be the beginning of the next one.
    if (keepsConnection && idleMs > 0 && this.#socket!.writableLength === 0) this.#options.wheel.start(this, idleMs);
    else this.#close();
  }
}
