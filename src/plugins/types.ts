/**
 * The plugin interface: hooks (what events do), actions (what back ends may order), connectors (how back ends are reached)
 * and state managers (where session state lives). The built-in ones use this interface and nothing else.
 *
 * A plugin says with a TypeBox schema which `args` it takes, with `check` what the schema cannot say, and with `create` how
 * it becomes something that runs. An expected failure is a thrown `HiveError`: the client gets it as `hive_error` event and
 * lives on. `StopClient` ends the client. Any other exception is a crash of the client (or worker) that ran the plugin.
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
import type { ClientEvent, ServerPacket } from '../protocol/packet.ts';

export type { ActionCall, HookDescriptor, PoolDescriptor, Refusal };

interface Declared<Schema extends TSchema> {
  /** A TypeBox schema, or any JSON Schema (draft 7). Its defaults are filled in. */
  readonly args: Schema;
  /** The code of a schema violation; default `bad_config`. */
  readonly argsCode?: ErrorCode;
}

export interface HookPlugin<Args = unknown, Schema extends TSchema = TSchema> extends Declared<Schema> {
  /**
   * False: its hooks never ask for `client.metadata`, nor does what they run. Where all hooks of `on_connect` are like that, headers,
   * query and auth payload of clients are not kept. Default true.
   */
  readonly usesMetadata?: boolean;
  /** What the schema cannot say: refuses args that fit it, when they are loaded. */
  check?(args: Args, config: Config): Refusal | undefined;
  /** Called once per descriptor, not per client: a hook keeps nothing of a client. */
  create(args: Args, services: Services): Hook;
}

/** Runs for one event of one client; the next hook, and the client's next packet, wait until it is done. */
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
   * What is wrong with an order for any client. The HTTP API asks before clients get it, so that the back end is told and not
   * they. @throws HiveError
   */
  check?(event: ActionCall): void;
  /**
   * Only for actions that do nothing but send: the packet, the same for every client. A publish of such actions is encoded
   * once and never visits the clients. Throws what `run` would throw.
   */
  packet?(event: ActionCall): ServerPacket;
}

export interface StateManagerPlugin<Args = unknown, Schema extends TSchema = TSchema> extends Declared<Schema> {
  check?(args: Args, config: Config): Refusal | undefined;
  create(args: Args, services: Services): StateManager;
}

/** Where the state of sessions lives. */
export interface StateManager {
  /** Makes the store of one client, with the initial pairs in it. */
  open(sid: string, initial: State): ClientState | Promise<ClientState>;
}

/** JSON values by key. */
export type State = Readonly<Record<string, unknown>>;

/** The store of one client. */
export interface ClientState {
  /** All pairs. The object may be kept and must not be changed. */
  get(): State | Promise<State>;
  /** Stores these pairs; other keys stay. */
  set(pairs: State): void | Promise<void>;
  /** The client has ended: forget its state. */
  cleanup(): void | Promise<void>;
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

/** What a pool's requests and their replies are is the connector's matter: `Pools.get` says them again where they are asked. */
export interface Connector<Request = unknown, Reply = unknown> {
  /** Makes one worker; it runs under the pool's supervisor and handles one `request` at a time. */
  worker(): Actor<WorkerMessage<Request, Reply>>;
  /** Why the back end cannot be used now, as far as the connector knows: then the node is `degraded`. */
  readonly problem?: string | undefined;
  /** The pool has stopped. */
  close(): void | Promise<void>;
}

/**
 * For back ends whose connections come and go by themselves: each is a worker, as long as it lives. The pool hands out those
 * that are idle, the last one first; at most `size` + `overflow` requests wait for one.
 */
export interface ConnectionSource<Request = unknown, Reply = unknown> {
  /** The code with which a request fails that gets no connection. */
  readonly code: ErrorCode;
  /** Why there is no connection, as far as it is known. */
  readonly problem: string | undefined;
  /** From now on each connection is admitted; called anew after `close`. Rejects if no connection can ever come. */
  open(sink: ConnectionSink<Request, Reply>): void | Promise<void>;
  /** A request waits for a connection: none is idle. */
  wanted(): void;
  /** No further connections; the pool ends those that are there. */
  close(): void | Promise<void>;
}

export interface ConnectionSink<Request = unknown, Reply = unknown> {
  /** How many requests wait for a connection. */
  readonly waiting: number;
  /** Starts the worker of a new connection. False if it cannot be started now: the connection is to be closed. */
  admit(worker: Actor<WorkerMessage<Request, Reply>>): Promise<boolean>;
}

/** What every worker understands. A request is to be answered with a reply, or failed; after `drain` none comes any more. */
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
  /** JSON text of what back ends see as `trigger`: the event, `null`, or the reason of a termination. */
  readonly json: string;
}

