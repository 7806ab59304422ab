/** What the kinds of actors promise each other. */
import type { NodeName, Ref } from '../kernel/types.ts';
import type { Privilege, Publication } from '../plugins/types.ts';
import type { ActionCall } from '../protocol/backend/action-call.ts';
import type { ServerPacket } from '../protocol/packet.ts';
import type { Unconfirmed } from '../web/api/api-host.ts';

/**
 * A client as pub-sub sees it. `join` and `leave` act on the client's connection at once, without a detour through its
 * mailbox: a client that waits for a back end can still be subscribed by that back end. Both are idempotent, and no-ops when
 * the client has ended.
 */
export interface Member {
  readonly ref: Ref<ClientDelivery>;
  /** What others in its channels may know of it; undefined for whoever is not shown. */
  readonly presence?: PresenceSource | undefined;
  /** Start of its session id, as the log shows it; undefined if it is no client. */
  readonly sid?: string;
  /** Set when it is the first to join a channel. */
  openedChannels?: ChannelCount | undefined;
  join(channel: string): void;
  leave(channel: string): void;
  /** It has joined or left a channel, though it is told so later. */
  changed?(): void;
  /** A delivery is on its way to it. */
  expects?(): void;
  /** Resolves when it is stored in which channels it is, where that outlives the node. */
  readonly stored?: Promise<unknown> | undefined;
  /**
   * Something that was published to the channel is lost for it: a crash or a full mailbox on this node, or a node that could neither
   * send it nor keep it any longer. Called once for each gap, however much is missing in it, before what was published
   * behind the gap.
   */
  missed?(channel: string): void;
}

/** Who somebody is: the id of his user, and the parts of his state that are shown. */
export interface Present {
  readonly user: string | null;
  readonly info: Readonly<Record<string, unknown>>;
}

export interface PresenceSource {
  /** The whole session id. */
  readonly sid: string;
  /** With the state's values for these keys, as far as they are known. */
  show(keys: readonly string[]): Present;
  /** Its session goes on at another node. */
  readonly isElsewhere: boolean;
}

/** What those who receive from channels want of pub-sub. Failures are HiveErrors: `bad_channel_id`, `access_denied`, … */
/** Something that was published to a channel, and may have reached nobody. */
export interface KeptPublish {
  readonly channel: string;
  readonly id: string;
  /** Undefined if clients have to do something for it. */
  readonly packets: readonly ServerPacket[] | undefined;
}

export interface Memberships {
  /** @param replay of channels with a history: as many of the last entries come first */
  join(member: Member, ids: readonly string[], privilege: Privilege, replay?: number): Promise<void>;
  leave(member: Member, prefixes: readonly string[], privilege: Privilege): Promise<void>;
  /** What it has joined. */
  channelsOf(member: Member): string[];
  /** What others in its channels may know of it has changed. */
  shown?(member: Member): void;
  /** Whether to keep what this node publishes itself, as others keep what they publish for it: sessions are about to leave it. */
  keepOwn?(isKept: boolean): void;
  /**
   * What the connected nodes have published to these channels for a boot of a node that is gone, or that sessions have left, and do not
   * know to be there; of each node in its order. Undefined if that is not all.
   * @param hasLeft whether that boot has left its sessions as planned, and may be there still
   */
  keptFor?(boot: string, channels: readonly string[], hasLeft?: boolean): Promise<readonly KeptPublish[] | undefined>;
  /** Whether this node itself has kept something for that boot; undefined if nothing is known any more. */
  keeps?(boot: string): boolean | undefined;
  /** Whether it has kept anything, for whatever boot. */
  keepsAny?(): boolean;
  /** What it has; undefined if that is not all. */
  keptHere?(boot: string, channels: readonly string[]): readonly KeptPublish[] | undefined;
}

/** Counts the channels that are there because a client has joined them first: a channel outlives who has opened it. */
export interface ChannelCount {
  count: number;
}

/**
 * What was published and has to go through the client's mailbox: actions, which the client performs, or (while actions before
 * them are still being performed) packets, which it sends. Either way the client tells `channel` when it is done: until then
 * the channel sends this client everything through its mailbox, so that nothing overtakes.
 */
export interface ClientDelivery {
  readonly type: 'published';
  /** Empty if `packets` are given. */
  readonly actions: readonly ActionCall[];
  readonly packets: readonly ServerPacket[] | undefined;
  readonly channel: Ref<Delivered>;
  readonly channelId: string;
  /** Of the publication, where sessions outlive their node. */
  readonly id: string | undefined;
}

/** The answer to a Delivery. */
export interface Delivered {
  readonly type: 'delivered';
  /** The `ref` of the Member that has handled it. */
  readonly client: Ref<ClientDelivery>;
}

/** The fan-out of the web layer: one encoding per wire format, no visit to the clients. Returns the number of receivers. */
export interface Fanout {
  /** @param id of the publication, where nodes may hear of it twice */
  publish(channel: string, packet: ServerPacket, id?: string): number;
}

/** Publishing for those who want to know that other nodes have it. */
export interface ConfirmedPublishing {
  /**
   * As `PubSub.publish`. Tells who has not confirmed to have it, when all other nodes that it concerns have, or after a second.
   * Undefined if it concerns no other node.
   */
  publishConfirmed(
    prefixes: readonly string[],
    privilege: Privilege,
    publication: Publication,
  ): Unconfirmed | undefined;
}

/** A channel of a node, how many subscriptions it has there, and how much was published to it since it has been there. */
export type ChannelRow = readonly [channel: string, subscriptions: number, published: number];

/** What is known of the cluster, readable by everybody at any time. */
export interface ClusterView {
  readonly self: NodeName;
  /** Connected nodes, this one included. */
  nodes(): readonly NodeName[];
  /** Known members that are not connected. */
  missing(): readonly NodeName[];
  /** The connected node (or this one) whose present boot made that session id; undefined: owner gone, or no id at all. */
  ownerOf(sid: string): NodeName | undefined;
  /** The same for the tag of a boot, which its ids begin with. */
  nodeOf(tag: string): NodeName | undefined;
  /** The tag of a member's present boot; undefined if it is none. */
  tagOf(node: NodeName): string | undefined;
}
