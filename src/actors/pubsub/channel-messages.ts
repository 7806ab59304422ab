/** What the actor of a channel is told. */
import type { Call, Ref } from '../../kernel/types.ts';
import type { HistoryPart } from '../../plugins/history-store.ts';
import type { Position } from '../../plugins/types.ts';
import type { ActionCall } from '../../protocol/backend/action-call.ts';
import type { ServerPacket } from '../../protocol/packet.ts';
import type { ClientDelivery, Delivered, Member } from '../contracts.ts';
import type { Replay } from './history/replays.ts';

/** Something published, as channels get it: packets if they are only sent to every client, else actions. */
export interface ChannelPublish {
  readonly type: 'publish';
  readonly packets: readonly ServerPacket[] | undefined;
  readonly actions: readonly ActionCall[];
  /** Of the publication, where sessions outlive their node. */
  readonly id: string | undefined;
  /** In the channel's history, if it has one. */
  readonly position: Position | undefined;
  /** When it was accepted here, on the clock of `performance.now()`. */
  readonly acceptedAt: number;
}

export type ChannelMessage =
  | ({ readonly type: 'subscribe'; readonly member: Member; readonly replay?: number | undefined } & Call<void>)
  | ({ readonly type: 'unsubscribe'; readonly client: Ref<ClientDelivery> } & Call<void>)
  | ChannelPublish
  | Delivered
  /** Another node could not pass on something that was published here. */
  | { readonly type: 'gap' }
  /** Something of its history has been read, or cannot be. */
  | { readonly type: 'fetched'; readonly part: HistoryPart | undefined }
  /** The same for a subscriber that begins with it. */
  | {
      readonly type: 'replayed';
      readonly client: Ref<ClientDelivery>;
      readonly replay: Replay;
      readonly part: HistoryPart | undefined;
    }
  | { readonly type: 'expire' };
