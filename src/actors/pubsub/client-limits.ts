/** What one client may have of pub-sub: `pubsub.max_subscriptions_per_client`, `pubsub.max_channels_per_client`. */
import type { Config } from '../../config/types.ts';
import { HiveError } from '../../observe/errors.ts';
import type { Member } from '../contracts.ts';
import type { ChannelIndex } from './channel-index.ts';

export class ClientLimits {
  readonly #maxSubscriptions: number;
  readonly #maxChannels: number;
  readonly #index: ChannelIndex;

  constructor(config: Config['pubsub'], index: ChannelIndex) {
    this.#maxSubscriptions = config.max_subscriptions_per_client || Number.POSITIVE_INFINITY;
    this.#maxChannels = config.max_channels_per_client || Number.POSITIVE_INFINITY;
    this.#index = index;
  }

  /** @throws HiveError `limit_exceeded` if the client cannot have all of these channels besides those that it has */
  check(member: Member, ids: readonly string[]): void {
    const index = this.#index;
    const subscriptions = index.countOf(member.ref);
    if (subscriptions + ids.length > this.#maxSubscriptions) {
      const isNew = (id: string): boolean => index.get(id)?.members.has(member.ref) !== true;
      if (subscriptions + countOf(ids, isNew) > this.#maxSubscriptions) {
        const key = 'pubsub.max_subscriptions_per_client';
        throw exceeded(`A client may be subscribed to ${this.#maxSubscriptions} channels (${key}).`);
      }
    }
    const channels = member.openedChannels?.count ?? 0;
    if (channels + ids.length > this.#maxChannels) {
      const isNew = (id: string): boolean => index.get(id) === undefined;
      if (channels + countOf(ids, isNew) > this.#maxChannels) {
        const key = 'pubsub.max_channels_per_client';
        throw exceeded(`A client may open ${this.#maxChannels} channels (${key}).`);
      }
    }
  }
}

function exceeded(description: string): HiveError {
  return new HiveError('limit_exceeded', description);
}

function countOf(ids: readonly string[], counts: (id: string) => boolean): number {
  return new Set(ids.filter(counts)).size;
}
