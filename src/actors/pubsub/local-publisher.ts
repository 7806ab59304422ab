/** Hands what is published to the channels of this node. */

import { HiveError } from '../../observe/errors.ts';
import { events } from '../../observe/events.ts';
import type { Counter, Metrics } from '../../observe/metrics.ts';
import type { Publication } from '../../plugins/types.ts';
import type { ActionCall } from '../../protocol/backend/action-call.ts';
import type { ServerPacket } from '../../protocol/packet.ts';
import type { ChannelIndex } from './channel-index.ts';
import type { ChannelPublish } from './channel-messages.ts';

/**
 * The packets that these actions amount to, if they do nothing but send, the same to every client; else undefined. May throw a
 * HiveError, as performing them would.
 */
export type PacketsFor = (actions: readonly ActionCall[]) => readonly ServerPacket[] | undefined;

const noActions: readonly ActionCall[] = [];

export class LocalPublisher {
  readonly #node: string;
  readonly #index: ChannelIndex;
  readonly #packetsFor: PacketsFor;
  readonly #published: Counter;

  constructor(node: string, index: ChannelIndex, packetsFor: PacketsFor, metrics: Metrics) {
    this.#node = node;
    this.#index = index;
    this.#packetsFor = packetsFor;
    this.#published = metrics.counter('pubsub.published_events');
  }

  /**
   * To every channel under each of the prefixes; a channel under two of them gets it twice.
   * @param remote another node has passed it on
   */
  publish(prefixes: readonly string[], publication: Publication, remote: boolean): void {
    const messages = publication.type === 'event' ? 1 : publication.actions.length;
    this.#published.value += messages;
    if (events.publish.hasSubscribers) {
      const kind = publication.type === 'event' ? 'event' : 'actions';
      events.publish.publish({ node: this.#node, channels: prefixes, kind, messages, remote });
    }
    let publish: ChannelPublish | undefined;
    for (const prefix of prefixes) {
      const exact = this.#index.get(prefix);
      const below = this.#index.below(prefix);
      if (!exact && !below) continue;
      publish ??= this.#broadcast(publication);
      exact?.ref?.tell(publish);
      if (below) for (const entry of below) entry.ref?.tell(publish);
    }
  }

  #broadcast(publication: Publication): ChannelPublish {
    const acceptedAt = performance.now();
    if (publication.type === 'event') {
      return { type: 'publish', packets: [publication.packet], actions: noActions, acceptedAt };
    }
    const { actions } = publication;
    return { type: 'publish', packets: this.#packets(actions), actions, acceptedAt };
  }

  /** Actions that fail are performed by every client, which tells its user. */
  #packets(actions: readonly ActionCall[]): readonly ServerPacket[] | undefined {
    try {
      return this.#packetsFor(actions);
    } catch (error) {
      if (error instanceof HiveError) return undefined;
      throw error;
    }
  }
}
