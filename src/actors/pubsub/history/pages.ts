/** A part of a history as clients and back ends get it. */
import type { HistoryEntry, HistoryPart } from '../../../plugins/history-store.ts';
import type { HistoryPage, HistoryPageQuery, HistoryRow } from '../../../plugins/types.ts';
import { fromTerm } from '../publication.ts';
import type { Histories } from './history.ts';

/** @throws as `Histories.read` */
export async function historyPage(
  histories: Histories,
  channel: string,
  { since, epoch, limit, reverse }: HistoryPageQuery,
): Promise<HistoryPage> {
  if (since === undefined || !reverse) {
    const part = await histories.part(channel, { since, epoch, limit });
    return pageOf(channel, part, reverse);
  }
  // The last ones of those behind it, and whether all of those are there.
  const { complete } = await histories.read(channel, { since, epoch, limit: 0 });
  const part = await histories.part(channel, { limit });
  const isSame = epoch === undefined || epoch === part.epoch;
  const entries = isSame ? part.entries.filter(({ offset }) => offset > since) : part.entries;
  return pageOf(channel, { ...part, entries, complete: complete && isSame }, true);
}

function pageOf(channel: string, { epoch, offset, entries, complete }: HistoryPart, reverse = false): HistoryPage {
  const rows = entries.map(rowOf);
  return { channel, epoch, offset, entries: reverse ? rows.reverse() : rows, complete };
}

function rowOf({ offset, at, content }: HistoryEntry): HistoryRow {
  const publication = fromTerm(content);
  if (publication.type === 'actions') return { offset, at, actions: publication.actions };
  const { packet } = publication;
  switch (packet.type) {
    case 'event':
      return { offset, at, name: packet.name, args: JSON.parse(packet.argsJson) };
    case 'message':
      return { offset, at, message: packet.data };
    default:
      return { offset, at };
  }
}
