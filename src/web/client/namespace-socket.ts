/**
 * One client on one connection: the place where the client actor's packets, its channels and its life meet the transport.
 *
 *     opening ──► attaching ──► connected ──► ended
 *                    │ packets and publishes are held    ▲
 *                    └───────────────────────────────────┘  refused, client or transport gone, ended by the actor
 *
 * Nothing overtakes: until the connect packet is written everything waits in one queue; on a polling connection publishes
 * take the way of single packets; on a WebSocket the library keeps both kinds in order.
 */
import { HiveError } from '../../observe/errors.ts';
import type { Codec } from '../../protocol/codec.ts';
import type { ClientPacket, Encoded, ServerPacket } from '../../protocol/packet.ts';
import { withTail } from '../../protocol/recovery.ts';
import { sidIn } from '../../sessions/pids.ts';
import {
  type Claim,
  type ClientHandle,
  type CloseReason,
  type ConnectedSession,
  closeReasons,
  type OpenRequest,
  type Recovered,
  type RecoveryHost,
  type SessionHost,
  type Sink,
  type TransportKind,
} from './client-handle.ts';
import { type ClientSocket, nativeSocket } from './client-socket.ts';
import type { RemoteSessions, ReturnOutcome, ReturnPlace } from './returns.ts';
import type { ChannelMember, Topics } from './topics.ts';

/** Nodes that are asked for one session, one after the other: each may be lost in its turn. */
const maxAsked = 5;

/** The connection, as its clients see it. */
export interface ClientConnection {
  /** Its WebSocket; undefined while it polls. */
  readonly socket: ClientSocket | undefined;
  readonly bufferedBytes: number;
  readonly maxBufferedBytes: number;
  write(packet: Encoded): void;
  /** The client was refused: the refusal has been written. */
  refused(client: NamespaceSocket): void;
  /** The client actor has ended the client; the disconnect packet, if any, has been written. */
  left(client: NamespaceSocket, reason: CloseReason): void;
  /** More bytes wait for the client than may. */
  overflow(): void;
  /** A programming error happened while the client was opened. */
  crashed(error: unknown): void;
}

export class NamespaceSocket implements Sink, ChannelMember, ReturnPlace {
  readonly encoder: Codec;
  readonly namespace: string;
  readonly #connection: ClientConnection;
  readonly #topics: Topics;
  /** Not attached to before it has accepted the client, if it is this node's. */
  #session: ClientHandle | ConnectedSession | undefined;
  /** Of a client that may return. */
  #recovery: RecoveryHost | undefined;
  #ended: CloseReason | undefined;
  /** What is to be written behind the connect packet; undefined once that is written. */
  #held: Encoded[] | undefined = [];
  #heldBytes = 0;
  /** Channels without a native subscription. */
  #channels: Set<string> | undefined;

  constructor(connection: ClientConnection, codec: Codec, namespace: string, topics: Topics) {
    this.#connection = connection;
    this.encoder = codec;
    this.namespace = namespace;
    this.#topics = topics;
  }

  get connected(): boolean {
    return this.#held === undefined && this.#ended === undefined;
  }

