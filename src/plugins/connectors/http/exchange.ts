/**
 * One HTTP request and its answer. It is the handler of the connection (ours, or undici's), the deadline and the abort listener in
 * one object, so that a request costs one allocation of ours.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { type AbortWatcher, unwatchAbort, watchAbort } from '../../../kernel/abort-watch.ts';
import { Timer, type TimingWheel } from '../../../kernel/timers.ts';
import { HiveError } from '../../../observe/errors.ts';
import type { RequestHeaders } from '../../../observe/request-headers.ts';
import type { BackEndReply, BackEndRequest } from '../back-end.ts';
import { reasonOf } from '../tcp/probe.ts';
import { acceptedEncodings, decompressed, textOfBody } from './body.ts';
import type { HttpAnswerHandler, HttpConnection } from './connection.ts';
import type { AnswerHeaders } from './response-parser.ts';

/** Told once, when the exchange is over. */
export interface HttpAsker {
  answered(exchange: HttpExchange, answer: BackEndReply): void;
  failed(exchange: HttpExchange, error: HiveError): void;
}

/** Largest body of an answer, bytes: a back end that runs wild must not take the node's memory. */
export const maxBodyBytes = 16 * 1024 * 1024;

const getHeaders = ['accept-encoding', acceptedEncodings];
const jsonHeaders = ['content-type', 'application/json', ...getHeaders];

function headersOf(idempotencyKey: string | undefined): string[] {
  if (idempotencyKey === undefined) return jsonHeaders;
  return ['idempotency-key', idempotencyKey, 'content-type', 'application/json', 'accept-encoding', acceptedEncodings];
}

export class HttpExchange extends Timer implements HttpAnswerHandler, AbortWatcher, Dispatcher.DispatchHandler {
  readonly #asker: HttpAsker;
  readonly #request: BackEndRequest;
  readonly #url: string;
  readonly #signal: AbortSignal | undefined;
  #controller: { abort(reason: Error): void } | undefined;
  #status = 0;
  #contentType: string | undefined;
  #encoding: string | undefined;
  #first: Buffer | undefined;
  #rest: Buffer[] | undefined;
  #over = false;

  /** @param url for error texts */
  constructor(asker: HttpAsker, request: BackEndRequest, url: string, signal: AbortSignal | undefined) {
    super();
    this.#asker = asker;
    this.#request = request;
    this.#url = url;
    this.#signal = signal;
  }

  /** @param added headers beside those that every request has */
  start(
    dispatcher: Dispatcher | HttpConnection,
    path: string,
    added: RequestHeaders | undefined,
    wheel: TimingWheel,
    timeoutMs: number,
  ): void {
    if (this.#signal?.aborted) return this.abort('the asker is gone');
    wheel.start(this, timeoutMs);
    watchAbort(this.#signal, this);
    const { method, body, idempotencyKey } = this.#request;
    const usual = body === undefined ? getHeaders : headersOf(idempotencyKey);
    const headers = added ? [...usual, ...added.flat()] : usual;
    try {
      // It never waits behind another one, so it need not tell when the connection would be free for that.
      dispatcher.dispatch({ method, path, body: body ?? null, headers, blocking: false }, this);
    } catch (error) {
      this.#fail(reasonOf(error), error);
    }
  }

  /** The deadline. */
  override expire(): void {
    this.abort('no complete answer in time');
  }

  aborted(): void {
    this.abort('the asker is gone');
  }

  /** Fails the exchange, and closes its connection: an answer that comes late must not be taken for the next one's. */
  abort(reason: string): void {
    if (this.#over) return;
    this.#fail(reason);
    this.#controller?.abort(new Error(reason));
  }

  onRequestStart(controller: { abort(reason: Error): void }): void {
    this.#controller = controller;
    if (this.#over) controller.abort(new Error('given up before it was sent'));
  }

  onResponseStart(_controller: unknown, status: number, headers: IncomingHttpHeaders | AnswerHeaders): void {
    this.#status = status;
    this.#contentType = headers['content-type'];
    const encoding: string | string[] | undefined = headers['content-encoding'];
    this.#encoding = Array.isArray(encoding) ? encoding.join() : encoding;
  }

  onResponseData(_controller: unknown, chunk: Buffer): void {
    if (!this.#first) {
      this.#first = chunk;
      return;
    }
    this.#rest ??= [this.#first];
    this.#rest.push(chunk);
  }

  onResponseEnd(): void {
    const body = this.#rest ? Buffer.concat(this.#rest) : this.#first;
    if (body === undefined || body.length === 0 || this.#request.async) this.#answer('');
    else if (this.#encoding === undefined) this.#read(body);
    // What comes later must not lie in the connection's buffer.
    else this.#decompress(this.#rest ? body : Buffer.from(body), this.#encoding);
  }

  #decompress(body: Buffer, encoding: string): void {
    decompressed(body, encoding, maxBodyBytes).then(
      (plain) => this.#read(plain),
      (error: unknown) => this.#unreadable(error),
    );
  }

  #read(body: Buffer): void {
    let text: string;
    try {
      text = textOfBody(body, this.#contentType);
    } catch (error) {
      return this.#unreadable(error);
    }
    this.#answer(text);
  }

  /** Where the status says that something is wrong, the body is of no consequence. */
  #unreadable(error: unknown): void {
    if (this.#status >= 200 && this.#status <= 299) this.#fail(reasonOf(error), error);
    else this.#answer('');
  }

  #answer(body: string): void {
    if (this.#finish()) this.#asker.answered(this, { status: this.#status, body });
  }

  onResponseError(_controller: unknown, error: Error): void {
    this.#fail(reasonOf(error), error);
  }

  #fail(reason: string, cause?: unknown): void {
    if (!this.#finish()) return;
    this.#asker.failed(this, new HiveError('http_error', `${this.#request.method} ${this.#url}: ${reason}`, { cause }));
  }

  #finish(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.cancel();
    unwatchAbort(this.#signal, this);
    return true;
  }
}