export type Privilege = 'public' | 'private';

/** The client, as plugins see it. After the client has ended every call is a no-op or rejects. */
export interface Client {
  readonly sid: string;
  /** Aborted when the client ends while a hook waits: hand it to whatever can be cancelled. */
  readonly signal: AbortSignal;
  readonly state: ClientState;
  readonly log: Log;
  send(packet: ServerPacket): void;
  /** Sends the error as `hive_error` event (hidden behind `internal_error` in production mode) and counts it. */
  report(error: HiveError): void;
  /** The JSON text that back ends get: sid, trigger, trigger_id, state, node, … */
  metadata(trigger: Trigger): string | Promise<string>;
  /** Performs actions first to last; stops at the first failure, keeping what was sent before it. */
  runActions(events: readonly ActionCall[]): void | Promise<void>;
  /** Runs the hooks of an event as if the client had sent it. */
  dispatch(event: ClientEvent, triggerId: string): void | Promise<void>;
  /** Joins channels; resolves when a publish made afterwards on any connected node reaches this client. */
  subscribe(channels: readonly string[], privilege: Privilege): Promise<void>;
  /** Leaves every channel under these ids or prefixes. */
  unsubscribe(prefixes: readonly string[], privilege: Privilege): Promise<void>;
  /** Appends hooks, for this client only; all or none. */
  addHooks(hooks: Readonly<Record<string, readonly HookDescriptor[]>>): void;
  removeHooks(events: readonly string[]): void;
}

/** Thrown by hooks and actions: the client gets the error as event and ends. */
export class StopClient extends Error {
  readonly error: HiveError;
  constructor(error: HiveError) {
    if (!(error instanceof HiveError)) throw new TypeError('StopClient: its argument must be a HiveError');
    super(error.message, { cause: error });
    this.name = 'StopClient';
    this.error = error;
  }
}

/** What is published: an event for clients, sent as it is, or actions that each subscribed client performs. */
export type Publication =
  | { readonly type: 'event'; readonly packet: ServerPacket }
  | { readonly type: 'actions'; readonly actions: readonly ActionCall[] };

export interface PubSub {
  /**
   * Publishes, cluster-wide, to every channel under these ids or prefixes. Throws `bad_channel_id` or `access_denied`
   * before anything is sent.
   */
  publish(prefixes: readonly string[], privilege: Privilege, publication: Publication): void;
}

/** A running pool of connector workers. */
export interface Pool<Request = unknown, Reply = unknown> {
  readonly name: string;
  /** The connector plugin's name. */
  readonly connector: string;
  /**
   * Lets one worker answer a request: waits up to `connectors.rent_timeout` for a free one. Rejects with `connector_error` if
   * none gets free, else with the connector's own error.
   */
  request(request: Request, signal?: AbortSignal): Promise<Reply>;
}

export interface Pools {
  /** Throws `bad_connector_id` for a name that no running pool has. */
  get<Request = unknown, Reply = unknown>(name: string): Pool<Request, Reply>;
  /** Starts a pool at run time. */
  start(name: string, descriptor: PoolDescriptor): Promise<void>;
  /** Stops a pool: refuses new requests, finishes those that wait or run, closes. */
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
  /** Metrics under any path that is free; they show wherever the node's own do. */
  readonly metrics: PluginMetrics;
  /** The node's timers: cheaper than those of Node where there are many. */
  readonly timers: TimingWheel;
  readonly pools: Pools;
  readonly pubsub: PubSub;
}
