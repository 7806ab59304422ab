/** A worker of a `connector.http` pool: the right to have one request under way. */
import type { Dispatcher } from 'undici';
import { Actor } from '../../../kernel/actor.ts';
import type { From } from '../../../kernel/types.ts';
import type { HiveError } from '../../../observe/errors.ts';
import type { Counter } from '../../../observe/metrics.ts';
import type { RequestHeaders } from '../../../observe/request-headers.ts';
import type { Trouble } from '../../../observe/trouble.ts';
import type { WorkerMessage } from '../../types.ts';
import type { BackEndReply, BackEndRequest } from '../back-end.ts';
import type { HttpConnection } from './connection.ts';
import { type HttpAsker, HttpExchange } from './exchange.ts';

/** What a worker gets from its connector. */
export interface HttpBackEnd {
  readonly dispatcher: Dispatcher | HttpConnection;
  /** `http://host:port`, for error texts. */
  readonly origin: string;
  /** What stands before every endpoint. */
  readonly pathPrefix: string;
  /** Limit of a whole request, ms. */
  readonly timeoutMs: number;
  /** The worker has ended: a connection of its own is of no use any more. */
  leave(): void;
  /** Answers by which the back end says that it is broken. */
  readonly trouble: Trouble;
  readonly counters: Readonly<Record<'sync_gets' | 'sync_posts' | 'async_posts', Counter>>;
}

export class HttpWorker extends Actor<WorkerMessage> implements HttpAsker {
  readonly #backEnd: HttpBackEnd;
  readonly #running = new Map<HttpExchange, From>();
  #draining = false;

  constructor(backEnd: HttpBackEnd) {
    super();
    this.#backEnd = backEnd;
  }

  /** So that the request under way is aborted when the pool ends. */
  override get trapsExits(): boolean {
    return true;
  }

  receive(message: WorkerMessage, from: From | undefined): void {
    switch (message.type) {
      case 'request':
        if (from) this.#begin(message.request as BackEndRequest, message.signal, message.headers, from);
        break;
      case 'drain':
        this.#draining = true;
        if (this.#running.size === 0) this.stop('shutdown');
        break;
      default:
        this.unexpected(message, from);
    }
  }

  override terminate(): void {
    for (const exchange of [...this.#running.keys()]) exchange.abort('the pool is closing');
    this.#backEnd.leave();
  }

  override inspect(): Record<string, unknown> {
    return { backEnd: this.#backEnd.origin, running: this.#running.size };
  }

  #begin(
    request: BackEndRequest,
    signal: AbortSignal | undefined,
    headers: RequestHeaders | undefined,
    from: From,
  ): void {
    const { counters, dispatcher, origin, pathPrefix, timeoutMs } = this.#backEnd;
    if (request.method === 'GET') counters.sync_gets.value += 1;
    else if (request.async) counters.async_posts.value += 1;
    else counters.sync_posts.value += 1;
    const path = pathPrefix + request.endpoint;
    const exchange = new HttpExchange(this, request, origin + path, signal);
    this.#running.set(exchange, from);
    exchange.start(dispatcher, path, headers, this.kernel.wheel, timeoutMs);
  }

  answered(exchange: HttpExchange, answer: BackEndReply): void {
    const { trouble, origin } = this.#backEnd;
    if (answer.status < 500) trouble.succeeded();
    else trouble.failed(`${origin} answers ${answer.status}`);
    this.#end(exchange)?.reply(answer);
  }

  failed(exchange: HttpExchange, error: HiveError): void {
    this.#end(exchange)?.fail(error);
  }

  #end(exchange: HttpExchange): From | undefined {
    const from = this.#running.get(exchange);
    this.#running.delete(exchange);
    if (this.#draining && this.#running.size === 0) this.stop('shutdown');
    return from;
  }
}
