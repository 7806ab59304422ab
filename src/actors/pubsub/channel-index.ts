/**
 * The channels of one node and who is subscribed to them: a table (as of ETS) that belongs to the node and not to an actor, so
 * that it outlives whoever serves it. Publishers read it directly.
 *
 *   'news.eu.1'  ──exact──▶ entry          'news'     ──below──▶ { news.eu.1, news.eu.2, news.us }
 *                                          'news.eu'  ──below──▶ { news.eu.1, news.eu.2 }
 *   client       ──of─────▶ its entries
 *
 * Joining services add entries; everything else about an entry is written by its channel's actor alone.
 */

import type { Kernel } from '../../kernel/kernel.ts';
import { count, type SmallSet, valuesOf, withoutValue, withValue } from '../../kernel/small-set.ts';
import type { Ref } from '../../kernel/types.ts';
import type { Position } from '../../plugins/types.ts';
import { isUnder } from '../channel-ids.ts';
import type { ChannelCount, ClientDelivery, Member } from '../contracts.ts';
import type { ChannelMessage } from './channel-messages.ts';
import type { Template } from './templates.ts';

/** A client that has deliveries to answer. */
export class Behind {
  deliveries = 0;
  offFanout: boolean;
  constructor(offFanout: boolean) {
    this.offFanout = offFanout;
  }
}

/** One channel. Its subscribers are here and not in its actor: an actor that follows a crashed one finds them. */
export class ChannelEntry {
  readonly id: string;
  readonly template: Template;
  /** The actor that serves the channel, or the last one that did; undefined before the first. `isServed` tells. */
  ref: Ref<ChannelMessage> | undefined;
  /** The connected nodes know that this channel is here. */
  announced = false;
  /** Joins under way: a channel that has any is not closed for being empty. */
  joining = 0;
  /** Publications that its actor was given, and how many of them it has dealt with: it takes the rest with it when it crashes. */
  handed = 0;
  handled = 0;
  /** How many of them only say that something is missing. */
  gaps = 0;
  /** Something published did not even reach its actor, and its subscribers have not been told. */
  hasGap = false;
  /** How far its subscribers have come in its history, if it has one and that is known. */
  followed: Position | undefined;
  readonly members = new Map<Ref<ClientDelivery>, Member>();
  readonly behind = new Map<Ref<ClientDelivery>, Behind>();
  /** Clients that had left, and were behind, when an actor of the channel crashed. */
  overtaken: WeakSet<Ref<ClientDelivery>> | undefined;
  /** Counts it for whoever has opened it, as long as it is there. */
  readonly opener: ChannelCount;

  constructor(id: string, template: Template, opener: ChannelCount) {
    this.id = id;
    this.template = template;
    this.opener = opener;
  }

  /** Publications since the channel is here. */
  get published(): number {
    return this.handed - this.gaps;
  }

  isServed(kernel: Kernel): boolean {
    const { ref } = this;
    return ref !== undefined && kernel.local(ref.id, ref.serial, ref.creation) !== undefined;
  }

  /** Whether the id is the prefix, or lies under it. */
  isUnder(prefix: string): boolean {
    return isUnder(this.id, prefix);
  }
}

/** Channels by what they are under: their ids, and each prefix of these. */
export function byPrefix(ids: Iterable<string>): ReadonlyMap<string, readonly string[]> {
  const under = new Map<string, string[]>();
  for (const id of ids) {
    for (let end = id.indexOf('.'); ; end = id.indexOf('.', end + 1)) {
      const prefix = end < 0 ? id : id.slice(0, end);
      const known = under.get(prefix);
      if (known) known.push(id);
      else under.set(prefix, [id]);
      if (end < 0) break;
    }
  }
  return under;
}

export interface PresenceWatcher {
  joined(entry: ChannelEntry, member: Member): void;
  left(entry: ChannelEntry, member: Member): void;
}

export class ChannelIndex {
  readonly #entries = new Map<string, ChannelEntry>();
  readonly #below = new Map<string, Set<ChannelEntry>>();
  readonly #byClient = new Map<Ref<ClientDelivery>, SmallSet<ChannelEntry>>();
  /** Is told who is in the channels whose template has `presence`. */
  presence: PresenceWatcher | undefined;

  get size(): number {
    return this.#entries.size;
  }

  get(id: string): ChannelEntry | undefined {
    return this.#entries.get(id);
  }

  /** The channels whose id continues the prefix with a dot. */
  below(prefix: string): ReadonlySet<ChannelEntry> | undefined {
    return this.#below.get(prefix);
  }

  /** The channels at and under a prefix; under '' there are all. */
  *under(prefix: string): Iterable<ChannelEntry> {
    if (prefix === '') return yield* this.#entries.values();
    const exact = this.#entries.get(prefix);
    if (exact) yield exact;
    yield* this.#below.get(prefix) ?? [];
  }

  entries(): IterableIterator<ChannelEntry> {
    return this.#entries.values();
  }

  ids(): string[] {
    return [...this.#entries.keys()];
  }

  /** @param member whoever is the first to join it */
  add(id: string, template: Template, member: Member): ChannelEntry {
    member.openedChannels ??= { count: 0 };
    member.openedChannels.count += 1;
    const entry = new ChannelEntry(id, template, member.openedChannels);
    this.#entries.set(id, entry);
    template.channels += 1;
    for (let end = id.indexOf('.'); end >= 0; end = id.indexOf('.', end + 1)) {
      const prefix = id.slice(0, end);
      const below = this.#below.get(prefix);
      if (below) below.add(entry);
      else this.#below.set(prefix, new Set([entry]));
    }
    return entry;
  }

  remove(entry: ChannelEntry): void {
    const { id } = entry;
    if (this.#entries.get(id) !== entry) return;
    for (const client of [...entry.members.keys()]) this.unsubscribe(entry, client);
    this.#entries.delete(id);
    entry.opener.count -= 1;
    entry.template.channels -= 1;
    for (let end = id.indexOf('.'); end >= 0; end = id.indexOf('.', end + 1)) {
      const prefix = id.slice(0, end);
      const below = this.#below.get(prefix);
      below?.delete(entry);
      if (below?.size === 0) this.#below.delete(prefix);
    }
  }

  /** False if the client was subscribed already. */
  subscribe(entry: ChannelEntry, member: Member): boolean {
    const client = member.ref;
    if (entry.members.has(client)) return false;
    entry.members.set(client, member);
    entry.template.subscriptions += 1;
    this.#byClient.set(client, withValue(this.#byClient.get(client), entry));
    if (entry.template.presence) this.presence?.joined(entry, member);
    return true;
  }

  /** False if the client was not subscribed. */
  unsubscribe(entry: ChannelEntry, client: Ref<ClientDelivery>): boolean {
    const member = entry.members.get(client);
    if (!member) return false;
    entry.members.delete(client);
    entry.template.subscriptions -= 1;
    const others = withoutValue(this.#byClient.get(client), entry);
    if (others) this.#byClient.set(client, others);
    else this.#byClient.delete(client);
    if (entry.template.presence) this.presence?.left(entry, member);
    return true;
  }

  /** How many channels the client is subscribed to. */
  countOf(client: Ref<ClientDelivery>): number {
    return count(this.#byClient.get(client));
  }

  /** The channels that the client is subscribed to. */
  of(client: Ref<ClientDelivery>): readonly ChannelEntry[] {
    return valuesOf(this.#byClient.get(client));
  }
}
