/**
 * The HTTP API of Hive. Any node serves any call: a call goes to the node that answered last, and to the others when that one
 * cannot be reached or refuses clients.
 */

/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export interface Settings {
  /** Addresses of the nodes' HTTP APIs, such as `http://127.0.0.1:1235`. */
  readonly urls: string | readonly string[];
  /** `api.hash` of the configuration. It is sent in a header, never in a path. */
  readonly key: string;
  /** How long one node may take to answer, ms. Default 5000. */
  readonly timeout?: number;
  /** Of calls that have an effect: whether each has an `Idempotency-Key`, and may be repeated at another node. Default false. */
  readonly exactlyOnce?: boolean;
}

/** Of calls that change something. */
export interface CallOptions {
  /** As in the settings, for this call. */
  readonly exactlyOnce?: boolean;
  /** Names the call: what has been done under this key is not done again, by whomever it is asked. */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
}

export interface PublishOptions extends CallOptions {
  /** `node`: resolve as soon as one node has it. Default `cluster`: when the others have it, too, or a second later. */
  readonly confirm?: 'node' | 'cluster';
}

export interface Event {
  readonly name: string;
  readonly args?: readonly Json[];
}

export interface Action {
  readonly action: string;
  readonly args: Json;
  readonly trigger_id?: string;
}

export type Actions = Action | readonly Action[];

/** One or several channel ids, or expressions for them: `["news.1", {"rooms": ["a", "b"]}]`. */
export type Channels = readonly Json[];

export interface Channel {
  readonly channel: string;
  readonly subscribed_clients: number;
  /** Publications since the first node has had the channel. */
  readonly published: number;
}

export interface HistoryPart {
  readonly since?: number;
  /** The epoch that `since` is of. */
  readonly epoch?: string;
  /** 1 to 1000, default 100. */
  readonly limit?: number;
  /** The newest entries, the newest first. */
  readonly reverse?: boolean;
}

export interface History {
  readonly channel: string;
  readonly epoch: string;
  /** The last one that was given. */
  readonly offset: number;
  readonly entries: readonly HistoryEntry[];
  /** Whether everything behind `since` is kept still. */
  readonly complete: boolean;
}

/** An event, a nameless message, or actions. */
export interface HistoryEntry {
  readonly offset: number;
  /** ms since 1970. */
  readonly at: number;
  readonly name?: string;
  readonly args?: readonly unknown[];
  readonly message?: unknown;
  readonly actions?: readonly Action[];
}

export interface Client {
  readonly sid: string;
  /** The id of its user; null if it has none. */
  readonly user: string | null;
  readonly node: string;
  /** ms since 1970. */
  readonly connected_at: number;
  /** Whether it has no connection and may come back. */
  readonly suspended: boolean;
}

/** Who took part in something that concerned several nodes. */
export interface Reached {
  readonly nodes: readonly string[];
  readonly missing: readonly string[];
}

/** Who is in a channel. */
export interface Present {
  readonly sid: string;
  readonly user: string | null;
  /** What the template shows of the state. */
  readonly info: Readonly<Record<string, Json>>;
}

export interface ChannelAnswers extends Reached {
  readonly answers: readonly { readonly sid: string; readonly args: readonly Json[] }[];
  /** Clients that are there and have not answered, and why. */
  readonly unanswered: readonly { readonly sid: string; readonly error: string }[];
}

export interface UserOutcome extends Reached {
  /** How many sessions were reached. */
  readonly sessions: number;
  /** Those that were there and could not be reached. */
  readonly failed: readonly { readonly sid: string; readonly error: string; readonly description: string }[];
}

/**
 * The API refused the call; or, with the status 0 and the code `unreachable`, no node answered.
 */
export class HiveError extends Error {
  readonly status: number;
  /** Of the catalogue of errors: `bad_session_id`, … */
  readonly code: string;
  readonly description: string;
  /** Whether the call may have been carried out all the same. */
  readonly mayHaveHappened: boolean;
}

/** All methods reject with a HiveError. */
export class HiveClient {
  /** @throws TypeError for addresses or a key that cannot be */
  constructor(settings: Settings);

