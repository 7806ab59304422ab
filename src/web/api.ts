/**
 * The HTTP API for back ends and operators: `/api/<key>/…`. Every answer is JSON or empty; errors are
 * `{"error": code, "description": text}` and never hidden, since who has the key may know.
 *
 *   GET    hive/version                      POST clients/action/<sid>      orders for one client
 *   POST   hive/stop                         POST pubsub/action/<channel>   orders for all subscribers
 *   POST   router/enable|disable|terminate   POST pubsub/publish/<channel>  an event for all subscribers
 *   GET    pubsub/subscribe/<channel>        number of subscribers on this node
 *   POST   pubsub/subscribe/<sid>            the client joins channels; DELETE: it leaves them
 */
import { HiveError } from '../observe/errors.ts';
import type { Log } from '../observe/logger.ts';
import type { Counter, Metrics } from '../observe/metrics.ts';
import { channelIds } from '../protocol/channel-expression.ts';
import { type InternalEvent, parseInternalEvents } from '../protocol/internal-event.ts';
import { type EventPacket, eventFromJson } from '../protocol/packet.ts';
import {
  closeServer,
  createApp,
  type HttpRequest,
  type HttpResponse,
  listen,
  readBody,
  type Server,
  send,
  sendError,
  sendJson,
} from './http.ts';
import { Key, RequestError, segmentsOf, sendUnauthorized, wrongMethod } from './keyed.ts';

/** What the API sets in motion. Rejections and thrown HiveErrors become the answer. */
export interface ApiHost {
  readonly version: string;
  /** Stops the node gracefully; called after the answer. */
  stop(): void;
  enable(): void;
  disable(): void;
  terminate(reason: string): void;
  act(sid: string, orders: readonly InternalEvent[]): Promise<void>;
  publishOrders(channel: string, orders: readonly InternalEvent[]): void;
  publishEvent(channel: string, event: EventPacket): void;
  subscribers(channel: string): number;
  subscribe(sid: string, channels: readonly string[]): Promise<void>;
  unsubscribe(sid: string, channels: readonly string[]): Promise<void>;
}

export interface ApiSettings {
  readonly address: string;
  readonly port: number;
  readonly key: string;
  readonly host: ApiHost;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** What a request's body may hold, bytes (as in 2014). */
const maxBodyBytes = 8_000_000;
const plainText = 'text/plain; charset=utf-8';

/** Answers one request; a returned promise means that the answer comes later. */
type Handler = (api: Api, res: HttpResponse, id: string) => void | Promise<void>;
type Methods = Readonly<Record<string, Handler>>;

/** section → action → method → handler. Actions marked `id` need one more path segment. */
const routes: Readonly<Record<string, Readonly<Record<string, Methods>>>> = {
  hive: {
    version: { get: (api, res) => send(res, 200, api.host.version, plainText) },
    stop: { post: (api, res) => api.order(res, () => api.host.stop()) },
  },
  router: {
    enable: { post: (api, res) => api.order(res, () => api.host.enable()) },
    disable: { post: (api, res) => api.order(res, () => api.host.disable()) },
    terminate: { post: (api, res) => api.order(res, (reason) => api.host.terminate(reason)) },
  },
  clients: {
    action: { post: (api, res, sid) => api.act(res, sid) },
  },
  pubsub: {
    action: { post: (api, res, channel) => api.publishOrders(res, channel) },
    publish: { post: (api, res, channel) => api.publishEvent(res, channel) },
    subscribe: {
      get: (api, res, channel) => sendJson(res, 200, { subscribed_clients: api.host.subscribers(channel) }),
      post: (api, res, sid) => api.subscription(res, (channels) => api.host.subscribe(sid, channels)),
      delete: (api, res, sid) => api.subscription(res, (channels) => api.host.unsubscribe(sid, channels)),
    },
  },
};

/** Sections whose actions name a client or channel in one more segment. */
const sectionsWithId = new Set(['clients', 'pubsub']);

/** @throws HiveError `port_taken` (rejection) */
export async function startApiServer(settings: ApiSettings): Promise<Server> {
  const app = createApp();
  const api = new Api(settings);
  app.any('/*', (res, req) => api.handle(res, req));
  const listening = await listen(app, settings.address, settings.port);
  return { port: listening.port, stop: () => closeServer(app, listening) };
}

class Api {
  readonly host: ApiHost;
  readonly #key: Key;
  readonly #log: Log;
  readonly #total: Record<'requests' | 'errors', Counter>;
  readonly #sections = new Map<string, Record<'requests' | 'errors', Counter>>();

