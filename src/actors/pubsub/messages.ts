/** What the pub-sub manager (`hive_pubsub`) is told by this node. */
import type { Call } from '../../kernel/types.ts';
import type { ChannelEntry } from './channel-index.ts';
import type { PeerInterest } from './interest.ts';
import type { WireMessage } from './wire-messages.ts';

export type PubSubMessage =
  /** Answered when the channel is served and announced. */
  | ({ readonly type: 'open'; readonly entry: ChannelEntry } & Call<void>)
  | { readonly type: 'started'; readonly entry: ChannelEntry; readonly error: unknown }
  | { readonly type: 'closed'; readonly id: string }
  | { readonly type: 'announce' }
  | { readonly type: 'announced'; readonly entries: readonly ChannelEntry[] }
  | { readonly type: 'nodeup'; readonly peer: PeerInterest }
  | { readonly type: 'nodedown'; readonly peer: PeerInterest }
  /** A publisher has waited in vain for that node to confirm. */
  | { readonly type: 'unconfirmed'; readonly peer: PeerInterest }
  | { readonly type: 'catch_up'; readonly peer: PeerInterest }
  | WireMessage;
