/** Hands what is published to the channels of this node. */

import { HiveError } from '../../observe/errors.ts';
import type { Counter, Metrics } from '../../observe/metrics.ts';
import type { Publication } from '../../plugins/types.ts';
import type { InternalEvent } from '../../protocol/backend/action-call.ts';
import type { ServerPacket } from '../../protocol/packet.ts';
import type { ChannelIndex } from './channel-index.ts';
import type { Broadcast } from './channel-messages.ts';

/**
 * The packets that these orders amount to, if they do nothing but send, the same to every client; else undefined. May throw a
 * HiveError, as performing them would.
 */
export type PacketsFor = (orders: readonly InternalEvent[]) => readonly ServerPacket[] | undefined;

const noOrders: readonly InternalEvent[] = [];

export class LocalPublisher {
  readonly #index: ChannelIndex;
  readonly #packetsFor: PacketsFor;
  readonly #published: Counter;

  constructor(index: ChannelIndex, packetsFor: PacketsFor, metrics: Metrics) {
    this.#index = index;
    this.#packetsFor = packetsFor;
    this.#published = metrics.counter('pubsub.published_events');
  }

  /** To every channel under each of the prefixes; a channel under two of them gets it twice. */
  publish(prefixes: readonly string[], publication: Publication): void {
    this.#published.value += publication.type === 'event' ? 1 : publication.orders.length;
    let broadcast: Broadcast | undefined;
    for (const prefix of prefixes) {
      const exact = this.#index.get(prefix);
      const below = this.#index.below(prefix);
      if (!exact && !below) continue;
      broadcast ??= this.#broadcast(publication);
      exact?.ref?.tell(broadcast);
      if (below) for (const entry of below) entry.ref?.tell(broadcast);
    }
  }

  #broadcast(publication: Publication): Broadcast {
    const acceptedAt = performance.now();
    if (publication.type === 'event') {
      return { type: 'publish', packets: [publication.packet], orders: noOrders, acceptedAt };
    }
    const { orders } = publication;
    return { type: 'publish', packets: this.#packets(orders), orders, acceptedAt };
  }

  /** Orders that fail are performed by every client, which tells its user. */
  #packets(orders: readonly InternalEvent[]): readonly ServerPacket[] | undefined {
    try {
      return this.#packetsFor(orders);
    } catch (error) {
      if (error instanceof HiveError) return undefined;
      throw error;
    }
  }
}
