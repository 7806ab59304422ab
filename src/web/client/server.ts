/**
 * The server for clients: one port, three protocol generations. Requests are routed here, origins checked and sockets
 * opened; `engine/server.ts` and `legacy/server.ts` speak the protocols.
 *
 *     <path>/                      Engine.IO v4 and v3
 *     <path>/1/…                   Socket.IO 0.9
 *     anything else                404
 */
import type { TimingWheel } from '../../kernel/timers.ts';
import type { Log } from '../../observe/logger.ts';
import type { Metrics } from '../../observe/metrics.ts';
import { RequestError } from '../http/api-key.ts';
import { closeServer, type HttpRequest, type HttpResponse, methodOf } from '../http/http.ts';
import { corsHeaders, Origins, preflightHeaders } from '../http/origins.ts';
import type { SocketApp, SocketLibrary, UpgradeResponse } from '../sockets/types.ts';
import type { SessionHost } from './client-handle.ts';
import { type ClientSocket, type FrameHandler, hardPayloadLimit, type SocketData } from './client-socket.ts';
import { type ClientSettings, ConnectionContext } from './connection-context.ts';
import { clientCounters } from './counters.ts';
import type { NewMessageLayer } from './engine/host.ts';
import { EngineNamespaces } from './engine/namespaces.ts';
import { EngineServer } from './engine/server.ts';
import { LegacyServer } from './legacy/server.ts';
import { RelayGate } from './relay/gate.ts';
import type { Relays } from './relay/relay.ts';
import { parseQuery } from './requests.ts';
import type { TopicHost, Topics } from './topics.ts';

export interface ClientServerOptions {
  readonly sockets: SocketLibrary;
  readonly config: ClientSettings;
  readonly host: SessionHost;
  readonly topics: Topics;
  /** Makes transport ids: at least 128 random bits, and the node that they belong to. */
  readonly newId: () => string;
  readonly wheel: TimingWheel;
  readonly metrics: Metrics;
  readonly log: Log;
  /** The way to other nodes; without it, every session is this node's own. */
  readonly relays?: Relays;
  /** What Engine.IO connections carry; Socket.IO without it. */
  readonly newMessageLayer?: NewMessageLayer;
}

export interface ClientServer {
  readonly port: number;
  /** Stops listening and ends every connection with `shutdown`; clients reconnect, elsewhere if they can. */
  close(): Promise<void>;
}

const newNamespaces: NewMessageLayer = (host, connection, handshake) =>
  new EngineNamespaces(host, connection, handshake);

/** @throws HiveError (rejection) `port_taken`, `file_error` */
export async function startClientServer(options: ClientServerOptions): Promise<ClientServer> {
  const counters = clientCounters(options.metrics);
  const context = new ConnectionContext({ ...options, counters });
  const router = new Router(context, options.relays, options.newMessageLayer ?? newNamespaces);
  const { hive, socketio } = options.config;
  const app = options.sockets.createApp(hive.tls, hive.trusted_proxies.length > 0);
  openSockets(app, router, context);
  app.any('/*', (res, req) => {
    try {
      if (!router.relay(res, req)) router.handle(res, req);
    } catch (error) {
      context.replyError(res, error);
    }
  });
  const listening = await app.listen(hive.host, hive.port);
  const topicHost: TopicHost = {
    app,
    compression: socketio.compression,
    sent: counters.websocket.ok,
    sweepBytes: Math.ceil(socketio.max_backpressure / 4),
    sweep: () => router.checkBackpressure(),
  };
  const binding = options.topics.bind(topicHost);
  router.gate?.serve();
  return {
    port: listening.port,
    async close() {
      listening.stop();
      router.close();
      await closeServer(app, listening);
      router[Symbol.dispose]();
      binding[Symbol.dispose]();
    },
  };
}

/** The name of a subprotocol (RFC 6455 §4.1, RFC 9110 §5.6.2). */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * The first of the subprotocols that a client offers, or none. They say nothing to us, but browsers close a WebSocket whose
 * server takes none of those that their page has named.
 */
function subprotocol(offer: string): string {
  if (offer === '') return '';
  const [first = ''] = offer.split(',', 1);
  const name = first.trim();
  return token.test(name) ? name : '';
}

/** An exception that reaches the library takes the process down: none may. */
function openSockets(app: SocketApp, router: Router, context: ConnectionContext): void {
  const { socketio } = context.config;
  const { websocket } = context.counters;
  app.ws<SocketData>('/*', {
    maxPayloadLength: hardPayloadLimit(socketio.max_payload),
    // We look at `max_backpressure` ourselves; this is for publishes of a single turn of the event loop.
    maxBackpressure: 2 * socketio.max_backpressure + hardPayloadLimit(socketio.max_payload),
    compression: socketio.compression,
    upgrade: (res: UpgradeResponse & HttpResponse, req, socketContext) => {
      res.isLast = true;
      const key = req.getHeader('sec-websocket-key');
      const protocol = subprotocol(req.getHeader('sec-websocket-protocol'));
      const extensions = req.getHeader('sec-websocket-extensions');
      const upgrade = (handler: FrameHandler) => {
        res.cork(() => res.upgrade<SocketData>({ handler }, key, protocol, extensions, socketContext));
      };
      try {
        const later = (handler: FrameHandler) => app.late(() => upgrade(handler));
        if (router.relaySocket(res, req, later)) return;
        const handler = router.accept(res, req);
        if (!handler) return;
        websocket.requests.value += 1;
        upgrade(handler);
      } catch (error) {
        context.replyError(res, error);
      }
    },
    open: (socket) => {
      try {
        handlerOf(socket).opened(socket);
      } catch (error) {
        context.crashed(error);
        socket.close();
      }
    },
    message: (socket, data, isBinary) => {
      try {
        handlerOf(socket).message(socket, data, isBinary);
      } catch (error) {
        context.crashed(error);
        socket.close();
      }
    },
    ping: () => {
      websocket.frames.value += 1;
    },
    pong: (socket) => handlerOf(socket).pong(),
    drain: (socket) => handlerOf(socket).drained?.(),
    close: (socket, messageTooBig) => {
      websocket.hang_up.value += 1;
      try {
        handlerOf(socket).closed(messageTooBig ? 'payload_too_large' : 'transport_closed');
      } catch (error) {
        context.crashed(error);
      }
    },
  });
}

