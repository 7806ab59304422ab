/**
 * The plugin interface: hooks (run by events), actions (requested by back ends), connectors (reach back ends)
 * and state managers (store session state). The built-in ones use this interface and nothing else.
 *
 * A plugin declares its `args` with a TypeBox schema, checks with `check` what the schema cannot express, and makes the thing
 * that runs with `create`. An expected failure is a thrown `HiveError`: the client gets it as a `hive_error` event and
 * stays connected. `StopClient` disconnects the client. Any other exception crashes the client (or worker) that ran the plugin.
 */
import type { TSchema } from 'typebox';
import type { Refusal } from '../config/catalogue.ts';
import type { Config, HookDescriptor, PoolDescriptor } from '../config/types.ts';
import type { Actor } from '../kernel/actor.ts';
import type { TimingWheel } from '../kernel/timers.ts';
import type { Call } from '../kernel/types.ts';
import { type ErrorCode, HiveError } from '../observe/errors.ts';
import type { Log } from '../observe/logger.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { RequestHeaders } from '../observe/request-headers.ts';
import type { ActionCall } from '../protocol/backend/action-call.ts';
import type { ClientEvent, EventPacket, ServerPacket } from '../protocol/packet.ts';

export type { ActionCall, HookDescriptor, PoolDescriptor, Refusal };

interface Declared<Schema extends TSchema> {
  /** A TypeBox schema, or any JSON Schema (draft 7). Its defaults are filled in. */
  readonly args: Schema;
  /** The code of a schema violation; default `bad_config`. */
  readonly argsCode?: ErrorCode;
}

export interface HookPlugin<Args = unknown, Schema extends TSchema = TSchema> extends Declared<Schema> {
  /**
   * False: neither its hooks nor what they run ever call `client.metadata`. If that holds for all hooks of `on_connect`, the
   * headers, query and auth payload of clients are not kept. Default true.
   */
  readonly usesMetadata?: boolean;
  /** Checks what the schema cannot express: refuses args that match it, when they are loaded. */
  check?(args: Args, config: Config): Refusal | undefined;
  /** Called once per descriptor, not per client: a hook must not keep data about a client. */
  create(args: Args, services: Services): Hook;
}

/** Runs for one event of one client; the event's next hook and the client's next packet wait until it is done. */
export type Hook = (client: Client, trigger: Trigger) => void | Promise<void>;

/** A hook as a node has it. */
export interface NamedHook {
  /** Name of the plugin that has made it. */
  readonly plugin: string;
  readonly run: Hook;
}

export interface ActionPlugin<Args = unknown, Schema extends TSchema = TSchema> extends Declared<Schema> {
  check?(args: Args, config: Config): Refusal | undefined;
  create(args: Args, services: Services): Action;
}

export interface Action {
  run(client: Client, event: ActionCall): void | Promise<void>;
  /**
   * Refuses a call that is wrong for every client. The HTTP API asks before any client gets the call, so that the back end
   * gets the error instead of the clients. @throws HiveError
   */
  check?(event: ActionCall): void;
  /**
   * Only for actions that only send: the packet, the same for every client; undefined for a call that does more. A publish of such actions
   * is encoded once and never visits the clients. Throws what `run` would throw.
   */
  packet?(event: ActionCall): ServerPacket | undefined;
}

export interface StateManagerPlugin<Args = unknown, Schema extends TSchema = TSchema> extends Declared<Schema> {
  check?(args: Args, config: Config): Refusal | undefined;
  create(args: Args, services: Services): StateManager;
}

/** Of a session that outlives its node (`clients.durable`): who goes on with it. */
export interface SessionClaim {
  /** How often it has been claimed by now. Whoever has claimed it later than others is its owner, and has a higher epoch. */
  readonly epoch: number;
}

