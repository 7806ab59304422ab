/** What the pub-sub manager (`hive_pubsub`) is told. Those in the second group also come from other nodes, unchecked. */
import type { Call, NodeName } from '../../kernel/types.ts';
import type { Privilege } from '../../plugins/types.ts';
import { ChannelEntry } from './channel-index.ts';
import { PeerInterest } from './interest.ts';
import type { PublicationTerm } from './publication.ts';

export type PubSubMessage =
  /** Answered when the channel is served and announced. */
  | ({ readonly type: 'open'; readonly entry: ChannelEntry } & Call<void>)
  | { readonly type: 'started'; readonly entry: ChannelEntry; readonly error: unknown }
  | { readonly type: 'closed'; readonly id: string }
  | { readonly type: 'announce' }
  | { readonly type: 'announced'; readonly entries: readonly ChannelEntry[] }
  | { readonly type: 'nodeup'; readonly peer: PeerInterest }
  | { readonly type: 'nodedown'; readonly peer: PeerInterest }
  | { readonly type: 'catch_up'; readonly peer: PeerInterest }
  | InterestMessage
  | InterestRequest
  | StaleInterest
  | PublishMessage;

/** A node tells its channels: all of them, or changes. */
export interface InterestMessage extends Call<void> {
  readonly type: 'interest';
  readonly node: NodeName;
  readonly all: boolean;
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

/** The manager of that node has restarted: it wants to be told all channels. */
export interface InterestRequest {
  readonly type: 'interest_wanted';
  readonly node: NodeName;
}

/** What that node told does not count any more; it will tell everything when it has been answered. */
export interface StaleInterest extends Call<void> {
  readonly type: 'interest_stale';
  readonly node: NodeName;
}

export interface PublishMessage {
  readonly type: 'publish';
  readonly channels: readonly string[];
  readonly privilege: Privilege;
  readonly publication: PublicationTerm;
}

/**
 * Whether it has the shape that its type says. Other nodes can send anything, but no object of ours; what they publish is
 * looked into when it is read.
 */
export function isPubSubMessage(message: unknown): message is PubSubMessage {
  if (typeof message !== 'object' || message === null) return false;
  const { type, entry, entries, peer, id, add, remove, channels } = message as Record<string, unknown>;
  switch (type) {
    case 'publish':
      return areStrings(channels);
    case 'interest':
      return areStrings(add) && areStrings(remove);
    case 'open':
    case 'started':
      return entry instanceof ChannelEntry;
    case 'announced':
      return Array.isArray(entries) && entries.every((one) => one instanceof ChannelEntry);
    case 'nodeup':
    case 'nodedown':
    case 'catch_up':
      return peer instanceof PeerInterest;
    case 'closed':
      return typeof id === 'string';
    default:
      return type === 'announce' || type === 'interest_wanted' || type === 'interest_stale';
  }
}

function areStrings(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
