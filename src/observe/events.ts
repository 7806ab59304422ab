/**
 * The event contract: what a node tells of itself while it works, on channels of `node:diagnostics_channel`, for metrics, traces and
 * audits of plugins. docs/events.md is its page; a test holds the two together.
 *
 * An event without subscribers costs one look at `hasSubscribers`: no record is made, no function called. Records are for reading;
 * they hold no payloads, no state and no whole session ids. All nodes of a process share the channels: `node` tells which one it was.
 */
import { type Channel, channel, type TracingChannel, tracingChannel } from 'node:diagnostics_channel';
import { HiveError } from './errors.ts';
import type { RequestHeaders } from './request-headers.ts';
import { asError, titleOf } from './thrown.ts';

/** Whose event it is. */
export interface ClientOfEvent {
  /** Name of the node. */
  readonly node: string;
  /** Start of the session id, as log lines show it: enough to find the client, too little to be it. */
  readonly sid: string;
  /** Address of the client's actor, unique in the cluster. */
  readonly pid: string;
  /** Socket.IO namespace. */
  readonly namespace: string;
}

/** A client is connected: the hooks of `on_connect` have accepted it. Published before it is told so. */
export interface ConnectEvent extends ClientOfEvent {
  /** `eio4`, `eio3` or `0.9`. */
  readonly protocol: string;
  /** `websocket` or `polling`. It may change later. */
  readonly transport: string;
}

/** A client that was connected has ended: `on_disconnect` is over and its state forgotten, or that is left to its departure, or it was killed. */
export interface DisconnectEvent extends ClientOfEvent {
  /** Why its connection ended, a key of `closeReasons`. */
  readonly reason: string;
  /** Since its session was opened, ms. */
  readonly ageMs: number;
}

/** A client has lost its connection, and may return to its session. */
export interface SuspendEvent extends ClientOfEvent {
  /** Why its connection ended: one of `recoverableReasons`. */
  readonly reason: string;
}

/** A client has returned to its session. Published when it has been sent what it had missed. */
export interface RecoverEvent extends ClientOfEvent {
  /** `websocket` or `polling`. */
  readonly transport: string;
  /** Since its connection was lost, ms. */
  readonly awayMs: number;
  /** Events that it had missed. */
  readonly missed: number;
}

/** A node goes on with a session of a node that is gone. Its client is not connected. */
export interface AdoptEvent extends ClientOfEvent {
  /** Name of the node that is gone. */
  readonly from: string;
  /** How often the session has been claimed. */
  readonly epoch: number;
}

/** A node that stops, or is drained, begins to hand its sessions over to others, or has done so. */
export interface DrainEvent {
  readonly node: string;
  readonly isOver: boolean;
  /** Those that are to be handed over, or were. */
  readonly sessions: number;
}

/** Whether the sessions of a node outlive it (`clients.durable`) has changed: Redis cannot be used, or can be used again. */
export interface DurableEvent {
  readonly node: string;
  readonly isDurable: boolean;
  /** What is wrong; undefined if they are durable. */
  readonly reason: string | undefined;
}

/** A client, or an Erlang process, is subscribed to a channel of its node. */
export interface SubscribeEvent {
  readonly node: string;
  readonly channel: string;
  /** Undefined for an Erlang process. */
  readonly sid: string | undefined;
  /** Address of the subscriber's actor. */
  readonly pid: string;
  /** Subscribers that the channel has now, on this node. */
  readonly subscribers: number;
}

/** It is not subscribed any more: it has left the channel, or ended. */
export interface UnsubscribeEvent {
  readonly node: string;
  readonly channel: string;
  readonly sid: string | undefined;
  readonly pid: string;
  readonly subscribers: number;
}

/** A publish has arrived at a node, which hands it to its channels next. */
export interface PublishEvent {
  readonly node: string;
  /** Ids or prefixes of channels, as they were given. Not to be changed. */
  readonly channels: readonly string[];
  /** `event`: sent as it is; `actions`: run by each subscriber. */
  readonly kind: 'event' | 'actions';
  /** Events or actions in it. */
  readonly messages: number;
  /** Another node has accepted it and passed it on; else this one has accepted it. */
  readonly remote: boolean;
}

