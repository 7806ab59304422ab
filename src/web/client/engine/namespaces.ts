/**
 * The Socket.IO part of an Engine.IO connection: its clients, one per connected namespace, and the packet that waits for its
 * attachments. A connection without any client ends after `connect_timeout`.
 */
import { type SmallSet, valuesOf, withoutValue, withValue } from '../../../kernel/small-set.ts';
import type { Timer } from '../../../kernel/timers.ts';
import { HiveError } from '../../../observe/errors.ts';
import type { ClientPacket } from '../../../protocol/packet.ts';
import { decodeSocketPacket, type IncompletePacket } from '../../../protocol/socketio-v5.ts';
import { isPid } from '../../../sessions/pids.ts';
import type { Claim, CloseReason, Handshake } from '../client-handle.ts';
import { weightOf } from '../clientless.ts';
import { NamespaceSocket } from '../namespace-socket.ts';
import { nothing, ownTexts, parseQuery } from '../requests.ts';
import type { EngineHost } from './host.ts';
import type { Carrier, MessageLayer } from './message-layer.ts';

interface Incomplete {
  readonly namespace: string;
  readonly packet: IncompletePacket;
  /** Of its text. */
  readonly bytes: number;
}

export class EngineNamespaces implements MessageLayer {
  readonly #host: EngineHost;
  readonly #connection: Carrier;
  #handshake: Handshake;
  #clients: SmallSet<NamespaceSocket>;
  /** Runs while no client is connected. */
  #connectTimer: Timer | undefined;
  #incomplete: Incomplete | undefined;
  /** What it takes of the room for connections without a client; 0 while it has one. */
  #clientlessBytes = 0;

  constructor(host: EngineHost, connection: Carrier, handshake: Handshake) {
    this.#host = host;
    this.#connection = connection;
    this.#handshake = handshake;
  }

