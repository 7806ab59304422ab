/** Which part of a history a client or an Erlang process asks for. */
import { maxReplay } from './history-store.ts';
import type { HistoryPageQuery } from './types.ts';

/** Entries, unless the caller says how many. */
const usualLimit = 100;

/** For people. */
export const historyQueryForm = `{since, epoch, limit (1 to ${maxReplay}), reverse}`;

/** Undefined if it has another form. */
export function historyQueryOf(value: unknown): HistoryPageQuery | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { since, epoch, limit = usualLimit, reverse, ...others } = value as Record<string, unknown>;
  const isEpoch = epoch === undefined || typeof epoch === 'string';
  const isReverse = reverse === undefined || typeof reverse === 'boolean';
  if (!isEpoch || !isReverse || Object.keys(others).length > 0) return undefined;
  if (since !== undefined && !isWhole(since)) return undefined;
  return isWhole(limit) && limit >= 1 && limit <= maxReplay ? { since, epoch, limit, reverse } : undefined;
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