  /** Opens the client and attaches it. Never rejects: the client learns what went wrong. */
  async open(host: SessionHost, request: OpenRequest): Promise<void> {
    if (request.isRecoverable) this.#recovery = host.recovery;
    try {
      this.adopt(await host.open(request));
    } catch (error) {
      // Admission that ended after its handshake: a refusal would keep it away, but it is to come back, elsewhere if it can.
      if (host.refusal()) this.end('shutdown');
      else this.#refuse(error);
      return;
    }
    await this.attach(this.#transport);
  }

  /** Gives a client that returns its session back, or opens a new one. Never rejects. */
  async reopen(
    host: SessionHost,
    request: OpenRequest,
    claim: Claim,
    others: RemoteSessions | undefined,
  ): Promise<void> {
    this.#recovery = host.recovery;
    const outcome = await this.#askOthers(claim, others);
    if (outcome === 'recovered' || this.#ended !== undefined) return;
    const recovered = outcome === 'refused' ? undefined : this.#recovery?.take(claim, this.namespace);
    if (recovered) this.#recover(recovered, claim.pid);
    else await this.open(host, request);
  }

  /** Asks the node of the session for it, unless that may be this one. One that is lost meanwhile may have a successor. */
  async #askOthers(claim: Claim, others: RemoteSessions | undefined): Promise<ReturnOutcome> {
    const recovery = this.#recovery;
    const { namespace } = this;
    const sid = sidIn(claim.pid);
    let home = await recovery?.homeOf(claim, namespace);
    for (let asked = 0; asked < maxAsked; asked += 1) {
      await recovery?.settled(sid);
      if (this.#ended !== undefined) return 'closed';
      const remote = others?.take(claim, namespace, this.#transport, this, home);
      if (!remote || this.#ended !== undefined) return 'unreachable';
      this.#session = remote;
      const outcome = await remote.outcome;
      if (outcome === 'recovered' || this.#ended !== undefined) return outcome;
      this.#session = undefined;
      if (outcome === 'left') home = await recovery?.nextHomeOf(claim, namespace, home);
      else home = await recovery?.otherHomeOf(claim, namespace, home, outcome === 'refused');
      if (home === undefined) return outcome;
    }
    // It is there, and about to end, or stands still: the client comes back until it has ended, or to wherever it can.
    if (recovery?.mayMove(sid)) this.end('handed_over');
    return 'unreachable';
  }

  /** Takes a session that was opened before. */
  adopt(session: ClientHandle): void {
    if (this.#ended === undefined) this.#session = session;
    else session.close(this.#ended);
  }

  /** Never rejects: the client learns what went wrong. */
  async attach(transport: TransportKind): Promise<void> {
    const session = this.#session;
    if (this.#ended !== undefined || !session || !('attach' in session)) return;
    try {
      await session.attach(this, transport);
    } catch (error) {
      this.#refuse(error);
      return;
    }
    this.#accept(session.sid);
  }

  /** @throws HiveError `bad_packet` before the connect packet was sent: what is not accepted has nothing to say */
  receive(packet: ClientPacket): void {
    this.#listening().receive(packet);
  }

  /** Like `receive`, for a packet with unusable contents. */
  reject(error: HiveError): void {
    this.#listening().reject(error);
  }

  /** The connection has moved from polling to a WebSocket. */
  upgraded(): void {
    if (this.connected) this.#subscribe();
    if (this.#ended === undefined) this.#session?.transport('websocket');
  }

  /** The client or its transport is gone. */
  close(reason: CloseReason): void {
    if (this.#ended !== undefined) return;
    const isAnswered = this.connected;
    this.#finish(reason);
    this.#session?.close(reason, isAnswered);
  }

  // Sink

  send(packet: ServerPacket, tail = ''): void {
    if (this.#ended !== undefined) return;
    const encoded = packet.encodedBy(this.encoder);
    this.deliver(this.encoder.isRecoverable ? withTail(encoded, tail) : encoded);
  }

  join(channel: string): void {
    if (this.#ended !== undefined) return;
    const socket = nativeSocket(this.#connection.socket);
    if (socket && this.connected) {
      this.#topics.subscribe(socket, channel, this.encoder);
    } else {
      this.#channels ??= new Set();
      this.#channels.add(channel);
      this.#topics.add(channel, this);
    }
  }

  leave(channel: string): void {
    if (this.#ended !== undefined) return;
    const socket = nativeSocket(this.#connection.socket);
    if (this.#channels?.delete(channel)) this.#topics.remove(channel, this);
    else if (socket) this.#topics.unsubscribe(socket, channel, this.encoder);
  }

  end(reason: CloseReason): void {
    if (this.#ended !== undefined) return;
    const isTold = this.connected && closeReasons[reason].final;
    this.#ended = reason;
    if (isTold) this.#connection.write(this.encoder.disconnect());
    this.#finish(reason);
    this.#connection.left(this, reason);
  }

  get bufferedBytes(): number {
    return this.#ended === undefined ? this.#connection.bufferedBytes + this.#heldBytes : 0;
  }

  // ReturnPlace

  recovered(sid: string, pid: string): void {
    this.#accept(sid, pid);
  }

  // ChannelMember

  deliver(packet: Encoded): void {
    if (!this.#held) {
      this.#connection.write(packet);
      return;
    }
    this.#held.push(packet);
    this.#heldBytes += packet.length;
    if (this.#heldBytes > this.#connection.maxBufferedBytes) this.#connection.overflow();
  }

  #accept(sid: string, pid = this.#recovery?.pidOf(sid, this.namespace)): void {
    if (this.#ended !== undefined) return;
    const held = this.#held ?? [];
    this.#held = undefined;
    this.#heldBytes = 0;
    this.#connection.write(this.encoder.connect(sid, pid));
    for (const packet of held) this.#connection.write(packet);
    // A write may have ended the connection.
    if (this.#ended === undefined) this.#subscribe();
  }

  /** The missed events go directly behind the answer: a cut between them leaves the client with a position that is true. */
  #recover({ client, missed }: Recovered, pid: string): void {
    this.#session = client;
    this.#held = undefined;
    this.#connection.write(this.encoder.connect(client.sid, pid));
    for (const { packet, tail } of missed) this.#connection.write(withTail(packet.encodedBy(this.encoder), tail));
    // A write may have ended the connection.
    if (this.#ended === undefined) client.resume(this, this.#transport);
  }

  #refuse(thrown: unknown): void {
    if (!(thrown instanceof HiveError)) this.#connection.crashed(thrown);
    if (this.#ended !== undefined) return;
    const error = thrown instanceof HiveError ? thrown : new HiveError('internal_error');
    this.#finish('refused');
    this.#connection.write(this.encoder.refusal(error));
    this.#connection.refused(this);
  }

  #listening(): ConnectedSession {
    if (!this.#session || !this.connected) throw new HiveError('bad_packet', 'The client is not connected.');
    return this.#session;
  }

  get #transport(): TransportKind {
    return this.#connection.socket ? 'websocket' : 'polling';
  }

  /** Exchanges memberships for native subscriptions, where there is a socket of the library's. */
  #subscribe(): void {
    const socket = nativeSocket(this.#connection.socket);
    if (!socket || !this.#channels) return;
    for (const channel of this.#channels) {
      this.#topics.remove(channel, this);
      this.#topics.subscribe(socket, channel, this.encoder);
    }
    this.#channels = undefined;
  }

  #finish(reason: CloseReason): void {
    this.#ended = reason;
    this.#held = undefined;
    this.#heldBytes = 0;
    if (this.#channels) for (const channel of this.#channels) this.#topics.remove(channel, this);
    this.#channels = undefined;
    const socket = nativeSocket(this.#connection.socket);
    if (socket) this.#topics.unsubscribeAll(socket, this.encoder);
  }
}
