/** What the actors `hive_history` of the nodes tell one another. Other nodes may send anything: `isHistoryMessage` looks at it first. */
import type { Call, NodeName } from '../../../kernel/types.ts';
import type { HistoryPart, HistoryQuery } from '../../../plugins/history-store.ts';
import type { HistoryState } from '../../../plugins/history-stores/memory.ts';
import type { Privilege } from '../../../plugins/types.ts';
import type { WirePublication } from '../publication.ts';

/** Something published to one channel, on its way to the channel's home. */
export type Item = readonly [
  number: number,
  channel: string,
  privilege: Privilege,
  publication: WirePublication,
  confirm: boolean,
];

/** A boot of a node has published these, in this order. Answered when they are stored, with the numbers of those that are not: their home is elsewhere. */
export interface AppendMessage extends Call<readonly number[]> {
  readonly type: 'append';
  /** `id@host#creation`. */
  readonly by: string;
  readonly items: readonly Item[];
}

/** These nodes have not confirmed to have what that item has become; nobody is waited for any more. */
export interface ConfirmedMessage {
  readonly type: 'confirmed';
  readonly number: number;
  readonly missing: readonly string[];
}

export interface ReadMessage extends Call<HistoryPart> {
  readonly type: 'read';
  readonly channel: string;
  readonly query: HistoryQuery;
}

export interface ClearMessage extends Call<void> {
  readonly type: 'clear';
  readonly channel: string;
}

/** Histories whose home is the node that gets this. */
export interface MovedMessage extends Call<void> {
  readonly type: 'moved';
  readonly node: NodeName;
  readonly histories: readonly HistoryState[];
  /** There are no more, and the sender is connected with these nodes; null: it has not come to that. */
  readonly nodes: readonly NodeName[] | null;
}

/** That node is no home any more. */
export interface LeavingMessage extends Call<void> {
  readonly type: 'leaving';
  readonly node: NodeName;
}

export type HistoryMessage =
  | AppendMessage
  | ConfirmedMessage
  | ReadMessage
  | ClearMessage
  | MovedMessage
  | LeavingMessage;

/** Whether it has the form of one. What it publishes is looked into when it is read. */
export function isHistoryMessage(message: unknown): message is HistoryMessage {
  const { type, by, items, number, missing, channel, query, node, nodes, histories } = Object(message) as Record<
    string,
    unknown
  >;
  switch (type) {
    case 'append':
      return typeof by === 'string' && Array.isArray(items) && items.every(isItem);
    case 'confirmed':
      return isNumber(number) && areTexts(missing);
    case 'read':
      return typeof channel === 'string' && isQuery(query);
    case 'clear':
      return typeof channel === 'string';
    case 'moved': {
      const areNodes = nodes === null || areTexts(nodes);
      return typeof node === 'string' && areNodes && Array.isArray(histories) && histories.every(isState);
    }
    case 'leaving':
      return typeof node === 'string';
    default:
      return false;
  }
}

function isItem(item: unknown): boolean {
  if (!Array.isArray(item)) return false;
  const [number, channel, privilege, , confirm] = item as unknown[];
  const isPrivilege = privilege === 'public' || privilege === 'private';
  return isNumber(number) && typeof channel === 'string' && isPrivilege && typeof confirm === 'boolean';
}

function isQuery(query: unknown): boolean {
  const { epoch, since, before, limit } = Object(query) as Record<string, unknown>;
  const isEpoch = epoch === undefined || typeof epoch === 'string';
  const areBounds = [since, before].every((bound) => bound === undefined || isNumber(bound));
  return isEpoch && areBounds && isNumber(limit);
}

function isState(state: unknown): boolean {
  const { channel, epoch, offset, size, ttlMs, entries, taken } = Object(state) as Record<string, unknown>;
  if (typeof channel !== 'string' || typeof epoch !== 'string') return false;
  if (![offset, size, ttlMs].every(isNumber) || !Array.isArray(entries) || !Array.isArray(taken)) return false;
  const isEntry = (entry: unknown) => Array.isArray(entry) && entry.length === 4 && entry.slice(0, 3).every(isNumber);
  const isTaken = (row: unknown) =>
    Array.isArray(row) && typeof row[0] === 'string' && isNumber(row[1]) && isNumber(row[2]);
  return entries.every(isEntry) && taken.every(isTaken);
}

function isNumber(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function areTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
