/** Exit reasons and failures of calls, as terms and back. */
import { type ExitReason, Shutdown } from '../kernel/types.ts';
import { catalogue, type ErrorCode, HiveError, toHiveError } from '../observe/errors.ts';
import { Atom, atom, ImproperList, Tuple, tuple } from './terms.ts';

/** `{shutdown, Detail}`, `{hive_error, Code, Description}`, `{error, Message}`, or an atom. */
export function reasonToTerm(reason: ExitReason): unknown {
  if (reason instanceof Shutdown) return tuple(atom('shutdown'), reason.detail);
  if (reason instanceof HiveError) return tuple(atom('hive_error'), atom(reason.code), reason.message);
  if (reason instanceof Error) return tuple(atom('error'), reason.message);
  return reason.length <= 255 ? atom(reason) : reason;
}

export function termToReason(term: unknown): ExitReason {
  if (term instanceof Atom) return term.name;
  if (typeof term === 'string') return term;
  if (term instanceof Tuple) {
    const [kind, first, second] = term.items;
    if (kind instanceof Atom) {
      if (kind.name === 'shutdown' && term.items.length === 2) return new Shutdown(first);
      if (kind.name === 'hive_error') return failure(first, second) ?? describeTerm(term);
      if (kind.name === 'error' && typeof first === 'string') return new Error(first);
    }
  }
  return describeTerm(term);
}

/** The reply of a call that failed: `{error, {Code, Description}}`. */
export function failureToTerm(error: unknown): Tuple {
  const { code, message } = toHiveError(error);
  return tuple(atom('error'), tuple(atom(code), message));
}

/** The failure in a reply, if it is one of ours. */
export function termToFailure(reply: unknown): HiveError | undefined {
  if (!(reply instanceof Tuple) || reply.items.length !== 2) return undefined;
  const [kind, detail] = reply.items;
  if (!(kind instanceof Atom && kind.name === 'error' && detail instanceof Tuple)) return undefined;
  return failure(detail.items[0], detail.items[1]);
}

function failure(code: unknown, description: unknown): HiveError | undefined {
  if (!(code instanceof Atom) || !Object.hasOwn(catalogue, code.name)) return undefined;
  return new HiveError(code.name as ErrorCode, typeof description === 'string' ? description : undefined);
}

/** A term for people, in Erlang's notation, cut at some depth. */
export function describeTerm(term: unknown, depth = 4): string {
  if (depth === 0) return '…';
  const all = (items: readonly unknown[]) =>
    items
      .slice(0, 20)
      .map((item) => describeTerm(item, depth - 1))
      .join(',');
  if (typeof term === 'string') return `<<${JSON.stringify(term.slice(0, 200))}>>`;
  if (term instanceof Tuple) return `{${all(term.items)}}`;
  if (Array.isArray(term)) return `[${all(term)}]`;
  if (term instanceof ImproperList) return `[${all(term.items)}|${describeTerm(term.tail, depth - 1)}]`;
  if (term instanceof Uint8Array) return `<<${term.length} bytes>>`;
  if (typeof term === 'object' && term !== null && Object.getPrototypeOf(term) === Object.prototype) {
    const pairs = Object.entries(term).slice(0, 20);
    return `#{${pairs.map(([key, value]) => `${key} => ${describeTerm(value, depth - 1)}`).join(',')}}`;
  }
  return String(term);
}