  /** Connects the default namespace, where the protocol wants that, or waits for the client to ask. */
  start(): void {
    const { dialect, isRecoverable } = this.#connection;
    if (dialect.connectsDefault && this.#host.codec(dialect, '/', isRecoverable)) this.#connect('/', undefined, 0);
    else this.#awaitConnect();
  }

  get isEmpty(): boolean {
    return this.#clients === undefined;
  }

  /** Takes an Engine.IO packet of type message. @throws HiveError `bad_packet` */
  receiveText(text: string): void {
    if (this.#incomplete) throw new HiveError('bad_packet', 'An attachment is missing.');
    const packet = decodeSocketPacket(text, 1);
    if (packet.type === 'packet') {
      this.#deliver(packet.namespace, packet.packet);
    } else if (packet.type === 'incomplete') {
      if (!this.#find(packet.namespace)) throw new HiveError('bad_packet', 'The namespace is not connected.');
      this.#incomplete = { namespace: packet.namespace, packet: packet.rest, bytes: text.length };
    } else if (packet.type === 'connect') {
      this.#connect(packet.namespace, packet.auth, text.length);
    } else {
      this.#disconnect(packet.namespace);
    }
  }

  /** Takes a binary message. Returns what is wrong with it. @throws HiveError `bad_packet` */
  receiveBinary(data: Buffer): CloseReason | undefined {
    const incomplete = this.#incomplete;
    if (!incomplete) return 'unsupported_data';
    const bytes = incomplete.bytes + incomplete.packet.bytes + data.length;
    if (bytes > this.#host.context.config.socketio.max_payload) return 'payload_too_large';
    const packet = incomplete.packet.add(data);
    if (!packet) return undefined;
    this.#incomplete = undefined;
    this.#deliver(incomplete.namespace, packet);
    return undefined;
  }

  /** A client has ended, or was refused. */
  remove(client: NamespaceSocket): void {
    this.#clients = withoutValue(this.#clients, client);
    this.#awaitConnect();
  }

  /** The connection has moved to a WebSocket. */
  upgraded(): void {
    for (const client of valuesOf(this.#clients)) client.upgraded();
  }

  [Symbol.dispose](): void {
    this.#leaveClientless();
  }

  /** It has a client, or is forgotten: it takes no room for connections without one any more. */
  #leaveClientless(): void {
    if (this.#clientlessBytes === 0) return;
    this.#host.context.clientless.leave(this.#clientlessBytes);
    this.#clientlessBytes = 0;
  }

  /** Ends all clients; the connection is closed. */
  close(reason: CloseReason): void {
    this.#connectTimer?.cancel();
    // It may stay for a while, until somebody has come for its last words.
    this.#forgetHandshake();
    const clients = valuesOf(this.#clients);
    this.#clients = undefined;
    // A library that closes its connection without leaving a namespace first means to come back.
    const isKept = this.#connection.isRecoverable && reason === 'client_disconnect';
    for (const client of clients) client.close(isKept ? 'transport_closed' : reason);
  }

  #deliver(namespace: string, packet: ClientPacket): void {
    const client = this.#find(namespace);
    if (!client) throw new HiveError('bad_packet', 'The namespace is not connected.');
    client.receive(packet);
  }

  /**
   * @param name v3: may carry a query, `/chat?token=1`, in place of the auth payload
   * @param bytes of the packet
   */
  #connect(name: string, auth: unknown, bytes: number): void {
    const { host, topics, clientless, others } = this.#host.context;
    const { dialect, isRecoverable } = this.#connection;
    const [namespace = '', query] = dialect.connectsDefault ? name.split('?', 2) : [name];
    if (this.#find(namespace)) {
      if (dialect.connectsDefault && namespace === '/') return; // some clients ask nevertheless
      throw new HiveError('bad_packet', 'The namespace is connected already.');
    }
    const codec = this.#host.codec(dialect, namespace, isRecoverable);
    if (!codec) {
      this.#connection.write(dialect.invalidNamespace(namespace));
      return;
    }
    this.#leaveClientless();
    const isWanted = host.wantsHandshakes;
    const held = isWanted ? weightOf(this.#handshake) + bytes : 0;
    // A refusal would keep the client away, but it is to come back.
    if (!clientless.hold(held)) return this.#connection.close('overloaded');
    const client = new NamespaceSocket(this.#connection, codec, namespace, topics);
    this.#clients = withValue(this.#clients, client);
    this.#connectTimer?.cancel();
    this.#connectTimer = undefined;
    const handshake = { ...this.#handshake };
    const { own, claim } = claimIn(auth);
    if (isWanted) handshake.auth = own;
    if (isWanted && query) handshake.query = { ...handshake.query, ...ownTexts(parseQuery(query)) };
    // Headers weigh more than the rest of an idle connection. With one namespace they have been told to whom they concern.
    if (!this.#host.hasNamespaces) this.#forgetHandshake();
    const request = { namespace, handshake, protocol: dialect.protocol, isRecoverable };
    const isReturn = claim !== undefined && isRecoverable;
    const opening = isReturn ? client.reopen(host, request, claim, others) : client.open(host, request);
    if (held > 0) void opening.then(() => clientless.release(held));
  }

  #forgetHandshake(): void {
    this.#handshake = { ...this.#handshake, query: nothing, headers: nothing };
  }

  #disconnect(namespace: string): void {
    const client = this.#find(namespace);
    if (!client) return;
    this.remove(client);
    client.close('client_disconnect');
  }

  #find(namespace: string): NamespaceSocket | undefined {
    for (const client of valuesOf(this.#clients)) if (client.namespace === namespace) return client;
    return undefined;
  }

  #awaitConnect(): void {
    if (this.#connection.isClosed || !this.isEmpty) return;
    const { context } = this.#host;
    const { clientless } = context;
    if (this.#clientlessBytes === 0) this.#clientlessBytes = clientless.enter(this.#handshake);
    const patienceMs = clientless.isOver ? 0 : context.config.socketio.connect_timeout;
    this.#connectTimer?.cancel();
    this.#connectTimer = context.wheel.schedule(patienceMs, () => this.#connection.close('connect_timeout'));
  }
}

/** An auth payload taken apart: what the application says, and what its library adds for a client that returns. */
function claimIn(auth: unknown): { readonly own: unknown; readonly claim?: Claim } {
  if (typeof auth !== 'object' || auth === null || !('pid' in auth) || !isPid(auth.pid)) return { own: auth };
  const { pid, offset, ...own } = auth as Claim;
  return { own: Object.keys(own).length > 0 ? own : undefined, claim: { pid, offset } };
}