function handlerOf(socket: ClientSocket): FrameHandler {
  return socket.getUserData().handler;
}

class Router {
  /** The way to other nodes and from them. */
  readonly gate: RelayGate | undefined;
  readonly #context: ConnectionContext;
  readonly #origins: Origins;
  readonly #base: string;
  readonly #engine: EngineServer | undefined;
  readonly #legacy: LegacyServer | undefined;

  constructor(context: ConnectionContext, relays: Relays | undefined, newMessageLayer: NewMessageLayer) {
    const { hive, socketio } = context.config;
    this.gate = relays && new RelayGate(context, relays, this);
    context.others = this.gate;
    this.#context = context;
    this.#origins = new Origins(hive.allowed_origins);
    this.#base = socketio.path.endsWith('/') ? socketio.path.slice(0, -1) : socketio.path;
    if (socketio.protocols.some((protocol) => protocol !== '0.9')) {
      this.#engine = new EngineServer(context, newMessageLayer);
    }
    if (socketio.protocols.includes('0.9')) this.#legacy = new LegacyServer(context);
  }

  /** Forwards what belongs to a session of another node; false if the request is to be handled here. */
  relay(res: HttpResponse, req: HttpRequest): boolean {
    if (!this.gate || req.getMethod() === 'options') return false;
    const id = this.#transportId(req);
    return id !== undefined && this.gate.forward(res, req, id);
  }

  /** The same for a WebSocket. */
  relaySocket(res: HttpResponse, req: HttpRequest, upgrade: (handler: FrameHandler) => void): boolean {
    const id = this.gate && this.#transportId(req);
    return id !== undefined && this.gate?.forwardSocket(res, req, id, upgrade) === true;
  }

  handle(res: HttpResponse, req: HttpRequest): void {
    const url = req.getUrl();
    const legacy = this.#legacyPath(url);
    if (!legacy && !this.#isEngine(url)) {
      this.#context.reply(res, 404, '');
    } else if (this.#admit(res, req)) {
      if (req.getMethod() === 'options') this.#context.reply(res, 204, '');
      else if (legacy) this.#legacy?.handle(res, req, legacy);
      else this.#engine?.handle(res, req);
    }
  }

  accept(res: HttpResponse, req: HttpRequest): FrameHandler | undefined {
    const url = req.getUrl();
    const legacy = this.#legacyPath(url);
    if (!legacy && !this.#isEngine(url)) {
      this.#context.reply(res, 404, '');
      return undefined;
    }
    if (!this.#admit(res, req)) return undefined;
    return legacy ? this.#legacy?.accept(res, legacy) : this.#engine?.accept(res, req);
  }

  checkBackpressure(): void {
    this.#engine?.checkBackpressure();
    this.#legacy?.checkBackpressure();
  }

  close(): void {
    this.#engine?.close('shutdown');
    this.#legacy?.close('shutdown');
    this.gate?.close();
  }

  [Symbol.dispose](): void {
    this.#engine?.[Symbol.dispose]();
    this.#legacy?.[Symbol.dispose]();
  }

  #transportId(req: HttpRequest): string | undefined {
    const url = req.getUrl();
    if (!this.#isEngine(url)) return this.#legacyPath(url)?.[1];
    const query = req.getQuery();
    // Handshakes have none. Where an escape is, the name may be spelled with it.
    return query?.includes('sid=') || query?.includes('%') ? parseQuery(query).sid : undefined;
  }

  #isEngine(url: string): boolean {
    if (!this.#engine || !url.startsWith(this.#base)) return false;
    return url.length === this.#base.length || (url.length === this.#base.length + 1 && url.endsWith('/'));
  }

  /** The segments behind `<base>/1`; undefined if the URL is not there. */
  #legacyPath(url: string): string[] | undefined {
    const root = `${this.#base}/1`;
    if (!this.#legacy || !url.startsWith(root)) return undefined;
    const rest = url.slice(root.length);
    if (rest === '' || rest === '/') return [];
    if (!rest.startsWith('/')) return undefined;
    return (rest.endsWith('/') ? rest.slice(1, -1) : rest.slice(1)).split('/');
  }

  /** Checks the origin, and remembers what the answer must say about it. */
  #admit(res: HttpResponse, req: HttpRequest): boolean {
    const { counters } = this.#context;
    counters.http.requests.value += 1;
    const method = methodOf(res, req);
    const origin = req.getHeader('origin');
    if (!this.#origins.allows(origin)) {
      res.cors = corsHeaders('');
      const description = origin === '' ? 'The request has no origin.' : `The origin ${origin} is not allowed.`;
      this.#context.replyError(res, new RequestError(403, 'bad_request', description));
      return false;
    }
    res.cors = corsHeaders(origin);
    if (method === 'options') {
      res.cors = [...corsHeaders(origin), ...preflightHeaders(req.getHeader('access-control-request-headers'))];
    }
    return true;
  }
}