/** Stores the state of sessions. */
export interface StateManager {
  /**
   * Makes the store of one client, with the initial pairs in it.
   * @param claim absent if the session ends with its node
   */
  open(sid: string, initial: State, claim?: SessionClaim): ClientState | Promise<ClientState>;
  /**
   * The store of a client of another node, which is gone or has lost it, with what is in it. That one must not change anything from then
   * on: its epoch is lower. Absent if only that node could know what is in it: then the state is part of the record of a durable session.
   */
  adopt?(sid: string, claim: SessionClaim): ClientState | Promise<ClientState>;
}

/** JSON values by key. */
export type State = Readonly<Record<string, unknown>>;

/** The store of one client. */
export interface ClientState {
  /** All pairs. The object may be kept and must not be changed. */
  get(): State | Promise<State>;
  /** Stores these pairs; other keys are kept. */
  set(pairs: State): void | Promise<void>;
  /** The client has ended: deletes its state. Called again if it fails, for a session that outlives its node. */
  cleanup(): void | Promise<void>;
  /** Another node goes on with the session: forgets it here, and deletes nothing of what is stored. */
  release?(): void;
}

export interface ConnectorPlugin<Args = unknown, Schema extends TSchema = TSchema, Request = unknown, Reply = unknown>
  extends Declared<Schema> {
  check?(args: Args, config: Config): Refusal | undefined;
  /** For `hive check --probe`: rejects if the back end cannot be reached. */
  probe(args: Args): Promise<void>;
  /** What the workers of one pool share (an HTTP client, a listening socket, …). */
  create(pool: PoolSetup<Args>): Connector<Request, Reply> | ConnectionSource<Request, Reply>;
}

export interface PoolSetup<Args = unknown> {
  readonly name: string;
  readonly args: Args;
  /** Workers at rest, and how many more there may be under load. */
  readonly size: number;
  readonly overflow: number;
  readonly services: Services;
}

/** The connector defines the types of its requests and replies; callers name them again in `Pools.get`. */
export interface Connector<Request = unknown, Reply = unknown> {
  /** Makes one worker; it runs under the pool's supervisor and handles one `request` at a time. */
  worker(): Actor<WorkerMessage<Request, Reply>>;
  /** Why the back end cannot be used now, as far as the connector knows; while it is set, the node is `degraded`. */
  readonly problem?: string | undefined;
  /** The pool has stopped. */
  close(): void | Promise<void>;
}

/**
 * For back ends that connect by themselves: each connection is a worker while it lasts. The pool uses the idle one that was
 * used last; at most `size` + `overflow` requests wait for one.
 */
export interface ConnectionSource<Request = unknown, Reply = unknown> {
  /** The error code of a request that gets no connection. */
  readonly code: ErrorCode;
  /** Why there is no connection, as far as it is known. */
  readonly problem: string | undefined;
  /** From now on, connections are admitted; may be called again after `close`. Rejects if no connection can ever come. */
  open(sink: ConnectionSink<Request, Reply>): void | Promise<void>;
  /** A request waits for a connection: none is idle. */
  wanted(): void;
  /** Admits no further connections; the pool ends the existing ones. */
  close(): void | Promise<void>;
}

export interface ConnectionSink<Request = unknown, Reply = unknown> {
  /** How many requests wait for a connection. */
  readonly waiting: number;
  /** Starts the worker of a new connection. False if it cannot be started now: close the connection. */
  admit(worker: Actor<WorkerMessage<Request, Reply>>): Promise<boolean>;
}

/** The messages of a worker. Each request must be answered with a reply or a failure; after `drain` there are no more. */
export type WorkerMessage<Request = unknown, Reply = unknown> =
  | ({
      readonly type: 'request';
      readonly request: Request;
      readonly signal?: AbortSignal;
      /** What subscribers of events want the back end to get, such as `traceparent`: to be sent where there is a place for it. */
      readonly headers?: RequestHeaders;
    } & Call<Reply>)
  | { readonly type: 'drain' };

