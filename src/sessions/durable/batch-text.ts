/**
 * A batch of journal entries, as Redis has it: one text, which costs Redis and the client library as much as one entry would. A line
 * says how long the parts are that follow it, in UTF-16 units.
 *
 *   "11\n"                                    number of the last entry before this batch
 *   "12 e 6 4 7 0\n" "c:news" "news" "[1,2,3]" ""   number, kind, lengths; scope, name of the event, its arguments, id of the publication
 *   "14 t …
 *
 * Numbers may be left out: a hole is a batch whose predecessor is not there.
 */
import { EventPacket, MessagePacket, type ServerPacket } from '../../protocol/packet.ts';

/** Whose entries belong together: a channel, or a session. */
export type ScopeField = `c:${string}` | `s:${string}`;

export interface StoredEntry {
  readonly number: number;
  readonly scope: string;
  readonly packet: ServerPacket;
  /** Of the publication; empty if there is none. */
  readonly id: string;
}

export interface StoredBatch {
  /** Number of the last entry of the batch before. */
  readonly previous: number;
  readonly entries: readonly StoredEntry[];
}

const kinds = { event: 'e', text: 't', json: 'j' } as const;

/** @param previous number of the last entry before the batch */
export function batchHead(previous: number): string {
  return `${previous}\n`;
}

export function entryText(number: number, scope: ScopeField, packet: ServerPacket, id: string): string {
  let kind: string = kinds.event;
  let name = '';
  let data: string;
  if (packet.type === 'message') {
    kind = packet.json ? kinds.json : kinds.text;
    data = JSON.stringify(packet.data) ?? '';
  } else {
    if (packet.type === 'event') name = packet.name;
    data = packet.argsJson;
  }
  const head = `${number} ${kind} ${scope.length} ${name.length} ${data.length} ${id.length}\n`;
  return head + scope + name + data + id;
}

/** @throws Error if it is not the text of a batch */
export function batchOf(text: string): StoredBatch {
  const entries: StoredEntry[] = [];
  let at = 0;
  const line = (): string => {
    const end = text.indexOf('\n', at);
    if (end < 0) throw new Error('a batch of the journal is cut off');
    const found = text.slice(at, end);
    at = end + 1;
    return found;
  };
  const part = (length: string | undefined): string => {
    const start = at;
    at += Number(length);
    if (!(at <= text.length)) throw new Error('a batch of the journal is cut off');
    return text.slice(start, at);
  };
  const previous = Number(line());
  while (at < text.length) {
    const [number, kind = '', ...lengths] = line().split(' ');
    const [scope, name, data, id] = [part(lengths[0]), part(lengths[1]), part(lengths[2]), part(lengths[3])];
    entries.push({ number: Number(number), scope, packet: packetOf(kind, name, data), id });
  }
  return { previous, entries };
}

function packetOf(kind: string, name: string, data: string): ServerPacket {
  if (kind === kinds.event) return new EventPacket(name, data);
  return new MessagePacket(data === '' ? undefined : JSON.parse(data), kind === kinds.json);
}