  /** Sends an event to every subscriber of a channel and of those below it. Resolves to the nodes that have not confirmed it. */
  publish(channel: string, event: Event, options?: PublishOptions): Promise<readonly string[]>;
  /** Several events at once, each to its channels: all are published, or none. */
  publishMany(
    publications: readonly (Event & { readonly channel?: string; readonly channels?: Channels })[],
    options?: PublishOptions,
  ): Promise<readonly string[]>;
  /** Resolves to what the clients in a channel acknowledge within `timeout` ms (default 5000). */
  askChannel(
    channel: string,
    event: Event,
    options?: CallOptions & { readonly timeout?: number },
  ): Promise<ChannelAnswers>;
  /** Has every subscriber's client run actions. */
  actOnChannel(channel: string, actions: Actions, options?: PublishOptions): Promise<readonly string[]>;

  /** The channels at and below a prefix, or all. Requests 1000 at a time. */
  channels(filter?: { readonly prefix?: string }): AsyncGenerator<Channel, void>;
  /** How many are subscribed to a channel and to those below it; on one node without `cluster`. Default true. */
  subscribers(channel: string, options?: { readonly cluster?: boolean }): Promise<number>;
  /** Resolves when everything published afterwards reaches the client. */
  subscribe(sid: string, channels: Channels, options?: CallOptions): Promise<void>;
  unsubscribe(sid: string, channels: Channels, options?: CallOptions): Promise<void>;
  /** A part of the history of a channel whose template has one: the last entries, or the first ones behind `since`. */
  history(channel: string, part?: HistoryPart): Promise<History>;
  /** Forgets the entries of a history; its numbers go on. */
  clearHistory(channel: string, options?: CallOptions): Promise<void>;

  /** Who is in a channel whose template has `presence`. Requests 1000 at a time. */
  presence(channel: string): AsyncGenerator<Present, void>;
  /** How many sessions and users are there. */
  presenceCount(channel: string): Promise<{ readonly sessions: number; readonly users: number }>;

  /** The clients of the cluster, or those of a channel or user. Requests 1000 at a time. */
  clients(filter?: { readonly channel?: string; readonly user?: string }): AsyncGenerator<Client, void>;
  /** Has a client run actions. Resolves when it has been told. */
  act(sid: string, actions: Actions, options?: CallOptions): Promise<void>;
  /** Resolves to the arguments of what the client acknowledges within `timeout` ms (default 5000). */
  ask(sid: string, event: Event, options?: CallOptions & { readonly timeout?: number }): Promise<readonly Json[]>;

  /** Sends a client an event, behind the actions that wait for its hooks. */
  send(sid: string, event: Event, options?: CallOptions): Promise<void>;
  /** Ends a client, which is told not to come back by itself. */
  disconnect(sid: string, options?: CallOptions): Promise<void>;

  /** The sessions of a user. Requests 1000 at a time. */
  sessionsOf(user: string): AsyncGenerator<Client, void>;
  /** Sends each session of a user an event. */
  sendToUser(user: string, event: Event, options?: CallOptions): Promise<UserOutcome>;
  /** Has each session of a user run actions. */
  actOnUser(user: string, actions: Actions, options?: CallOptions): Promise<UserOutcome>;
  /** Ends each session of a user. */
  disconnectUser(user: string, options?: CallOptions): Promise<UserOutcome>;

  /** Carries out several calls in order; one that fails stops none. */
  batch(
    calls: readonly { readonly method: string; readonly path: string; readonly body?: Json }[],
    options?: CallOptions,
  ): Promise<readonly { readonly status: number; readonly body: Json }[]>;

  version(): Promise<string>;
  /** Stops a node, or all, gracefully. */
  stop(options?: CallOptions & { readonly cluster?: boolean }): Promise<Reached | undefined>;
  /** Accepts new clients again. */
  enable(options?: CallOptions & { readonly cluster?: boolean }): Promise<Reached | undefined>;
  /** Refuses new clients. */
  disable(options?: CallOptions & { readonly cluster?: boolean }): Promise<Reached | undefined>;
  /** Takes a node out of rotation and hands its sessions over. */
  drain(options?: CallOptions): Promise<Drainage>;
  drainage(): Promise<Drainage>;
  /** Asks clients to leave. */
  terminate(reason: string, options?: CallOptions & { readonly cluster?: boolean }): Promise<Reached | undefined>;
}

/** How far a node is out of rotation. */
export interface Drainage {
  readonly admits: boolean;
  readonly handing_over: boolean;
  readonly connections: number;
  readonly clients: number;
  readonly stays: string | null;
}