/** What triggered a hook: the client's event, or one of `on_connect`, `on_disconnect`, `on_terminate`. */
export interface Trigger {
  /** The event's name. */
  readonly name: string;
  /** The packet, or the event that `action.dispatch` made; undefined for the special events. */
  readonly event: ClientEvent | undefined;
  /** `""`, `"5"` or `"5+"`: the id of the client's packet. */
  readonly id: string;
  /** JSON text of what back ends see as `trigger`: the event, `null`, or the reason of a termination or disconnect. */
  readonly json: string;
  /** Only of `on_disconnect`. */
  readonly departure?: DepartureAttempt;
}

/**
 * One of several attempts to tell a back end that a client has gone. A hook that throws `http_error`, `tcp_error`, `connector_error`
 * or `bad_connector_id` is run again later, unless this is the last attempt.
 */
export interface DepartureAttempt {
  readonly isLast: boolean;
  /** For a hook that does not throw its failures, at the last attempt: logs and counts the departure as given up. */
  lost(error: HiveError): void;
}

export type Privilege = 'public' | 'private';

/** The client, as plugins see it. After the client has ended every call is a no-op or rejects. */
export interface Client {
  readonly sid: string;
  /** Aborted when the client ends while a hook waits: pass it to whatever can be cancelled. */
  readonly signal: AbortSignal;
  readonly state: ClientState;
  readonly log: Log;
  send(packet: ServerPacket): void;
  /** Sends the error as a `hive_error` event (hidden behind `internal_error` in production mode) and counts it. */
  report(error: HiveError): void;
  /** The JSON text that is sent to back ends: sid, trigger, trigger_id, state, node, … */
  metadata(trigger: Trigger): string | Promise<string>;
  /**
   * Names what the client's hooks run for now, the same for each of them: `<sid>/<epoch>.<event>`, the last two as in the metadata, or
   * `<sid>/end` for `on_disconnect`. Back ends get it as the header `Idempotency-Key`.
   */
  readonly idempotencyKey: string;
  /** Runs actions first to last; stops at the first failure. What was sent before stays sent. */
  runActions(events: readonly ActionCall[]): void | Promise<void>;
  /**
   * Sends an event that the client is to acknowledge, past everything that waits for its hooks. Resolves to the arguments of that.
   * @throws HiveError (rejection) `timeout` after so many ms, `client_suspended` without a connection, `bad_session_id` if it has gone,
   *   `overloaded` if too many questions are open
   */
  ask(event: EventPacket, timeoutMs: number): Promise<readonly unknown[]>;
  /** Has the hooks of an event run, as if the client had sent it just now. */
  receive(event: ClientEvent): void;
  /** Runs the hooks of an event as if the client had sent it. */
  dispatch(event: ClientEvent, triggerId: string): void | Promise<void>;
  /**
   * Subscribes to channels; resolves when a publish made afterwards on any connected node reaches this client.
   * @param replay so many of the last publications of each channel with a history come first
   */
  subscribe(channels: readonly string[], privilege: Privilege, replay?: number): Promise<void>;
  /** Unsubscribes from every channel at or below these ids. */
  unsubscribe(prefixes: readonly string[], privilege: Privilege): Promise<void>;
  /** Appends hooks, for this client only; all or none. */
  addHooks(hooks: Readonly<Record<string, readonly HookDescriptor[]>>): void;
  removeHooks(events: readonly string[]): void;
}

/** Thrown by hooks and actions: the client gets the error as an event and is disconnected. */
export class StopClient extends Error {
  readonly error: HiveError;
  constructor(error: HiveError) {
    if (!(error instanceof HiveError)) throw new TypeError('StopClient: its argument must be a HiveError');
    super(error.message, { cause: error });
    this.name = 'StopClient';
    this.error = error;
  }
}

/** What is published: an event, which is sent to the clients as it is, or actions, which each subscribed client runs. */
export type Publication =
  | { readonly type: 'event'; readonly packet: ServerPacket }
  | { readonly type: 'actions'; readonly actions: readonly ActionCall[] };

/** What qualifies one publication. Absent for most. */
export interface PublishOptions {
  /** Its place in the history of the one channel that it is for; nothing below that channel gets it. */
  readonly position?: Position;
}

/** Numbers of one epoch follow one another from 1; a later epoch is the greater text. */
export type Position = readonly [epoch: string, offset: number];

