/** Ids of channels: text in dotted segments, such as `news.eu.1`. A prefix of whole segments stands for all channels under it. */
import { HiveError } from '../observe/errors.ts';

/** Longest id, in UTF-16 units. Ids may come from clients, and every dotted prefix of one is indexed. */
export const maxIdLength = 255;

const dot = '.'.charCodeAt(0);

/** Whether a channel's id is the prefix, or lies under it. */
export function isUnder(id: string, prefix: string): boolean {
  return id === prefix || (id.startsWith(prefix) && id.charCodeAt(prefix.length) === dot);
}

/** @throws HiveError `bad_channel_id` for an id that is empty, too long or has an empty segment */
export function checkId(id: string): void {
  if (id.length > maxIdLength) {
    throw refusedId('bad_channel_id', `A channel id has at most ${maxIdLength} characters:`, `${id.slice(0, 40)}…`);
  }
  if (id === '' || id.startsWith('.') || id.endsWith('.') || id.includes('..')) {
    throw refusedId('bad_channel_id', 'A channel id has an empty segment:', `"${id}"`);
  }
}

/** Ids come from clients: who asked may see them again, the log does not. */
export function refusedId(code: 'bad_channel_id' | 'access_denied', summary: string, id: string): HiveError {
  return new HiveError(code, `${summary} ${id}`, { summary: summary.replace(/:$/, '') });
}