/** What went wrong, as far as the log may have it. */
export interface EventError {
  /** Of the error catalogue; `internal_error` for an exception that is no HiveError. */
  readonly code: string;
  /** Without what it shows of somebody's data. */
  readonly summary: string;
}

/** One hook of one client runs. */
export interface HookEvent {
  readonly node: string;
  readonly sid: string;
  readonly namespace: string;
  /** The event that it runs for: the client's, a dispatched one, `on_connect`, `on_disconnect` or `on_terminate`. */
  readonly event: string;
  /** Name of the hook plugin. */
  readonly hook: string;
  /** Its place among the hooks of the event, from 0. */
  readonly position: number;
  /** Known at `end`: the hook has returned a promise, so it is over at `asyncEnd`; otherwise it is over now. */
  waits: boolean;
  /** Set before `error` is published. */
  error: EventError | undefined;
}

/** A request to a connector pool, from the wish for a worker to the answer. */
export interface PoolRequestEvent {
  readonly node: string;
  /** Name of the pool. */
  readonly pool: string;
  /** Name of the connector plugin. */
  readonly connector: string;
  /** Headers for the back end: a subscriber of `start` may set some. Only HTTP has a place for them. */
  readonly headers: RequestHeaders;
  /** How often it was tried; final at `asyncEnd`. */
  attempts: number;
  /** Always true at `end`: it is over at `asyncEnd`. */
  waits: boolean;
  error: EventError | undefined;
}

/** An actor has crashed: an exception has ended it that was no expected failure. */
export interface CrashEvent {
  readonly node: string;
  readonly pid: string;
  /** What the actor is: its child id, `client`, … */
  readonly label: string;
  /** Labels of the supervision tree, from the root down. */
  readonly path: string;
  /** Text of the exception, as crash log and monitor show it. */
  readonly reason: string;
  readonly stack: string | undefined;
  /** Type of the message that it had last. */
  readonly lastMessage: string | undefined;
  /** Messages that waited. */
  readonly mailbox: number;
  /** Age of this incarnation, ms. */
  readonly ageMs: number;
  /** How often its supervisor had restarted it. */
  readonly restarts: number;
}

/** A supervisor has started a child again. */
export interface RestartEvent {
  readonly node: string;
  /** Label of the supervisor. */
  readonly supervisor: string;
  /** Id of the child. */
  readonly child: string;
  /** Address of the new incarnation; undefined if it did not want to start. */
  readonly pid: string | undefined;
  /** How the one before has ended. */
  readonly reason: string | undefined;
  /** Restarts of this child so far, this one included. */
  readonly restarts: number;
}

/** The connection with another node is up: the cookie is proven on both sides. */
export interface LinkUpEvent {
  readonly node: string;
  readonly peer: string;
  /** Number of the peer's boot. */
  readonly creation: number;
  /** A node of Hive; else one of Erlang. */
  readonly hive: boolean;
}

/** The connection with another node has ended. */
export interface LinkDownEvent {
  readonly node: string;
  readonly peer: string;
  readonly creation: number;
  readonly hive: boolean;
  readonly reason: string;
}

/** A channel of `node:diagnostics_channel` with the type of its records. */
export interface EventChannel<Event> extends Channel {
  publish(event: Event): void;
  subscribe(listener: (event: Event, name: string | symbol) => void): void;
  unsubscribe(listener: (event: Event, name: string | symbol) => void): boolean;
}

/** What takes time: the channels `tracing:NAME:start`, `end`, `asyncStart`, `asyncEnd` and `error`, with one record for all. */
export class EventTrace<Event extends { waits: boolean; error: EventError | undefined }> {
  readonly start: EventChannel<Event>;
  readonly end: EventChannel<Event>;
  readonly asyncStart: EventChannel<Event>;
  readonly asyncEnd: EventChannel<Event>;
  readonly error: EventChannel<Event>;

