/**
 * The seam between connections (here) and client actors (above). The web layer owns transports and knows no actors; the
 * layer above hands in a `SessionHost`, gets a `Sink` for each client, and never sees a socket.
 *
 *     handshake ──► host.open() ──► Session ──► session.attach(sink) ──► on_connect hooks ──► connect packet
 *     client's packet ──► session.receive()          action ──► sink.send() ──► client
 *     socket gone ──► session.close(reason)          action.stop ──► sink.end(reason) ──► socket closed
 */
import type { NodeName } from '../../kernel/types.ts';
import type { HiveError } from '../../observe/errors.ts';
import type { ClientPacket, ServerPacket } from '../../protocol/packet.ts';
import type { MissedEvent } from '../../sessions/missed-event.ts';

/** The client protocols: today's Engine.IO (v4), that of Socket.IO 1 and 2 (v3), and that of Socket.IO 0.9. */
export type ClientProtocol = 'eio4' | 'eio3' | '0.9';
export type TransportKind = 'websocket' | 'polling';

/** What opens clients. */
export interface SessionHost {
  /**
   * Whether a hook of `on_connect` may want to know auth payload, headers and query of a client. Otherwise the handshakes that
   * `open` is given have none.
   */
  readonly wantsHandshakes: boolean;
  /**
   * Why no new client is accepted now (router disabled, no free slot), or undefined. Cheap: asked at each handshake.
   * @param mayReturn whether it may be a client that returns to a session, which has a slot
   */
  refusal(mayReturn?: boolean): HiveError | undefined;
  /** Gives clients back the sessions whose connections they have lost; undefined if that is switched off. */
  readonly recovery: RecoveryHost | undefined;
  /**
   * Starts a client: takes a slot and initialises its state. A 0.9 client is opened at its handshake and attached when its
   * transport arrives; today's clients are attached at once.
   * @throws HiveError (rejection)
   */
  open(request: OpenRequest): Promise<ClientHandle>;
}

export interface OpenRequest {
  readonly namespace: string;
  readonly handshake: Handshake;
  readonly protocol: ClientProtocol;
  /** Whether the session may outlive its connection. */
  readonly isRecoverable: boolean;
}

export interface RecoveryHost {
  /** With what the client of a session may return. */
  pidOf(sid: string, namespace: string): string;
  /**
   * Takes a session from its former connection, which is closed if it is still there, for a client that returns. Everything that it
   * has missed comes with it; undefined, and the session ends if it has not ended yet, if not all of that is there. What is
   * taken must be resumed in the same turn of the event loop, or closed.
   */
  take(claim: Claim, namespace: string): Recovered | undefined;
  /**
   * The node that goes on with a session that a boot has made which is gone, once there is one; undefined for sessions of boots that are
   * there, for false claims, and where sessions end with their node. Never rejects.
   */
  homeOf(claim: Claim, namespace: string): Promise<NodeName | undefined> | undefined;
  /**
   * The node to ask after one that did not give the session back, or did not answer: it may have lost it to another one. Undefined if
   * there is none. Never rejects.
   * @param asked undefined: the node of the boot that has made the session
   */
  otherHomeOf(
    claim: Claim,
    namespace: string,
    asked: NodeName | undefined,
    hasAnswered: boolean,
  ): Promise<NodeName | undefined>;
  /**
   * The same for a session that its node has handed over, or is about to.
   * @param former that node, if it is not the one whose boot made the session
   */
  nextHomeOf(claim: Claim, namespace: string, former?: NodeName): Promise<NodeName | undefined>;
  /** Whether the node is there that made that session, and the session may go on at another one when it has ended. */
  mayMove(sid: string): boolean;
  /** Whether a session is to go on elsewhere: `now`, or `soon`, when `settled` has resolved; undefined for any other. */
  leaves(sid: string): 'now' | 'soon' | undefined;
  /** Resolves when a session that is being taken over from a node that is gone can be taken; undefined for any other. */
  settled(sid: string): Promise<void> | undefined;
}

/** What a returning client says; anything. */
export interface Claim {
  readonly pid: string;
  /** The position of the last event that it has received; absent if it has received none. */
  readonly offset: unknown;
}

export interface Recovered {
  readonly client: ClientHandle;
  /** In order. */
  readonly missed: readonly MissedEvent[];
}

/** What is known about a client from its handshake; `on_connect` hooks give it to back ends. */
export interface Handshake {
  /** The payload of the connect packet; undefined where the protocol has none. */
  readonly auth: unknown;
  readonly query: Record<string, string>;
  readonly headers: Record<string, string>;
  readonly address: string;
  readonly transport: string;
  readonly protocol: ClientProtocol;
}

