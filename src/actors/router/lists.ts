/** The channels and clients of this node, as they are counted and listed. */
import { HiveError } from '../../observe/errors.ts';
import { checkId, isUnder } from '../channel-ids.ts';
import type { ClientActor } from '../client/client.ts';
import type { ChannelRow, Memberships } from '../contracts.ts';
import { namesIn, type PageRequest } from '../pages.ts';
import type { ClientRegistry } from './client-registry.ts';
import type { ClientRow } from './wire-messages.ts';

/** The channels of a node. Both throw `bad_channel_id`. */
export interface ChannelLists {
  /** Subscriptions of the channels at and under a prefix; throws `unknown_channel_id` if there are none. */
  status(prefix: string): number;
  /** The channels at and under a prefix, or all for ''. */
  list(prefix: string, page: PageRequest): readonly ChannelRow[];
}

export class Lists {
  readonly #registry: ClientRegistry;
  readonly #memberships: Pick<Memberships, 'channelsOf'>;
  readonly #channels: ChannelLists;

  constructor(registry: ClientRegistry, memberships: Pick<Memberships, 'channelsOf'>, channels: ChannelLists) {
    this.#registry = registry;
    this.#memberships = memberships;
    this.#channels = channels;
  }

  /** Subscriptions of the channels at and under a prefix; 0 if there are no such channels. */
  subscribers(prefix: string): number {
    try {
      return this.#channels.status(prefix);
    } catch (error) {
      if (error instanceof HiveError && error.code === 'unknown_channel_id') return 0;
      throw error;
    }
  }

  /** The channels at and under a prefix, or all for ''. @throws HiveError `bad_channel_id` */
  channels(prefix: string, page: PageRequest): readonly ChannelRow[] {
    return this.#channels.list(prefix, page);
  }

  /** The clients that back ends can know, in channels at and under a prefix, or all for ''. @throws HiveError `bad_channel_id` */
  clients(prefix: string, page: PageRequest): readonly ClientRow[] {
    if (prefix !== '') checkId(prefix);
    return namesIn(this.#sids(prefix), page).map((sid) => {
      const { output, source } = this.#registry.any(sid)!;
      return [sid, source.connectedAt, output.phase === 'suspended'];
    });
  }

  *#sids(prefix: string): Iterable<string> {
    for (const client of this.#registry.all()) if (client.isKnown && this.#isIn(client, prefix)) yield client.sid;
  }

  #isIn({ output }: ClientActor, prefix: string): boolean {
    return prefix === '' || this.#memberships.channelsOf(output).some((id) => isUnder(id, prefix));
  }
}
