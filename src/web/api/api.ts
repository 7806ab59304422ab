/**
 * The HTTP API for back ends and operators: `/api/<key>/…`, or `/api/…` with the key in an `Authorization: Bearer` header.
 * Answers are JSON, plain text or empty; errors are `{"error": code, "description": text}` and never hidden, since who has
 * the key may know.
 *
 *   GET    hive/version                      POST clients/action/<sid>      actions for one client
 *   POST   hive/stop                         POST pubsub/action/<channel>   actions for all subscribers
 *   POST   router/enable|disable|terminate   POST pubsub/publish/<channel>  an event for all subscribers
 *   GET    pubsub/subscribe/<channel>        number of subscribers on this node
 *   POST   pubsub/subscribe/<sid>            the client joins channels; DELETE: it leaves them
 *   GET    clients, pubsub/channels          lists, in pages    POST clients/ask/<sid>         what the client acknowledges
 *   POST   batch                             several of these calls
 *
 * A publish is answered when other nodes have it, with `?confirm=node` at once.
 *
 * `?cluster=true` extends stop, the router's actions and the number of subscribers to all nodes.
 */
import type { HiveError } from '../../observe/errors.ts';
import type { Log } from '../../observe/logger.ts';
import type { Counter, Metrics } from '../../observe/metrics.ts';
import { expectedOrHidden } from '../../observe/reference.ts';
import { sourceOf } from '../../observe/source.ts';
import { ApiKey, answerError, apiKeyPath, unauthorized, wantsCluster, wrongMethod } from '../http/api-key.ts';
import { BodyBudget, type BodyReceiver, receiveBody } from '../http/bodies.ts';
import { clientAddress, type TrustedProxies } from '../http/client-address.ts';
import {
  closeServer,
  defer,
  type HttpRequest,
  type HttpResponse,
  jsonType,
  methodOf,
  plainText,
  type Server,
  send,
  sendAtOnce,
} from '../http/http.ts';
import { WrongKeys } from '../http/wrong-keys.ts';
import type { SocketLibrary, TlsFiles } from '../sockets/types.ts';
import type { ApiHost } from './api-host.ts';
import { performBatch } from './batch.ts';
import {
  type Answer,
  type Call,
  CallBody,
  findHandler,
  type Handler,
  publishAnswer,
  sections,
  wantsConfirmation,
} from './calls.ts';

export interface ApiSettings {
  readonly sockets: SocketLibrary;
  readonly address: string;
  readonly port: number;
  readonly tls: TlsFiles | undefined;
  readonly key: string;
  readonly host: ApiHost;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Who is believed about where requests come from. */
  readonly proxies?: TrustedProxies | undefined;
}

/** What a request's body may hold, bytes (as in 2014). */
const maxBodyBytes = 8_000_000;
const batch = 'batch';

/** @throws HiveError (rejection) `port_taken`, `file_error` */
export async function startApiServer(settings: ApiSettings): Promise<Server> {
  const app = settings.sockets.createApp(settings.tls, settings.proxies !== undefined);
  const api = new Api(settings);
  // What is asked most is told its method by the library's own table.
  app.post('/*', (res, req) => api.handle(res, req, 'post'));
  app.any('/*', (res, req) => api.handle(res, req, methodOf(res, req)));
  const listening = await app.listen(settings.address, settings.port);
  return { port: listening.port, stop: () => closeServer(app, listening) };
}

type Outcome = Record<'requests' | 'errors', Counter>;

/** What was found for the path of a POST. */
interface Route {
  readonly handler: Handler;
  readonly call: Omit<Call, 'body'>;
}

/** Taking a path apart costs more than most calls. Back ends use few paths; when these are too many, all are forgotten. */
const maxRoutes = 1000;

class Api {
  readonly #host: ApiHost;
  readonly #key: ApiKey;
  readonly #log: Log;
  readonly #wrongKeys = new WrongKeys();
  readonly #proxies: TrustedProxies | undefined;
  readonly #bodies = new BodyBudget(maxBodyBytes);
  readonly #total: Outcome;
  readonly #sections = new Map<string, Outcome>();
  /** By the whole path, which holds the right key, and the query. */
  readonly #routes = new Map<string, Route>();

  constructor({ host, key, log, metrics, proxies }: ApiSettings) {
    this.#host = host;
    this.#key = new ApiKey(key);
    this.#log = log;
    this.#proxies = proxies;
    this.#total = metrics.counters('api', ['requests', 'errors']);
    for (const section of [...sections, batch]) {
      this.#sections.set(section, metrics.counters(`api.${section}`, ['requests', 'errors']));
    }
  }

