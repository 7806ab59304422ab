/** What the HTTP API sets in motion. Rejections and thrown HiveErrors become the answer. */
import type { ActionCall } from '../../protocol/backend/action-call.ts';
import type { EventPacket } from '../../protocol/packet.ts';
import type { KeptAnswers } from './kept-answers.ts';

export interface ApiHost {
  readonly version: string;
  /** Stops the node gracefully; called after the answer. */
  stop(): void;
  enable(): void;
  disable(): void;
  /** Refuses new clients and hands sessions over, as far as they can be. Returns at once. */
  drain(): void;
  readonly drainage: Drainage;
  terminate(reason: string): void;
  runActions(sid: string, actions: readonly ActionCall[]): Promise<void>;
  /** Behind the actions that wait for its hooks. */
  send(sid: string, event: EventPacket): Promise<void>;
  disconnect(sid: string): Promise<void>;
  /** Resolves to what the client acknowledges, as JSON text of an array. */
  ask(sid: string, event: EventPacket, timeoutMs: number): Promise<string>;
  /** @param confirm whether to say which nodes have not confirmed it: undefined if it concerns no other node */
  publishActions(channel: string, actions: readonly ActionCall[], confirm: boolean): Unconfirmed | undefined;
  publishEvent(channel: string, event: EventPacket, confirm: boolean): Unconfirmed | undefined;
  /** All, or none if a channel is none. */
  publishMany(publications: readonly ManyEvents[], confirm: boolean): Unconfirmed | undefined;
  /** Asks all clients that are subscribed to a channel or one below it. */
  askChannel(channel: string, event: EventPacket, timeoutMs: number): Promise<ChannelAnswers>;
  subscribers(channel: string): number;
  /** Who is in a channel, as this node knows it; and of which nodes it may not know all. */
  presence(channel: string, page: PageQuery): ChannelPresence;
  history(channel: string, query: HistoryPartQuery): Promise<object>;
  clearHistory(channel: string): Promise<void>;
  subscribe(sid: string, channels: readonly string[]): Promise<void>;
  unsubscribe(sid: string, channels: readonly string[]): Promise<void>;
  readonly cluster: ClusterHost;
  readonly answers: KeptAnswers;
}

/** Which part of a channel's history: entries behind `since`, or the last ones. */
export interface HistoryPartQuery {
  readonly since?: number | undefined;
  readonly epoch?: string | undefined;
  readonly limit: number;
  /** The newest first. */
  readonly reverse?: boolean | undefined;
}

/** The nodes that have not confirmed a publish: they are known when all others have, or after a bounded time. */
export interface Unconfirmed {
  /** Calls back once; at once if they are known already. One may ask. */
  whenKnown(listener: (nodes: readonly string[]) => void): void;
}

/** The same for all nodes of the cluster. */
export interface ClusterHost {
  enable(): Promise<Reached>;
  disable(): Promise<Reached>;
  /** Asks the clients of one node after the other to leave. Returns at once. */
  terminate(reason: string): void;
  /** Stops one node after the other gracefully, this one last. Returns at once; called after the answer. */
  stop(): void;
  subscribers(channel: string): Promise<Reached & { readonly subscribed_clients: number }>;
  /** The channels at and under a prefix, or all for ''. */
  channels(prefix: string, page: PageQuery): Promise<Reached & Paged<'channels', ListedChannel>>;
  clients(filter: ClientFilter, page: PageQuery): Promise<Reached & Paged<'clients', ListedClient>>;
  readonly users: UsersHost;
}

/** Which clients are listed: all that both hold for. */
export interface ClientFilter {
  /** In channels at and under this prefix; '' for any. */
  readonly channel?: string;
  /** '' for any. */
  readonly user?: string;
}

/** For each session of a user, on whichever node it is, once. */
export interface UsersHost {
  send(user: string, event: EventPacket): Promise<UserOutcome>;
  runActions(user: string, actions: readonly ActionCall[]): Promise<UserOutcome>;
  disconnect(user: string): Promise<UserOutcome>;
}

export interface UserOutcome extends Reached {
  /** How many were reached. */
  readonly sessions: number;
  /** Those that were there and could not be reached, and why. */
  readonly failed: readonly { readonly sid: string; readonly error: string; readonly description: string }[];
}

/** Rows of a list that one answer has at most. */
export const maxPage = 1000;

export interface PageQuery {
  /** Where the answer before ended; '' at first. */
  readonly after: string;
  /** 1 to `maxPage`. */
  readonly limit: number;
}

/** A part of a list. */
export type Paged<Name extends string, Row> = { readonly [name in Name]: readonly Row[] } & {
  /** With which the next part is asked for; null: this is the last one. */
  readonly cursor: string | null;
};

export interface ListedChannel {
  readonly channel: string;
  readonly subscribed_clients: number;
  /** Publications since the first node has had it. */
  readonly published: number;
}

export interface ListedClient {
  readonly sid: string;
  /** The id of its user; null if it has none. */
  readonly user: string | null;
  readonly node: string;
  /** ms since 1970. */
  readonly connected_at: number;
  /** Whether it has no connection and may come back. */
  readonly suspended: boolean;
}

/** An event, and the channels that it is for. */
export interface ManyEvents {
  readonly channels: readonly string[];
  readonly event: EventPacket;
}

export interface ChannelAnswers extends Reached {
  readonly answers: readonly { readonly sid: string; readonly args: readonly unknown[] }[];
  /** Clients that are there and have not answered, and why. */
  readonly unanswered: readonly { readonly sid: string; readonly error: string }[];
}

export interface ChannelPresence {
  readonly channel: string;
  readonly members: readonly { readonly sid: string; readonly user: string | null; readonly info: object }[];
  readonly cursor: string | null;
  readonly sessions: number;
  readonly users: number;
  readonly version: string;
  readonly missing: readonly string[];
}

/** How far a node is out of rotation. */
export interface Drainage {
  /** Whether new clients are accepted. */
  readonly admits: boolean;
  /** Whether sessions are being handed over. */
  readonly handing_over: boolean;
  /** That are to be closed for it. */
  readonly connections: number;
  readonly clients: number;
  /** Why no session is handed over. */
  readonly stays: string | null;
}

/** Who took part in something that concerned the whole cluster. */
export interface Reached {
  readonly nodes: readonly string[];
  /** Members that are known but are not connected, or did not do their part. */
  readonly missing: readonly string[];
}
