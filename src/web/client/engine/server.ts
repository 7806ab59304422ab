/**
 * The Engine.IO endpoint for all enabled versions of the protocol: `GET` and `POST` of the polling transport, WebSockets, and the table of connections. Errors
 * have the form that Engine.IO gives them, `{code, message}`.
 */
import type { HiveError } from '../../../observe/errors.ts';
import type { Codec } from '../../../protocol/codec.ts';
import { type BodyForm, type EngineDialect, openPackets } from '../../../protocol/engine.ts';
import { engineV3 } from '../../../protocol/engine-v3.ts';
import { engineV4 } from '../../../protocol/engine-v4.ts';
import type { HttpRequest, HttpResponse } from '../../http/http.ts';
import type { CloseReason, Handshake, TransportKind } from '../client-handle.ts';
import type { FrameHandler } from '../client-socket.ts';
import type { ConnectionContext } from '../connection-context.ts';
import { parseQuery, type Query, readHandshake } from '../requests.ts';
import { EngineConnection } from './connection.ts';
import { type Fault, faults } from './faults.ts';
import type { EngineHost, NewMessageLayer } from './host.ts';
import { type PollTraits, pollTraits } from './poll-queue.ts';

/** By the `EIO` of a query. */
const dialects: readonly (readonly [string, EngineDialect])[] = [
  ['4', engineV4],
  ['3', engineV3],
];

export class EngineServer implements EngineHost {
  readonly context: ConnectionContext;
  readonly hasNamespaces: boolean;
  readonly newMessageLayer: NewMessageLayer;
  readonly #connections = new Map<string, EngineConnection>();
  /** By the `EIO` of a query. */
  readonly #dialects = new Map<string | undefined, EngineDialect>();
  readonly #codecs = new Map<string, Codec>();
  /** By namespace. */
  readonly #recoverableCodecs = new Map<string, Codec>();
  readonly #polling: boolean;
  readonly #websocket: boolean;
  /** Makes the open packet for a connection on either transport. */
  readonly #openPackets: Readonly<Record<TransportKind, (sid: string) => string>>;

  constructor(context: ConnectionContext, newMessageLayer: NewMessageLayer) {
    const { namespaces, protocols, transports } = context.config.socketio;
    this.context = context;
    this.newMessageLayer = newMessageLayer;
    this.hasNamespaces = namespaces.length > 1;
    for (const [version, dialect] of dialects) {
      if (!protocols.includes(dialect.protocol)) continue;
      this.#dialects.set(version, dialect);
      for (const namespace of namespaces) {
        this.#codecs.set(dialect.protocol + namespace, dialect.codec(namespace));
        const recoverable = dialect.recoverableCodec?.(namespace);
        if (recoverable) this.#recoverableCodecs.set(namespace, recoverable);
      }
    }
    this.#polling = transports.includes('xhr-polling');
    this.#websocket = transports.includes('websocket') || transports.includes('flashsocket');
    const { ping_interval, ping_timeout, max_payload } = context.config.socketio;
    const times = { pingInterval: ping_interval, pingTimeout: ping_timeout, maxPayload: max_payload };
    this.#openPackets = {
      polling: openPackets({ upgrades: this.#websocket ? ['websocket'] : [], ...times }),
      websocket: openPackets({ upgrades: [], ...times }),
    };
  }

  codec({ protocol }: EngineDialect, namespace: string, isRecoverable: boolean): Codec | undefined {
    return isRecoverable ? this.#recoverableCodecs.get(namespace) : this.#codecs.get(protocol + namespace);
  }

  openPacket(sid: string, transport: TransportKind): string {
    return this.#openPackets[transport](sid);
  }

  /** A request without upgrade. */
  handle(res: HttpResponse, req: HttpRequest): void {
    const query = parseQuery(req.getQuery());
    const dialect = this.#dialects.get(query.EIO);
    const fault = this.#check(query, 'polling');
    const method = req.getMethod();
    if (!dialect) this.refuse(res, faults.version);
    else if (fault) this.refuse(res, fault);
    else if (query.sid === undefined) this.#handshake(res, req, query, method, dialect);
    else if (method !== 'get' && method !== 'post') this.refuse(res, faults.method);
    else this.#exchange(res, req, query, method, dialect);
  }

  /** What is to handle the frames of a WebSocket, or undefined after the request was refused. */
  accept(res: HttpResponse, req: HttpRequest): FrameHandler | undefined {
    const query = parseQuery(req.getQuery());
    const dialect = this.#dialects.get(query.EIO);
    if (!dialect) return this.refuse(res, faults.version);
    const fault = this.#check(query, 'websocket');
    if (fault) return this.refuse(res, fault);
    if (query.sid === undefined) {
      const isRecoverable = this.#isRecoverable(query, dialect);
      const refusal = this.#refusal(res, req, isRecoverable);
      if (refusal) {
        this.context.replyError(res, refusal);
        return undefined;
      }
      return this.#create(dialect, this.#read(res, req, query, 'websocket', dialect), isRecoverable);
    }
    const connection = this.#find(query.sid, dialect);
    if (!connection || connection.isClosed) return this.refuse(res, faults.session);
    return connection.acceptUpgrade();
  }

  remove(connection: { readonly id: string; readonly source: string | undefined }): void {
    if (!this.#connections.delete(connection.id)) return;
    if (connection.source !== undefined) this.context.limits?.leave(connection.source);
  }

  checkBackpressure(): void {
    for (const connection of this.#connections.values()) if (connection.socket) connection.checkBackpressure();
  }

  close(reason: CloseReason): void {
    for (const connection of this.#connections.values()) connection.close(reason);
  }

  /** After `close`: ends who has come meanwhile, and gives up last words that nobody has come for. */
  [Symbol.dispose](): void {
    for (const connection of this.#connections.values()) {
      connection.close('shutdown');
      connection[Symbol.dispose]();
    }
  }

  #check(query: Query, transport: 'polling' | 'websocket'): Fault | undefined {
    const enabled = transport === 'polling' ? this.#polling : this.#websocket;
    // The index of the callback that is to be called with the answer.
    if (query.j !== undefined && query.transport === 'polling') return faults.jsonp;
    if (query.transport === transport) return enabled ? undefined : faults.transport;
    return query.transport === 'polling' || query.transport === 'websocket' ? faults.request : faults.transport;
  }

  /** The session of that id, if it speaks that version. */
  #find(sid: string, dialect: EngineDialect): EngineConnection | undefined {
    const connection = this.#connections.get(sid);
    return connection?.dialect === dialect && !connection.isGone ? connection : undefined;
  }

  /** Why no connection is opened now. */
  #refusal(res: HttpResponse, req: HttpRequest, mayReturn: boolean): HiveError | undefined {
    return this.context.refusal(res, req, mayReturn) ?? this.context.clientless.refusal();
  }

  /** Whether a new connection's clients may return. Clients whose library knows nothing of it say so, since nothing else tells them apart. */
  #isRecoverable(query: Query, dialect: EngineDialect): boolean {
    return this.context.host.recovery !== undefined && dialect.recoverableCodec !== undefined && query.recovery !== '0';
  }

