/**
 * The HTTP API for back ends and operators: `/api/<key>/…`, or `/api/…` with the key in an `Authorization: Bearer` header.
 * Answers are JSON, plain text or empty; errors are `{"error": code, "description": text}` and never hidden, since who has
 * the key may know.
 *
 * The calls are those of operations/, and `POST batch` with several of them.
 */
import type { HiveError } from '../../observe/errors.ts';
import type { Log } from '../../observe/logger.ts';
import type { Counter, Metrics } from '../../observe/metrics.ts';
import { expectedOrHidden } from '../../observe/reference.ts';
import { sourceOf } from '../../observe/source.ts';
import { ApiKey, answerError, apiKeyPath, notFound, unauthorized, wrongMethod } from '../http/api-key.ts';
import { BodyBudget, type BodyReceiver, receiveBody } from '../http/bodies.ts';
import { clientAddress, type TrustedProxies } from '../http/client-address.ts';
import {
  closeServer,
  defer,
  type Headers,
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
import { CallBody } from './call-body.ts';
import { findCall, perform, publishAnswer, sections } from './calls.ts';
import type { KeptAnswer } from './kept-answers.ts';
import { checkedKey, digestOf, kept } from './once.ts';
import type { Answer, Given } from './operation.ts';

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

/** What was found for a path and its query. */
interface Route {
  readonly section: string;
  readonly id: string;
  readonly query: unknown;
  readonly run: (host: ApiHost, given: Given) => Answer | Promise<Answer>;
  /** Tells it from others, the body aside. */
  readonly place: string;
}

/** Taking a path apart costs more than most calls. Back ends use few paths; when these are too many, all are forgotten. */
const maxRoutes = 1000;
const replayed: Headers = [['Idempotency-Replayed', 'true']];

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
        this.#count('requests', route.section);
        receiveBody(res, maxBodyBytes, new Request(this, res, route, keyOf(req)), this.#bodies);
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
      const verb = method.toUpperCase();
      const found = section === batch ? this.#batch(verb, segments) : routeTo(verb, segments, req.getQuery() ?? '');
      const request = new Request(this, res, found, method === 'get' ? '' : keyOf(req));
      // A GET has no body.
      if (method === 'get') this.perform(request);
      else receiveBody(res, maxBodyBytes, request, this.#bodies);
      if (method === 'post' && isInPath) this.#remember(placeOf(req), found);
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
    const { res, section } = request;
    if (request.key !== '') return this.#performOnce(request);
    let answer: Answer | Promise<Answer>;
    try {
      answer = request.run(this.#host, request);
    } catch (error) {
      return this.#fail(res, section, error);
    }
    if (answer instanceof Promise) {
      defer(res);
      const failed = (error: unknown): void => this.#fail(res, section, error);
      answer.then((ready) => this.#reply(res, ready, send), failed);
    } else if (answer.unconfirmed) {
      defer(res);
      answer.unconfirmed.whenKnown((nodes) => this.#reply(res, publishAnswer(nodes), send));
    } else {
      this.#reply(res, answer, sendAtOnce);
    }
  }

  #performOnce(request: Request): void {
    const { res, section, key, place, body } = request;
    defer(res);
    let afterwards: Answer['afterwards'];
    const perform = async (): Promise<KeptAnswer> => {
      const answer = await request.run(this.#host, request);
      ({ afterwards } = answer);
      return kept(answer);
    };
    this.#host.answers.once(key, digestOf(place, body.text), perform).then(
      ({ answer, isReplayed }) => {
        const { status, text, isJson } = answer;
        const headers = isReplayed ? replayed : undefined;
        send(res, status, text ?? '', text === null ? '' : isJson ? jsonType : plainText, headers);
        if (!isReplayed) afterwards?.();
      },
      (error: unknown) => this.#fail(res, section, error),
    );
  }

  failed({ res, section }: Request, error: HiveError): void {
    this.#fail(res, section, error);
  }

  /** @throws HiveError for another method than POST, or a longer path */
  #batch(method: string, segments: readonly string[]): Route {
    if (segments.length > 1) throw notFound('bad_api_request');
    if (method !== 'POST') throw wrongMethod('bad_api_request', method, 'POST');
    const run: Route['run'] = (host, { body }) => this.#performBatch(host, body);
    return { section: batch, id: '', query: undefined, run, place: `POST ${batch}` };
  }

  #performBatch(host: ApiHost, body: CallBody): Promise<Answer> {
    return performBatch(body, async (call) => {
      const section = call.segments[0] ?? '';
      this.#count('requests', section);
      try {
        return await perform(host, findCall(call.method, call.segments, call.query), call.body);
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

function routeTo(method: string, segments: readonly string[], text: string): Route {
  const { operation, section, id, query } = findCall(method, segments, text);
  return { section, id, query, run: operation.run, place: `${method} ${segments.join('/')}?${text}` };
}

/** The `Idempotency-Key`; '' if there is none. @throws HiveError `bad_api_request` */
function keyOf(req: HttpRequest): string {
  const key = req.getHeader('idempotency-key');
  return key === '' ? key : checkedKey(key);
}

/** A request whose body is awaited; one object, since there are many. */
class Request implements Given, Route, BodyReceiver {
  readonly res: HttpResponse;
  readonly section: string;
  readonly id: string;
  readonly query: unknown;
  readonly run: Route['run'];
  readonly place: string;
  readonly key: string;
  body = CallBody.none;
  readonly #api: Api;

  constructor(api: Api, res: HttpResponse, { section, id, query, run, place }: Route, key: string) {
    this.#api = api;
    this.res = res;
    this.section = section;
    this.id = id;
    this.query = query;
    this.run = run;
    this.place = place;
    this.key = key;
  }

  received(body: Buffer): void {
    this.body = CallBody.ofText(body.toString());
    this.#api.perform(this);
  }

  failed(error: HiveError): void {
    this.#api.failed(this, error);
  }
}