/** Who is in a channel. */
export interface PresenceRow {
  readonly sid: string;
  /** The id of the user; null if there is none. */
  readonly user: string | null;
  /** What the template shows of the state. */
  readonly info: Readonly<Record<string, unknown>>;
}

/** A part of those who are in a channel, in the order of session ids. */
export interface PresenceList {
  readonly channel: string;
  readonly members: readonly PresenceRow[];
  /** With which the next part is asked for; null: this is the last one. */
  readonly cursor: string | null;
  /** Of all members. */
  readonly sessions: number;
  readonly users: number;
  /** Names the moment, as `presence` events do. */
  readonly version: string;
}

export interface PubSub {
  /**
   * Publishes, on all nodes, to every channel at or below these ids. Throws `bad_channel_id` or `access_denied`
   * before anything is sent.
   */
  publish(prefixes: readonly string[], privilege: Privilege, publication: Publication): void;
  /**
   * Who is in a channel, on all nodes: so many of those whose session ids come behind one.
   * @throws HiveError `bad_channel_id` also for one whose template has no `presence`, `access_denied`
   */
  presence(
    channel: string,
    privilege: Privilege,
    page: { readonly after: string; readonly limit: number },
  ): PresenceList;
  /**
   * A part of a channel's history.
   * @throws HiveError (rejection) `bad_channel_id` also for a channel without one, `access_denied`; what its store fails with
   */
  history(channel: string, privilege: Privilege, query: HistoryPageQuery): Promise<HistoryPage>;
}

export interface HistoryPageQuery {
  /** Only what comes behind that offset, which is of that epoch. Absent: the last ones. */
  readonly since?: number | undefined;
  readonly epoch?: string | undefined;
  readonly limit: number;
  /** The last ones of them, the newest first. */
  readonly reverse?: boolean | undefined;
}

export interface HistoryPage {
  readonly channel: string;
  readonly epoch: string;
  /** The last offset that was given. */
  readonly offset: number;
  readonly entries: readonly HistoryRow[];
  /** Whether everything behind `since` is kept still; without it, everything of the epoch. */
  readonly complete: boolean;
}

/** An event, a nameless message, or actions. */
export interface HistoryRow {
  readonly offset: number;
  /** ms since 1970. */
  readonly at: number;
  readonly name?: string;
  readonly args?: unknown;
  readonly message?: unknown;
  readonly actions?: readonly ActionCall[];
}

/** A running pool of connector workers. */
export interface Pool<Request = unknown, Reply = unknown> {
  readonly name: string;
  /** The connector plugin's name. */
  readonly connector: string;
  /**
   * Has a worker answer a request; waits up to `connectors.rent_timeout` for a free one. Rejects with `connector_error` if
   * none becomes free, otherwise with the connector's own error.
   */
  request(request: Request, signal?: AbortSignal): Promise<Reply>;
}

export interface Pools {
  /** Throws `bad_connector_id` for a name that no running pool has. */
  get<Request = unknown, Reply = unknown>(name: string): Pool<Request, Reply>;
  /** Starts a pool at run time. */
  start(name: string, descriptor: PoolDescriptor): Promise<void>;
  /** Stops a pool: it refuses new requests, finishes the waiting and running ones, and closes. */
  stop(name: string): Promise<void>;
  /** The descriptors of the running pools, by name. */
  running(): Readonly<Record<string, PoolDescriptor>>;
}

export type PluginMetrics = Pick<Metrics, 'counter' | 'counters' | 'gauge' | 'histogram'>;

/** What a node offers its plugins. */
export interface Services {
  /** The whole configuration, checked and with all defaults. */
  readonly config: Config;
  readonly log: Log;
  /** Metrics under any unused path; they are shown wherever the node's own are. */
  readonly metrics: PluginMetrics;
  /** The node's timers: cheaper than `setTimeout` if there are many. */
  readonly timers: TimingWheel;
  readonly pools: Pools;
  readonly pubsub: PubSub;
}