  #read(
    res: HttpResponse,
    req: HttpRequest,
    query: Query,
    transport: TransportKind,
    { protocol }: EngineDialect,
  ): Handshake {
    const { context } = this;
    const address = context.addressOf(res, req);
    return readHandshake(req, address, query, transport, protocol, context.host.wantsHandshakes);
  }

  #create(dialect: EngineDialect, handshake: Handshake, isRecoverable: boolean, polls?: PollTraits): EngineConnection {
    const connection = new EngineConnection(this, dialect, this.context.newId(), handshake, polls);
    connection.isRecoverable = isRecoverable;
    this.#connections.set(connection.id, connection);
    connection.source = this.context.limits?.enter(handshake.address);
    return connection;
  }

  #handshake(res: HttpResponse, req: HttpRequest, query: Query, method: string, dialect: EngineDialect): void {
    if (method !== 'get') return this.refuse(res, faults.method);
    const isRecoverable = this.#isRecoverable(query, dialect);
    const refusal = this.#refusal(res, req, isRecoverable);
    if (refusal) return this.context.replyError(res, refusal);
    const handshake = this.#read(res, req, query, 'polling', dialect);
    this.#create(dialect, handshake, isRecoverable, pollTraits(req, query)).open(res);
  }

  /** A request of a session. */
  #exchange(res: HttpResponse, req: HttpRequest, query: Query, method: 'get' | 'post', dialect: EngineDialect): void {
    const connection = this.#find(query.sid!, dialect);
    if (!connection) this.refuse(res, faults.session);
    else if (method === 'get') connection.poll(res);
    else connection.post(res, bodyForm(req, query));
  }

  refuse(res: HttpResponse, fault: Fault): undefined {
    this.context.counters.http.errors.value += 1;
    this.context.replyJson(res, 400, fault);
    return undefined;
  }
}

/** Of a request whose body is still to come. */
function bodyForm(req: HttpRequest, query: Query): BodyForm {
  return {
    binary: req.getHeader('content-type') === 'application/octet-stream',
    base64: query.b64 !== undefined,
    writesBytes: undefined,
  };
}
