/**
 * The HTTP API for back ends and operators: `/api/<key>/…`, or `/api/…` with the key in an `Authorization: Bearer` header.
 * Answers are JSON, plain text or empty; errors are `{"error": code, "description": text}` and never hidden, since who has
 * the key may know.
 *
 *   GET    hive/version                      POST clients/action/<sid>      orders for one client
 *   POST   hive/stop                         POST pubsub/action/<channel>   orders for all subscribers
 *   POST   router/enable|disable|terminate   POST pubsub/publish/<channel>  an event for all subscribers
 *   GET    pubsub/subscribe/<channel>        number of subscribers on this node
 *   POST   pubsub/subscribe/<sid>            the client joins channels; DELETE: it leaves them
 *   POST   batch                             several of these calls
 *
 * `?cluster=true` extends stop, the router's orders and the number of subscribers to all nodes.
 */
import type { Log } from '../observe/logger.ts';
import type { Counter, Metrics } from '../observe/metrics.ts';
import { expectedOrHidden } from '../observe/reference.ts';
import { performBatch } from './api-batch.ts';
import { type Answer, type Call, CallBody, findHandler, sections } from './api-calls.ts';
import type { ApiHost } from './api-host.ts';
import {
  closeServer,
  createApp,
  defer,
  type HttpRequest,
  type HttpResponse,
  listen,
  methodOf,
  plainText,
  readBody,
  type Server,
  send,
  sendJson,
  type TlsFiles,
} from './http.ts';
import { answerError, Key, keyedPath, unauthorized, wantsCluster, wrongMethod } from './keyed.ts';

export interface ApiSettings {
  readonly address: string;
  readonly port: number;
  readonly tls: TlsFiles | undefined;
  readonly key: string;
  readonly host: ApiHost;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** What a request's body may hold, bytes (as in 2014). */
const maxBodyBytes = 8_000_000;
const batch = 'batch';

/** @throws HiveError (rejection) `port_taken`, `file_error` */
export async function startApiServer(settings: ApiSettings): Promise<Server> {
  const app = createApp(settings.tls);
  const api = new Api(settings);
  app.any('/*', (res, req) => api.handle(res, req));
  const listening = await listen(app, settings.address, settings.port);
  return { port: listening.port, stop: () => closeServer(app, listening) };
}

type Outcome = Record<'requests' | 'errors', Counter>;

class Api {
  readonly #host: ApiHost;
  readonly #key: Key;
  readonly #log: Log;
  readonly #total: Outcome;
  readonly #sections = new Map<string, Outcome>();

  constructor({ host, key, log, metrics }: ApiSettings) {
    this.#host = host;
    this.#key = new Key(key);
    this.#log = log;
    this.#total = metrics.counters('api', ['requests', 'errors']);
    for (const section of [...sections, batch]) {
      this.#sections.set(section, metrics.counters(`api.${section}`, ['requests', 'errors']));
    }
  }

  /** Reads everything it needs of the request before the first pause. */
  handle(res: HttpResponse, req: HttpRequest): void {
    defer(res);
    let section = '';
    let answer: Promise<Answer>;
    try {
      const method = methodOf(res, req);
      const { key, segments } = keyedPath(req, 'api', 'bad_api_request');
      section = segments[0] ?? '';
      this.#count('requests', section);
      if (!this.#key.matches(key)) {
        // A section that is none may be a key in the wrong place.
        this.#log.warning('API request with a wrong key', {
          section: this.#sections.has(section) ? section : 'unknown',
        });
        throw unauthorized('bad_api_request');
      }
      const cluster = wantsCluster(req.getQuery('cluster'), 'bad_api_request');
      answer =
        segments.length === 1 && section === batch
          ? this.#batch(res, method)
          : this.#single(res, { method, segments, cluster });
    } catch (error) {
      return this.#fail(res, section, error);
    }
    answer.then(
      (ready) => this.#reply(res, ready),
      (error: unknown) => this.#fail(res, section, error),
    );
  }

  async #single(res: HttpResponse, call: Omit<Call, 'body'>): Promise<Answer> {
    const handler = findHandler(call);
    // GET is answered at once: it has no body.
    const body = CallBody.ofText(call.method === 'get' ? '' : await bodyOf(res));
    return handler(this.#host, { ...call, body }, call.segments[2] ?? '');
  }

  async #batch(res: HttpResponse, method: string): Promise<Answer> {
    if (method !== 'post') throw wrongMethod('bad_api_request', method, 'POST');
    const body = CallBody.ofText(await bodyOf(res));
    return performBatch(body, async (call) => {
      const section = call.segments[0] ?? '';
      this.#count('requests', section);
      try {
        return await findHandler(call)(this.#host, call, call.segments[2] ?? '');
      } catch (error) {
        this.#count('errors', section);
        throw expectedOrHidden(error, 'An API request', this.#log);
      }
    });
  }

  #reply(res: HttpResponse, { status, body, headers, afterwards }: Answer): void {
    if (body === undefined || typeof body === 'string') send(res, status, body ?? '', plainText, headers);
    else sendJson(res, status, body, headers);
    afterwards?.();
  }

  #fail(res: HttpResponse, section: string, thrown: unknown): void {
    this.#count('errors', section);
    answerError(res, expectedOrHidden(thrown, 'An API request', this.#log));
  }

  #count(what: 'requests' | 'errors', section: string): void {
    this.#total[what].value += 1;
    const counters = this.#sections.get(section);
    if (counters) counters[what].value += 1;
  }
}

async function bodyOf(res: HttpResponse): Promise<string> {
  return (await readBody(res, maxBodyBytes)).toString('utf8');
}
