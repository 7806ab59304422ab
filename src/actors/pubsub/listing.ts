/** The channels of a node, as they are counted and listed. */
import { HiveError } from '../../observe/errors.ts';
import { checkId } from '../channel-ids.ts';
import type { ChannelRow } from '../contracts.ts';
import { namesIn, type PageRequest } from '../pages.ts';
import type { ChannelEntry, ChannelIndex } from './channel-index.ts';

/** Subscriptions at and under a prefix. @throws HiveError `bad_channel_id`, or `unknown_channel_id` if no channel is there */
export function subscriptionsUnder(index: ChannelIndex, prefix: string): number {
  checkId(prefix);
  const exact = index.get(prefix);
  const below = index.below(prefix);
  if (!exact && !below) throw new HiveError('unknown_channel_id', `No channel is under ${prefix} on this node.`);
  let subscriptions = 0;
  if (exact) subscriptions += subscribersOf(exact);
  if (below) for (const entry of below) subscriptions += subscribersOf(entry);
  return subscriptions;
}

function subscribersOf(entry: ChannelEntry): number {
  const { counters } = entry.template;
  counters.requests.value += 1;
  counters.status.value += 1;
  return entry.members.size;
}

/** Those at and under a prefix, or all under '', with what is in them. @throws HiveError `bad_channel_id` */
export function channelsUnder(index: ChannelIndex, prefix: string, page: PageRequest): ChannelRow[] {
  if (prefix !== '') checkId(prefix);
  return namesIn(idsOf(index.under(prefix)), page).map((id) => {
    const { members, published } = index.get(id)!;
    return [id, members.size, published];
  });
}

function* idsOf(entries: Iterable<ChannelEntry>): Iterable<string> {
  for (const { id } of entries) yield id;
}
