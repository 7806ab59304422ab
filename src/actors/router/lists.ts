/** The channels and clients of this node, as they are counted and listed. */
import { HiveError } from '../../observe/errors.ts';
import { checkId, isUnder } from '../channel-ids.ts';
import type { ClientActor } from '../client/client.ts';
import type { Users } from '../client/users.ts';
import type { ChannelRow, Memberships } from '../contracts.ts';
import { namesIn, type PageRequest } from '../pages.ts';
import type { ClientRegistry } from './client-registry.ts';
import type { ClientRow, UserRow } from './wire-messages.ts';

/** The channels of a node. Both throw `bad_channel_id`. */
export interface ChannelLists {
  /** Subscriptions of the channels at and under a prefix; throws `unknown_channel_id` if there are none. */
  status(prefix: string): number;
  /** The channels at and under a prefix, or all for ''. */
  list(prefix: string, page: PageRequest): readonly ChannelRow[];
}

/** The clients of a node: in which channels they are, and whose. */
export interface ListedClients {
  readonly memberships: Pick<Memberships, 'channelsOf'>;
  readonly users: Users | undefined;
}

export class Lists {
  readonly #registry: ClientRegistry;
  readonly #memberships: Pick<Memberships, 'channelsOf'>;
  readonly #channels: ChannelLists;
  readonly #users: Users | undefined;

  constructor(registry: ClientRegistry, { memberships, users }: ListedClients, channels: ChannelLists) {
    this.#registry = registry;
    this.#memberships = memberships;
    this.#users = users;
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

  /**
   * The clients that back ends can know: those in channels at and under a prefix, or all for '', of a user, or all for ''.
   * @throws HiveError `bad_channel_id`
   */
  clients(prefix: string, user: string, page: PageRequest): readonly ClientRow[] {
    if (prefix !== '') checkId(prefix);
    return namesIn(this.#sids(prefix, user), page).map((sid) => {
      const { output, source } = this.#registry.any(sid)!;
      return [sid, source.connectedAt, output.phase === 'suspended', this.#users?.userOf(sid) ?? null];
    });
  }

  /** The clients that back ends can know, in channels at and under a prefix. @throws HiveError `bad_channel_id` */
  sidsIn(prefix: string): string[] {
    checkId(prefix);
    return [...this.#sids(prefix, '')];
  }

  *#sids(prefix: string, user: string): Iterable<string> {
    const clients = user === '' ? this.#registry.all() : this.sessionsOf(user).map(([sid]) => this.#registry.any(sid)!);
    for (const client of clients) if (client.isKnown && this.#isIn(client, prefix)) yield client.sid;
  }

  /** Those of them that are a user's. */
  sessionsOf(user: string): readonly UserRow[] {
    const sessions = this.#users?.of(user) ?? [];
    return sessions
      .filter(({ sid }) => this.#registry.find(sid))
      .map(({ sid, since, isSettled }) => [sid, since, isSettled]);
  }

  #isIn({ output }: ClientActor, prefix: string): boolean {
    return prefix === '' || this.#memberships.channelsOf(output).some((id) => isUnder(id, prefix));
  }
}
