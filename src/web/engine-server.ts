/**
 * The Engine.IO v4 endpoint: `GET` and `POST` of the polling transport, WebSockets, and the table of connections. Errors
 * have the form that Engine.IO gives them, `{code, message}`.
 */
import { isUtf8 } from 'node:buffer';
import { HiveError } from '../observe/errors.ts';
import { decodePayload, openPacket } from '../protocol/engine-v4.ts';
import { SocketV5Codec } from '../protocol/socketio-v5.ts';
import type { ClientContext } from './client-context.ts';
import { parseQuery, type Query, readHandshake } from './client-requests.ts';
import type { FrameHandler } from './client-socket.ts';
import { EngineConnection } from './engine-connection.ts';
import { EngineUpgrade } from './engine-upgrade.ts';
import { type HttpRequest, type HttpResponse, isOver, readBody } from './http.ts';
import type { CloseReason } from './sessions.ts';

/** Engine.IO's own error codes and texts. */
const faults = {
  transport: { code: 0, message: 'Transport unknown' },
  session: { code: 1, message: 'Session ID unknown' },
  method: { code: 2, message: 'Bad handshake method' },
  request: { code: 3, message: 'Bad request' },
  version: { code: 5, message: 'Unsupported protocol version' },
} as const;

type Fault = (typeof faults)[keyof typeof faults];

export class EngineServer {
  readonly context: ClientContext;
  /** Whether more than one namespace is configured. */
  readonly hasNamespaces: boolean;
  readonly #connections = new Map<string, EngineConnection>();
  readonly #codecs: Map<string, SocketV5Codec>;
  readonly #polling: boolean;
  readonly #websocket: boolean;
  readonly #upgrades: readonly string[];

  constructor(context: ClientContext) {
    const { namespaces, transports } = context.config.socketio;
    this.context = context;
    this.hasNamespaces = namespaces.length > 1;
    this.#codecs = new Map(namespaces.map((namespace) => [namespace, new SocketV5Codec(namespace)]));
    this.#polling = transports.includes('xhr-polling');
    this.#websocket = transports.includes('websocket') || transports.includes('flashsocket');
    this.#upgrades = this.#websocket ? ['websocket'] : [];
  }

  /** The codec of a configured namespace. */
  codec(namespace: string): SocketV5Codec | undefined {
    return this.#codecs.get(namespace);
  }

  openPacket(sid: string, polling: boolean): string {
    const { ping_interval, ping_timeout, max_payload } = this.context.config.socketio;
    return openPacket({
      sid,
      upgrades: polling ? this.#upgrades : [],
      pingInterval: ping_interval,
      pingTimeout: ping_timeout,
      maxPayload: max_payload,
    });
  }

  /** A request without upgrade. */
  handle(res: HttpResponse, req: HttpRequest): void {
    const query = parseQuery(req.getQuery());
    const fault = this.#check(query, 'polling');
    const method = req.getMethod();
    if (fault) this.#refuse(res, fault);
    else if (query.sid === undefined) this.#handshake(res, req, query, method);
    else if (method === 'get') this.#poll(res, query.sid);
    else if (method === 'post') this.#post(res, query.sid);
    else this.#refuse(res, faults.method);
  }

  /** What is to handle the frames of a WebSocket, or undefined after the request was refused. */
  accept(res: HttpResponse, req: HttpRequest): FrameHandler | undefined {
    const query = parseQuery(req.getQuery());
    const fault = this.#check(query, 'websocket');
    if (fault) return this.#refuse(res, fault);
    if (query.sid === undefined) {
      const refusal = this.context.host.refusal();
      if (refusal) {
        this.context.replyError(res, refusal);
        return undefined;
      }
      return this.#create(readHandshake(req, res, query, 'websocket', 'eio4'));
    }
    const connection = this.#connections.get(query.sid);
    if (!connection || connection.isClosed) return this.#refuse(res, faults.session);
    if (!connection.polls || connection.upgrade) return this.#refuse(res, faults.request);
    connection.upgrade = new EngineUpgrade(this.context, connection);
    return connection.upgrade;
  }

  remove(connection: EngineConnection): void {
    this.#connections.delete(connection.id);
  }

  checkBackpressure(): void {
    for (const connection of this.#connections.values()) if (connection.socket) connection.checkBackpressure();
  }

  close(reason: CloseReason): void {
    for (const connection of this.#connections.values()) connection.close(reason);
  }

  /** After `close`: gives up last words that nobody has come for. */
  forget(): void {
    for (const connection of this.#connections.values()) connection.forget();
  }

  #check(query: Query, transport: 'polling' | 'websocket'): Fault | undefined {
    if (query.EIO !== '4') return faults.version;
    const enabled = transport === 'polling' ? this.#polling : this.#websocket;
    if (query.transport === transport) return enabled ? undefined : faults.transport;
    return query.transport === 'polling' || query.transport === 'websocket' ? faults.request : faults.transport;
  }

  #create(handshake: ReturnType<typeof readHandshake>): EngineConnection {
    const connection = new EngineConnection(this, this.context.newId(), handshake);
    this.#connections.set(connection.id, connection);
    return connection;
  }

  #handshake(res: HttpResponse, req: HttpRequest, query: Query, method: string): void {
    if (method !== 'get') return this.#refuse(res, faults.method);
    const refusal = this.context.host.refusal();
    if (refusal) return this.context.replyError(res, refusal);
    const connection = this.#create(readHandshake(req, res, query, 'polling', 'eio4'));
    connection.start();
    connection.polls?.hold(res);
  }

  #poll(res: HttpResponse, sid: string): undefined {
    const connection = this.#connections.get(sid);
    if (!connection) return this.#refuse(res, faults.session);
    const { polls } = connection;
    if (!polls) return this.#refuse(res, faults.request);
    if (polls.waiting) {
      // Two polls at a time: the protocol wants the session closed.
      connection.close('transport_error');
      return this.#refuse(res, faults.request);
    }
    this.context.defer(res, () => {
      polls.dropPoll();
      connection.close('transport_closed');
    });
    polls.hold(res);
  }

  #post(res: HttpResponse, sid: string): undefined {
    const connection = this.#connections.get(sid);
    if (!connection) return this.#refuse(res, faults.session);
    const { polls } = connection;
    if (!polls) return this.#refuse(res, faults.request);
    if (polls.posting) {
      connection.close('transport_error');
      return this.#refuse(res, faults.request);
    }
    polls.posting = true;
    this.context.defer(res);
    readBody(res, this.context.config.socketio.max_payload).then(
      (body) => {
        polls.posting = false;
        this.#receive(connection, res, body);
      },
      (error) => {
        polls.posting = false;
        const tooLarge = error instanceof HiveError && error.code === 'payload_too_large';
        connection.close(tooLarge ? 'payload_too_large' : 'transport_closed');
        if (!isOver(res)) this.context.replyError(res, error);
      },
    );
  }

  #receive(connection: EngineConnection, res: HttpResponse, body: Buffer): void {
    if (body.length === 0 || !isUtf8(body)) {
      connection.close('bad_packet');
      return this.#refuse(res, faults.request);
    }
    for (const packet of decodePayload(body.toString())) {
      if (connection.isClosed) break;
      if (!connection.receive(packet)) return this.#refuse(res, faults.request);
    }
    this.context.reply(res, 200, 'ok');
  }

  #refuse(res: HttpResponse, fault: Fault): undefined {
    this.context.counters.http.errors.value += 1;
    this.context.replyJson(res, 400, fault);
    return undefined;
  }
}
