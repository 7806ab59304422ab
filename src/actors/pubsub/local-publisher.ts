/** Hands what is published to the channels of this node. */

import { HiveError } from '../../observe/errors.ts';
import { events } from '../../observe/events.ts';
import type { Counter, Metrics } from '../../observe/metrics.ts';
import type { Position, Publication, PublishOptions } from '../../plugins/types.ts';
import type { ActionCall } from '../../protocol/backend/action-call.ts';
import type { ServerPacket } from '../../protocol/packet.ts';
import type { ChannelEntry, ChannelIndex } from './channel-index.ts';
import type { ChannelMessage, ChannelPublish } from './channel-messages.ts';

/**
 * The packets that these actions amount to, if they do nothing but send, the same to every client; else undefined. May throw a
 * HiveError, as performing them would.
 */
export type PacketsFor = (actions: readonly ActionCall[]) => readonly ServerPacket[] | undefined;

const gap: ChannelMessage = { type: 'gap' };
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
   * @param id of the publication, where sessions outlive their node
   */
  publish(
    prefixes: readonly string[],
    publication: Publication,
    remote: boolean,
    id?: string,
    options?: PublishOptions,
  ): void {
    const messages = publication.type === 'event' ? 1 : publication.actions.length;
    this.#published.value += messages;
    if (events.publish.hasSubscribers) {
      const kind = publication.type === 'event' ? 'event' : 'actions';
      events.publish.publish({ node: this.#node, channels: prefixes, kind, messages, remote });
    }
    const position = options?.position;
    let publish: ChannelPublish | undefined;
    for (const prefix of prefixes) {
      const exact = this.#index.get(prefix);
      const below = position ? undefined : this.#index.below(prefix);
      if (!exact && !below) continue;
      publish ??= this.broadcast(publication, id, position);
      if (exact) hand(exact, publish);
      if (below) for (const entry of below) hand(entry, publish);
    }
  }

  /** Something published to these prefixes, or to any channel without them, is lost. */
  missed(prefixes: readonly string[] | undefined): void {
    if (prefixes === undefined) {
      for (const entry of this.#index.entries()) tellGap(entry);
      return;
    }
    const entries = new Set<ChannelEntry>();
    for (const prefix of prefixes) {
      const exact = this.#index.get(prefix);
      if (exact) entries.add(exact);
      for (const entry of this.#index.below(prefix) ?? []) entries.add(entry);
    }
    for (const entry of entries) tellGap(entry);
  }

  /** Sends something to the subscribers of one channel of this node, if it is here. */
  toOne(channel: string, packet: ServerPacket): void {
    const entry = this.#index.get(channel);
    if (entry && entry.members.size > 0) hand(entry, this.broadcast({ type: 'event', packet }, undefined, undefined));
  }

  /** As channels get it. */
  broadcast(publication: Publication, id: string | undefined, position: Position | undefined): ChannelPublish {
    const acceptedAt = performance.now();
    if (publication.type === 'event') {
      return { type: 'publish', packets: [publication.packet], actions: noActions, id, position, acceptedAt };
    }
    const { actions } = publication;
    return { type: 'publish', packets: this.#packets(actions), actions, id, position, acceptedAt };
  }

  /** What a publication amounts to; undefined if clients have to do something for it. */
  packetsOf(publication: Publication): readonly ServerPacket[] | undefined {
    return publication.type === 'event' ? [publication.packet] : this.#packets(publication.actions);
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

/** What its actor does not take, because it has crashed or its mailbox is full, is a gap: the subscribers get to know of it. */
function hand(entry: ChannelEntry, publish: ChannelPublish): void {
  if (entry.ref?.tell(publish)) entry.handed += 1;
  else if (entry.members.size > 0) entry.hasGap = true;
}

function tellGap(entry: ChannelEntry): void {
  if (entry.ref?.tell(gap)) {
    entry.handed += 1;
    entry.gaps += 1;
  } else if (entry.members.size > 0) {
    entry.hasGap = true;
  }
}