  constructor({ host, key, log, metrics }: ApiSettings) {
    this.host = host;
    this.#key = new Key(key);
    this.#log = log;
    this.#total = metrics.counters('api', ['requests', 'errors']);
    for (const section of Object.keys(routes)) {
      this.#sections.set(section, metrics.counters(`api.${section}`, ['requests', 'errors']));
    }
  }

  handle(res: HttpResponse, req: HttpRequest): void {
    const method = req.getMethod();
    let section: string | undefined;
    try {
      const [root, key, name, action, id, ...rest] = segmentsOf(req, 'bad_api_request');
      if (root !== 'api') throw notFound(req);
      section = name ?? '';
      this.#count('requests', section);
      if (!this.#key.matches(key)) {
        this.#count('errors', section);
        this.#log.warning('API request with a wrong key', { section });
        return sendUnauthorized(res);
      }
      const actions = Object.hasOwn(routes, section) ? routes[section] : undefined;
      const wantsId = sectionsWithId.has(section);
      if (!actions || !action || (wantsId ? !id : id !== undefined) || rest.length > 0) throw notFound(req);
      const methods = Object.hasOwn(actions, action) ? actions[action] : undefined;
      if (!methods) throw new RequestError(501, 'bad_api_request', `There is no action ${action} in ${section}.`);
      const handler = Object.hasOwn(methods, method) ? methods[method] : undefined;
      if (!handler) throw wrongMethod('bad_api_request', method, Object.keys(methods).join(', ').toUpperCase());
      handler(this, res, id ?? '')?.catch((error: unknown) => this.#fail(res, section, error));
    } catch (error) {
      this.#fail(res, section, error);
    }
  }

  /** Answers an order that cannot fail, then carries it out: stopping the node must not lose the answer. */
  async order(res: HttpResponse, carryOut: (body: string) => void): Promise<void> {
    const body = await this.#text(res);
    send(res, 200);
    carryOut(body);
  }

  async act(res: HttpResponse, sid: string): Promise<void> {
    await this.host.act(sid, this.#orders(await this.#text(res)));
    send(res, 200);
  }

  async publishOrders(res: HttpResponse, channel: string): Promise<void> {
    this.host.publishOrders(channel, this.#orders(await this.#text(res)));
    send(res, 200);
  }

  async publishEvent(res: HttpResponse, channel: string): Promise<void> {
    this.host.publishEvent(channel, eventFromJson(await this.#text(res)));
    send(res, 200);
  }

  async subscription(res: HttpResponse, change: (channels: string[]) => Promise<void>): Promise<void> {
    const text = await this.#text(res);
    let expression: unknown;
    try {
      expression = JSON.parse(text);
    } catch (error) {
      throw new HiveError('bad_request', 'The body is no JSON array of channel ids.', { cause: error });
    }
    const channels = channelIds(expression);
    if (channels.length === 0) throw new HiveError('bad_request', 'The body names no channel.');
    await change(channels);
    send(res, 200);
  }

  #orders(text: string): InternalEvent[] {
    if (text.trim() === '') throw new HiveError('invalid_json', 'The body is empty.');
    return parseInternalEvents(text);
  }

  async #text(res: HttpResponse): Promise<string> {
    return (await readBody(res, maxBodyBytes)).toString('utf8');
  }

  #fail(res: HttpResponse, section: string | undefined, error: unknown): void {
    if (section !== undefined) this.#count('errors', section);
    if (!(error instanceof HiveError)) {
      this.#log.error('API request failed', { section, reason: error instanceof Error ? error.stack : String(error) });
    }
    sendError(res, error, error instanceof RequestError ? error.headers : undefined);
  }

  #count(what: 'requests' | 'errors', section: string): void {
    this.#total[what].value += 1;
    const counters = this.#sections.get(section);
    if (counters) counters[what].value += 1;
  }
}

function notFound(req: HttpRequest): RequestError {
  // Only the shape is told: the path holds the key.
  return new RequestError(404, 'bad_api_request', `Nothing answers ${req.getMethod().toUpperCase()} at this path.`);
}