  /** Reads everything it needs of the request before it waits for the body. */
  handle(res: HttpResponse, req: HttpRequest, method: string): void {
    let section = '';
    try {
      const route = method === 'post' ? this.#routes.get(placeOf(req)) : undefined;
      if (route) {
        this.#count('requests', route.call.segments[0]!);
        receiveBody(res, maxBodyBytes, new Request(this, res, route), this.#bodies);
        return;
      }
      const { isAllowed, isInPath, segments } = apiKeyPath(req, 'api', this.#key, 'bad_api_request');
      section = segments[0] ?? '';
      this.#count('requests', section);
      if (!isAllowed) {
        const source = sourceOf(clientAddress(res, req, this.#proxies));
        this.#logWrongKey(source, section);
        const answer = (): void => this.#fail(res, section, unauthorized('bad_api_request'));
        return this.#wrongKeys.refuse(res, source, answer);
      }
      const cluster = wantsCluster(req.getQuery('cluster'), 'bad_api_request');
      const confirm = wantsConfirmation(req.getQuery('confirm'));
      const call = { method, segments, cluster, confirm, query: req.getQuery() ?? '' };
      const handler = segments.length === 1 && section === batch ? this.#batchHandler(method) : findHandler(call);
      const request = new Request(this, res, { handler, call });
      // A GET has no body.
      if (method === 'get') this.perform(request);
      else receiveBody(res, maxBodyBytes, request, this.#bodies);
      if (method === 'post' && isInPath && !cluster) this.#remember(placeOf(req), { handler, call });
    } catch (error) {
      this.#fail(res, section, error);
    }
  }

  #logWrongKey(source: string, section: string): void {
    if (this.#log.excess('API request with a wrong key', source)) return;
    // A section that is none may be a key in the wrong place.
    const known = this.#sections.has(section) ? section : 'unknown';
    this.#log.warning('API request with a wrong key', { section: known, address: source });
  }

  #remember(place: string, route: Route): void {
    if (this.#routes.size === maxRoutes) this.#routes.clear();
    this.#routes.set(place, route);
  }

  perform(request: Request): void {
    const { res, segments } = request;
    let answer: Answer | Promise<Answer>;
    try {
      answer = request.handler(this.#host, request, segments[2] ?? '');
    } catch (error) {
      return this.#fail(res, segments[0]!, error);
    }
    if (answer instanceof Promise) {
      defer(res);
      const failed = (error: unknown): void => this.#fail(res, segments[0]!, error);
      answer.then((ready) => this.#reply(res, ready, send), failed);
    } else if (answer.unconfirmed) {
      defer(res);
      answer.unconfirmed.whenKnown((nodes) => this.#reply(res, publishAnswer(nodes), send));
    } else {
      this.#reply(res, answer, sendAtOnce);
    }
  }

  failed({ res, segments }: Request, error: HiveError): void {
    this.#fail(res, segments[0]!, error);
  }

  /** @throws HiveError for another method than POST */
  #batchHandler(method: string): Handler {
    if (method !== 'post') throw wrongMethod('bad_api_request', method, 'POST');
    return (host, { body }) =>
      performBatch(body, async (call) => {
        const section = call.segments[0] ?? '';
        this.#count('requests', section);
        try {
          return await findHandler(call)(host, call, call.segments[2] ?? '');
        } catch (error) {
          this.#count('errors', section);
          throw expectedOrHidden(error, 'An API request', this.#log);
        }
      });
  }

  #reply(res: HttpResponse, { status, body, headers, afterwards }: Answer, sends: typeof send): void {
    if (body === undefined) sends(res, status, '', '', headers);
    else if (typeof body === 'string') sends(res, status, body, plainText, headers);
    else sends(res, status, JSON.stringify(body), jsonType, headers);
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

function placeOf(req: HttpRequest): string {
  const query = req.getQuery();
  return query ? `${req.getUrl()}?${query}` : req.getUrl();
}

/** A request whose body is awaited; one object, since there are many. */
class Request implements Call, BodyReceiver {
  readonly res: HttpResponse;
  readonly handler: Handler;
  readonly method: string;
  readonly segments: readonly string[];
  readonly cluster: boolean;
  readonly confirm: boolean;
  readonly query: string;
  body = CallBody.none;
  readonly #api: Api;

  constructor(api: Api, res: HttpResponse, { handler, call }: Route) {
    this.#api = api;
    this.res = res;
    this.handler = handler;
    this.method = call.method;
    this.segments = call.segments;
    this.cluster = call.cluster;
    this.confirm = call.confirm;
    this.query = call.query;
  }

  received(body: Buffer): void {
    this.body = CallBody.ofText(body.toString());
    this.#api.perform(this);
  }

  failed(error: HiveError): void {
    this.#api.failed(this, error);
  }
}