  constructor(name: string) {
    const channels = tracingChannel(name) as unknown as TracingChannel<unknown, Event> & EventTrace<Event>;
    this.start = channels.start;
    this.end = channels.end;
    this.asyncStart = channels.asyncStart;
    this.asyncEnd = channels.asyncEnd;
    this.error = channels.error;
  }

  get hasSubscribers(): boolean {
    return (
      this.start.hasSubscribers ||
      this.end.hasSubscribers ||
      this.asyncStart.hasSubscribers ||
      this.asyncEnd.hasSubscribers ||
      this.error.hasSubscribers
    );
  }

  /**
   * Runs it, in the context of what is bound to `start`, and publishes how it goes. Unlike Node's `tracePromise` it leaves alone what
   * does not wait.
   */
  run<Result>(event: Event, what: () => Result | Promise<Result>): Result | Promise<Result> {
    return this.start.runStores(event, () => {
      try {
        const result = what();
        if (!isThenable(result)) return result;
        event.waits = true;
        return Promise.resolve(result).then(
          (value) => {
            this.#settled(event);
            return value;
          },
          (thrown: unknown) => {
            this.#failed(event, thrown);
            this.#settled(event);
            throw thrown;
          },
        );
      } catch (thrown) {
        this.#failed(event, thrown);
        throw thrown;
      } finally {
        this.end.publish(event);
      }
    });
  }

  #failed(event: Event, thrown: unknown): void {
    event.error = eventError(thrown);
    this.error.publish(event);
  }

  #settled(event: Event): void {
    this.asyncStart.publish(event);
    this.asyncEnd.publish(event);
  }
}

function isThenable<Result>(result: Result | PromiseLike<Result>): result is PromiseLike<Result> {
  return typeof (result as { then?: unknown } | null | undefined)?.then === 'function';
}

function eventError(thrown: unknown): EventError {
  const error = asError(thrown);
  // StopClient carries the failure that the client is told of.
  const known = error instanceof HiveError ? error : error.cause;
  if (known instanceof HiveError) return { code: known.code, summary: known.summary };
  return { code: 'internal_error', summary: titleOf(error) };
}

function named<Event>(name: string): EventChannel<Event> {
  return channel(name) as EventChannel<Event>;
}

/** All channels. Whoever imports another copy of this module, or none, finds the same ones by name in `node:diagnostics_channel`. */
export const events = {
  connect: named<ConnectEvent>('hive:connect'),
  disconnect: named<DisconnectEvent>('hive:disconnect'),
  suspend: named<SuspendEvent>('hive:suspend'),
  recover: named<RecoverEvent>('hive:recover'),
  adopt: named<AdoptEvent>('hive:adopt'),
  subscribe: named<SubscribeEvent>('hive:subscribe'),
  unsubscribe: named<UnsubscribeEvent>('hive:unsubscribe'),
  publish: named<PublishEvent>('hive:publish'),
  hook: new EventTrace<HookEvent>('hive:hook'),
  poolRequest: new EventTrace<PoolRequestEvent>('hive:pool_request'),
  crash: named<CrashEvent>('hive:crash'),
  restart: named<RestartEvent>('hive:restart'),
  linkUp: named<LinkUpEvent>('hive:link_up'),
  linkDown: named<LinkDownEvent>('hive:link_down'),
  durable: named<DurableEvent>('hive:durable'),
  drain: named<DrainEvent>('hive:drain'),
} as const;

/**
 * Subscribes, until what is returned is disposed of. What the listener throws becomes a rejection that nobody waits for, which `hive run` logs
 * and survives. A listener that is subscribed without this function ends the process when it throws.
 */
export function listen<Event>(to: EventChannel<Event>, listener: (event: Event) => void): Disposable {
  const guarded = (event: Event): void => {
    try {
      listener(event);
    } catch (error) {
      void Promise.reject(error);
    }
  };
  to.subscribe(guarded);
  return { [Symbol.dispose]: () => void to.unsubscribe(guarded) };
}
