/**
 * The endpoints of Socket.IO 0.9, below `<path>/1`: the handshake, one URL per transport and session, and the way out that
 * client libraries take when their page is left. The id in these URLs is a secret of the client: whoever knows it is it.
 */
import { HiveError } from '../../../observe/errors.ts';
import { disconnectPacket, unknownSessionPacket } from '../../../protocol/legacy.ts';
import { type HttpRequest, type HttpResponse, isOver } from '../../http/http.ts';
import type { CloseReason } from '../client-handle.ts';
import type { ClientSocket, FrameHandler } from '../client-socket.ts';
import { weightOf } from '../clientless.ts';
import type { ConnectionContext } from '../connection-context.ts';
import { parseQuery, readHandshake } from '../requests.ts';
import { LegacyConnection } from './connection.ts';

/** Tells the client of an unknown session to start anew. */
class Unknown implements FrameHandler {
  opened(socket: ClientSocket): void {
    socket.send(unknownSessionPacket);
    socket.end(1000);
  }
  message(): void {}
  pong(): void {}
  closed(): void {}
}

const unknown = new Unknown();

export class LegacyServer {
  readonly #context: ConnectionContext;
  readonly #connections = new Map<string, LegacyConnection>();
  /** `:heartbeat:close:transports`, the part of the handshake's answer that all clients share; seconds. */
  readonly #terms: string;

  constructor(context: ConnectionContext) {
    const { heartbeat_timeout, reconnect_timeout, transports } = context.config.socketio;
    this.#context = context;
    const heartbeat = Math.round(1.1 * Math.floor(heartbeat_timeout / 1000));
    this.#terms = `:${heartbeat}:${Math.floor(reconnect_timeout / 1000)}:${transports.join(',')}`;
  }

  /** @param path what follows `<base>/1`, split at slashes, without an empty last segment */
  handle(res: HttpResponse, req: HttpRequest, path: readonly string[]): void {
    const [transport, id] = path;
    const method = req.getMethod();
    if (transport === undefined) this.#handshake(res, req, method);
    else if (id === undefined || path.length > 2 || !this.#serves(transport)) this.#context.reply(res, 404, '');
    else if (parseQuery(req.getQuery()).disconnect !== undefined) this.#disconnect(res, id);
    else if (transport === '') this.#context.reply(res, 404, '');
    else if (transport !== 'xhr-polling') this.#badRequest(res, 400, 'The URL is for WebSockets.');
    else if (method === 'get') this.#poll(res, id);
    else if (method === 'post') this.#post(res, id);
    else this.#badMethod(res, method);
  }

  /** What is to handle the frames of a WebSocket, or undefined after the request was refused. */
  accept(res: HttpResponse, path: readonly string[]): FrameHandler | undefined {
    const [transport, id] = path;
    if (id === undefined || path.length > 2 || transport === 'xhr-polling' || !this.#serves(transport)) {
      this.#context.reply(res, 404, '');
      return undefined;
    }
    const connection = this.#connections.get(id);
    if (!connection || connection.isClosed) return unknown;
    if (connection.reserve()) return connection;
    this.#badRequest(res, 400, 'The session has a transport already.');
    return undefined;
  }

  checkBackpressure(): void {
    for (const connection of this.#connections.values()) if (connection.socket) connection.checkBackpressure();
  }

  close(reason: CloseReason): void {
    for (const connection of this.#connections.values()) connection.end(reason);
  }

  /** After `close`: ends who has come meanwhile, and gives up last words that nobody has come for. */
  [Symbol.dispose](): void {
    for (const connection of this.#connections.values()) {
      connection.close('shutdown');
      connection[Symbol.dispose]();
    }
  }

  /** An empty transport is the library's unload request, `<base>/1//<id>/?disconnect=1`. */
  #serves(transport: string | undefined): boolean {
    if (transport === '') return true;
    return (this.#context.config.socketio.transports as readonly (string | undefined)[]).includes(transport);
  }

  #handshake(res: HttpResponse, req: HttpRequest, method: string): void {
    if (method !== 'get') return this.#badMethod(res, method);
    const { host, newId, limits, clientless } = this.#context;
    const refusal = this.#context.refusal(res, req);
    if (refusal) return this.#context.replyError(res, refusal);
    const address = this.#context.addressOf(res, req);
    const query = parseQuery(req.getQuery());
    const handshake = readHandshake(req, address, query, 'handshake', '0.9', host.wantsHandshakes);
    const held = weightOf(handshake);
    if (!clientless.hold(held)) {
      return this.#context.replyError(res, new HiveError('no_slots', 'Too many clients are being connected.'));
    }
    const source = limits?.enter(address);
    this.#context.defer(res);
    host.open({ namespace: '/', handshake, protocol: '0.9', isRecoverable: false }).then(
      (session) => {
        const connection = new LegacyConnection(this.#context, newId(), session, {
          attached: () => clientless.release(held),
          ended: () => this.#remove(connection),
        });
        connection.source = source;
        this.#connections.set(connection.id, connection);
        if (isOver(res)) connection.close('transport_closed');
        else this.#context.reply(res, 200, connection.id + this.#terms);
      },
      (error) => {
        clientless.release(held);
        if (source !== undefined) limits?.leave(source);
        this.#context.replyError(res, error);
      },
    );
  }

  #poll(res: HttpResponse, id: string): void {
    const connection = this.#connections.get(id);
    if (!connection) this.#unknown(res);
    else if (!connection.poll(res)) this.#badRequest(res, 400, 'The session has another transport.');
  }

  #post(res: HttpResponse, id: string): void {
    const connection = this.#connections.get(id);
    if (!connection || connection.isClosed) this.#unknown(res);
    else if (!connection.post(res)) this.#badRequest(res, 400, 'The session is not connected by polling.');
  }

  /** Answered alike for unknown ids: the client is gone either way. */
  #disconnect(res: HttpResponse, id: string): void {
    this.#connections.get(id)?.sayGoodbye();
    this.#context.reply(res, 200, disconnectPacket);
  }

  #unknown(res: HttpResponse): void {
    this.#context.counters.http.errors.value += 1;
    this.#context.reply(res, 404, unknownSessionPacket);
  }

  #badMethod(res: HttpResponse, method: string): void {
    this.#badRequest(res, 405, `Unsupported HTTP request method: ${method.toUpperCase()}`);
  }

  #badRequest(res: HttpResponse, status: number, description: string): void {
    this.#context.counters.http.errors.value += 1;
    this.#context.replyJson(res, status, new HiveError('bad_request', description));
  }

  #remove(connection: LegacyConnection): void {
    if (!this.#connections.delete(connection.id)) return;
    if (connection.source !== undefined) this.#context.limits?.leave(connection.source);
  }
}
