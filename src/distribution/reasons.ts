/** Exit reasons and failures of calls, as terms and back. */
import { type ExitReason, ForeignReason, Shutdown } from '../kernel/types.ts';
import { catalogue, type ErrorCode, HiveError, toHiveError } from '../observe/errors.ts';
import { Atom, atom, ImproperList, isAtom, Tuple, tuple } from './codec/terms.ts';

/** Texts that are atoms of the same name. All others are binaries: nobody's texts may fill the table of atoms of another node. */
const words: ReadonlySet<string> = new Set(['normal', 'shutdown', 'kill', 'killed', 'noproc', 'noconnection']);

/** A word's atom, `{shutdown, Detail}`, `{hive_error, Code, Description}`, `{error, Message}`, a binary, or what another node gave. */
export function reasonToTerm(reason: ExitReason): unknown {
  if (typeof reason === 'string') return words.has(reason) ? atom(reason) : reason;
  if (reason instanceof Shutdown) return tuple(atom('shutdown'), reason.detail);
  if (reason instanceof ForeignReason) return reason.term;
  if (reason instanceof HiveError) return tuple(atom('hive_error'), atom(reason.code), reason.message);
  return tuple(atom('error'), reason.message);
}

/** The reason that becomes this term again. */
export function termToReason(term: unknown): ExitReason {
  if (term instanceof Atom && words.has(term.name)) return term.name;
  if (typeof term === 'string' && !words.has(term)) return term;
  const known = term instanceof Tuple ? reasonInTuple(term.items) : undefined;
  return known ?? new ForeignReason(term, describeTerm(term));
}

function reasonInTuple(items: readonly unknown[]): ExitReason | undefined {
  const [kind, first, second] = items;
  if (items.length === 3 && isAtom(kind, 'hive_error') && typeof second === 'string') return failure(first, second);
  if (items.length !== 2) return undefined;
  if (isAtom(kind, 'shutdown')) return new Shutdown(first);
  return isAtom(kind, 'error') && typeof first === 'string' ? new Error(first) : undefined;
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
