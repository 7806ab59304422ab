/** What the monitor's server shows, and asks the layer above for. */
import type { BusiestOptions, BusyActor } from '../../kernel/busiest.ts';
import type { Alarm } from '../../observe/alarms.ts';
import type { MetricTree } from '../../observe/metrics.ts';
import type { TreeNode, TreeOptions } from '../../supervisors/tree.ts';
import type { ListedChannel, ListedClient, Reached } from '../api/api-host.ts';
import type { ClientProtocol, CloseReason, TransportKind } from '../client/client-handle.ts';

/** `draining`: new clients are refused; `degraded`: it serves, but not everything works. */
export interface Health {
  readonly status: 'ready' | 'draining' | 'degraded';
  readonly reasons: readonly string[];
}

export interface NodeHealth extends Health {
  readonly node: string;
  readonly version: string;
  /** What holds its sockets: `uWebSockets 20.57.0`. */
  readonly sockets: string;
}

/** Metric trees by name of the node. */
export interface NodeMetrics {
  readonly nodes: Readonly<Record<string, MetricTree>>;
  readonly missing: readonly string[];
}

/** How long a session has been without a connection, why, and how long it will wait for its client. */
export interface SuspensionView {
  readonly reason: CloseReason;
  readonly agoMs: number;
  readonly leftMs: number;
}

/** How a session is stored that outlives its node. */
export interface DurableView {
  /** The lease under which this node owns it; null until Redis was there. */
  readonly owner: string | null;
  /** How often it has been claimed. */
  readonly epoch: number;
  /** The node that had it before; null if it began at this one. */
  readonly adoptedFrom: string | null;
  /** Whether Redis has all that was to be stored of it. */
  readonly stored: boolean;
}

/** One client, as operators see it. */
export interface ClientView {
  readonly sid: string;
  readonly node: string;
  readonly pid: string;
  readonly phase: string;
  /** Null before the first connection, and after the last. */
  readonly transport: TransportKind | null;
  /** Null while it has a connection. */
  readonly suspended: SuspensionView | null;
  /** Whether its client may return to it when its connection is lost. */
  readonly recoverable: boolean;
  /** Null where sessions end with their node. */
  readonly durable: DurableView | null;
  readonly protocol: ClientProtocol;
  readonly namespace: string;
  readonly subscriptions: readonly string[];
  readonly mailbox: { readonly length: number; readonly peak: number };
  readonly bufferedBytes: number;
  readonly ageMs: number;
  readonly state: Readonly<Record<string, unknown>>;
}

/** What is at and under a channel id or prefix, in all nodes: the first channels and clients, in the order of their ids. */
export interface ChannelView extends Reached {
  readonly channels: readonly ListedChannel[];
  readonly clients: readonly ListedClient[];
  /** Whether there are more of them. */
  readonly more: { readonly channels: boolean; readonly clients: boolean };
}

/** What the monitor shows. Rejections become the answer. */
export interface MonitorHost {
  /** The metrics under a dotted path; undefined if there are none. */
  metrics(section: string): Promise<MetricTree | undefined>;
  /** Sets a counter to 0, or empties a histogram; false if there is neither. */
  reset(path: string): Promise<boolean>;
  /** Those of this node as text, and the media type of that. */
  prometheus(): Promise<{ readonly type: string; readonly text: string }>;
  health(): NodeHealth;
  /** Those that are set. */
  alarms(node: string): Promise<readonly Alarm[]>;
  /** The name of this node. */
  readonly node: string;
  /** Whether a node of that name can be asked. */
  isConnected(node: string): boolean;
  /** Of this node read without asking any actor. */
  crashes(node: string): Promise<readonly object[]>;
  abandoned(node: string): Promise<readonly object[]>;
  /** Undefined if nothing is at that path. */
  supervision(options: TreeOptions, node: string): Promise<TreeNode | undefined>;
  /** One actor of any node; undefined if it has ended, or that is no address. Without asking the actor. */
  actor(pid: string): Promise<object | undefined>;
  busiest(options: BusiestOptions): Promise<readonly BusyActor[]>;
  /**
   * A client, wherever in the cluster it is: JSON text of a ClientView. Without asking its actor.
   * @throws HiveError (rejection) `bad_session_id` if there is none, what its state manager or the way to its node fails with
   */
  client(sid: string): Promise<string>;
  /**
   * The channels at and under an id or prefix, and who is in them.
   * @throws HiveError (rejection) `bad_channel_id`
   */
  channel(prefix: string): Promise<ChannelView>;
  readonly cluster: {
    health(): Promise<Reached & { readonly health: Readonly<Record<string, NodeHealth>> }>;
    alarms(): Promise<Reached & { readonly alarms: Readonly<Record<string, readonly Alarm[]>> }>;
    busiest(
      options: BusiestOptions,
    ): Promise<Reached & { readonly actors: Readonly<Record<string, readonly BusyActor[]>> }>;
    supervision(options: TreeOptions): Promise<Reached & { readonly trees: Readonly<Record<string, TreeNode>> }>;
    /** Those of all nodes as one tree. */
    metrics(section: string): Promise<Reached & { readonly metrics: MetricTree | undefined }>;
    /** Those of each node for itself, histograms with their buckets if that is wanted; an empty tree if it has none. */
    nodes(section: string, withBuckets: boolean): Promise<NodeMetrics>;
    reset(path: string): Promise<Reached & { readonly found: boolean }>;
  };
}