/** The session of a client that is on a connection, for that. */
export interface ConnectedSession {
  readonly sid: string;
  receive(packet: ClientPacket): void;
  /** The client sent something unusable that harms nothing: tells it with a `hive_error` event; the connection lives on. */
  reject(error: HiveError): void;
  /**
   * The transport is gone or the client disconnected: ends the client (`on_disconnect` runs), or suspends it if it may return.
   * Idempotent.
   * @param isAnswered whether the client was sent its connect packet: without it it cannot return
   */
  close(reason: CloseReason, isAnswered?: boolean): void;
  /** The connection changed its transport (upgrade). */
  transport(kind: TransportKind): void;
}

/** The handle on one client, for its connection. */
export interface ClientHandle extends ConnectedSession {
  /**
   * Attaches the sink and runs `on_connect`. Resolves when the client is accepted; what hooks send meanwhile may be given to
   * the sink at once: it is delivered behind the connect packet.
   * @throws HiveError (rejection) that refuses the connection; the session has ended then. The client is shown the error as
   * it is: what must stay secret in production is left out by the thrower. The same holds for `SessionHost.open`.
   */
  attach(sink: Sink, transport: TransportKind): Promise<void>;
  /** In place of `attach` for a session that was taken: the client has been sent what it had missed. */
  resume(sink: Sink, transport: TransportKind): void;
}

/** What a client may do to its connection. After `end`, or when the connection is gone, every call is a no-op. */
export interface Sink {
  /**
   * In the order of the calls; before the connect packet was sent: kept and sent behind it.
   * @param tail of a recoverable client: what ends the text (protocol/recovery.ts)
   */
  send(packet: ServerPacket, tail?: string): void;
  /** From now on the client receives what is published to the channel, in order with what is sent. */
  join(channel: string): void;
  leave(channel: string): void;
  /** Ends this client's place on the connection after everything sent before; `Session.close` is not called back. */
  end(reason: CloseReason): void;
  /** Bytes accepted for the client but not yet taken by its socket or polls. */
  readonly bufferedBytes: number;
}

/**
 * Why a client's connection ends. `code` closes its WebSocket (RFC 6455 §7.4.1). `final`: the client is told with a
 * disconnect packet, after which client libraries stay away until their application connects again; otherwise they
 * reconnect by themselves.
 */
export const closeReasons = {
  /** The client disconnected. */
  client_disconnect: { code: 1000, final: false },
  /** The client's socket or poll went away. */
  transport_closed: { code: 1000, final: false },
  transport_error: { code: 1008, final: false },
  /** No answer to a ping, or no poll for too long. */
  ping_timeout: { code: 1001, final: false },
  /** No connect packet in time. */
  connect_timeout: { code: 1008, final: false },
  /** No packet from the client for `socketio.session_timeout`. */
  session_timeout: { code: 1000, final: true },
  bad_packet: { code: 1007, final: false },
  unsupported_data: { code: 1003, final: false },
  payload_too_large: { code: 1009, final: false },
  /** The client reads too slowly: `socketio.max_backpressure` bytes wait for it. */
  too_slow: { code: 1008, final: false },
  /** More than ten seconds of `socketio.max_packets_per_second` came from the client in less than that. */
  too_many_packets: { code: 1008, final: false },
  /** More than `hive.max_client_errors` events of the client have failed. */
  too_many_errors: { code: 1008, final: true },
  /** More waits for the node that owns the session than may, or for hooks of `on_connect`. */
  overloaded: { code: 1013, final: false },
  /** A hook refused the client, or an action stopped it. */
  stopped: { code: 1000, final: true },
  refused: { code: 1000, final: true },
  /** The client has returned to its session over another connection. */
  replaced: { code: 1000, final: false },
  /** Something that it should have received is lost: it is to come back, as a new client, and load everything anew. */
  missed_events: { code: 1013, final: false },
  /** Another node has claimed its session, because the node has not renewed its lease; or the node is gone. */
  node_lost: { code: 1013, final: false },
  /** The node stops or is drained, and the session goes on at another one: reconnect to it. Code: Service Restart. */
  handed_over: { code: 1012, final: false },
  /** The node stops: reconnect, elsewhere. */
  shutdown: { code: 1001, final: false },
  internal_error: { code: 1011, final: false },
} as const satisfies Record<string, { code: number; final: boolean }>;

export type CloseReason = keyof typeof closeReasons;

/**
 * Ends of a connection that a session may outlive: nobody wanted it to end. The last two are the end of another client on the
 * same connection.
 */
export const recoverableReasons: ReadonlySet<CloseReason> = new Set([
  'transport_closed',
  'transport_error',
  'ping_timeout',
  'too_slow',
  'replaced',
  'handed_over',
  'missed_events',
  'internal_error',
]);
