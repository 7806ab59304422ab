/**
 * What Erlang processes say, as the rest of the system says it. Names, sids and channels are binaries or atoms; JSON values are
 * terms with a counterpart in JSON: maps (keys: binaries or atoms), lists, binaries, numbers, and atoms, of which `true`, `false`
 * and `null` (`undefined`, `nil`) are themselves and all others text. Everything else is refused, not guessed at: a charlist
 * is a list of numbers.
 */

import { Atom, Tuple } from '../../distribution/codec/terms.ts';
import { isRef } from '../../distribution/control.ts';
import { describeTerm } from '../../distribution/reasons.ts';
import type { Ref } from '../../kernel/types.ts';
import { HiveError } from '../../observe/errors.ts';
import { historyQueryForm, historyQueryOf } from '../../plugins/history-query.ts';
import type { HistoryPageQuery } from '../../plugins/types.ts';
import { type ActionCall, toActionCalls } from '../../protocol/backend/action-call.ts';
import { isAskTimeout, maxAskTimeoutMs } from '../../protocol/backend/ask-timeout.ts';
import { type EventPacket, eventFromValue } from '../../protocol/packet.ts';
import { maxPage } from '../../web/api/api-host.ts';
import type { PageRequest } from '../pages.ts';

/** @throws HiveError `bad_request`, here and below */
export function textIn(term: unknown): string {
  if (typeof term === 'string') return term;
  if (term instanceof Atom) return term.name;
  throw refuse('a binary or an atom is expected', term);
}

/** One or several. */
export function textsIn(term: unknown): string[] {
  return Array.isArray(term) ? term.map(textIn) : [textIn(term)];
}

export function pidIn(term: unknown): Ref<unknown> {
  if (isRef(term)) return term as Ref<unknown>;
  throw refuse('a pid is expected', term);
}

/** Where a part of a list begins, and how many it has. */
export function pageIn(after: unknown, limit: unknown): PageRequest {
  const isLimit = typeof limit === 'number' && Number.isInteger(limit) && limit >= 1 && limit <= maxPage;
  if (!isLimit) throw refuse(`a number from 1 to ${maxPage} is expected`, limit);
  return { after: textIn(after), limit };
}

/** A map with the keys of `historyQueryForm`, each if wanted. */
export function historyQueryIn(term: unknown): HistoryPageQuery {
  const query = historyQueryOf(jsonIn(term));
  if (query) return query;
  throw refuse(`a map like ${historyQueryForm} is expected`, term);
}

/** How long the answer of a client is waited for, ms. */
export function timeoutIn(term: unknown): number {
  if (isAskTimeout(term)) return term;
  throw refuse(`a number of milliseconds from 1 to ${maxAskTimeoutMs} is expected`, term);
}

export function jsonIn(term: unknown): unknown {
  switch (typeof term) {
    case 'string':
    case 'number':
    case 'boolean':
      return term;
    case 'undefined':
      return null;
    case 'object':
      if (term === null) return null;
      if (Array.isArray(term)) return term.map(jsonIn);
      if (term instanceof Atom) return term.name === 'nil' ? null : term.name;
      if (Object.getPrototypeOf(term) === Object.prototype) return recordIn(term as Record<string, unknown>);
  }
  throw refuse('a term that JSON has, too, is expected', term);
}

function recordIn(term: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(term).map(([key, value]) => [key, jsonIn(value)]));
}

/** `{Name, Args}` or `#{name => Name, args => Args}`. */
export function eventIn(term: unknown): EventPacket {
  if (!(term instanceof Tuple)) return eventFromValue(jsonIn(term));
  const [name, args] = term.items;
  if (term.items.length !== 2) throw refuse('{Name, Args} is expected', term);
  return eventFromValue({ name: textIn(name), args: jsonIn(args) });
}

/** One or several of `{Action, Args}` or `#{action => Action, args => Args}`. */
export function actionsIn(term: unknown): ActionCall[] {
  return toActionCalls((Array.isArray(term) ? term : [term]).map(orderIn));
}

function orderIn(term: unknown): unknown {
  if (!(term instanceof Tuple)) return jsonIn(term);
  const [action, args] = term.items;
  if (term.items.length !== 2) throw refuse('{Action, Args} is expected', term);
  return { action: textIn(action), args: jsonIn(args) };
}

function refuse(reason: string, term: unknown): HiveError {
  return new HiveError('bad_request', `${reason}: ${describeTerm(term)}`, { summary: reason });
}
