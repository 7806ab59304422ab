/**
 * What every process of OTP answers, answered for the actors of this node: `sys` asks for state and status or stops, and
 * `supervisor` looks at children. So tools of the BEAM work with Hive's actors, which need not know of them.
 */
import type { Kernel } from '../kernel/kernel.ts';
import type { ChildCounts, ChildInfo } from '../kernel/supervision.ts';
import type { AnyRef, From } from '../kernel/types.ts';
import { HiveError } from '../observe/errors.ts';
import { Atom, atom, isAtom, Tuple, tuple } from './codec/terms.ts';
import { describeTerm, termToReason } from './reasons.ts';

const ok = atom('ok');

/** `{system, From, Request}` of `sys` and `gen_server:stop`. */
export function serveSystem(kernel: Kernel, to: AnyRef, request: unknown, from: From): void {
  const seen = kernel.inspect(to);
  if (!seen) return from.fail(new HiveError('not_running', `The actor ${to} is not running.`));
  const [name, reason] = request instanceof Tuple ? request.items : [request];
  // As from OTP 27 on; nothing of what is sent tells whether an older one asks.
  if (isAtom(name, 'get_state')) return from.reply(tuple(ok, seen.state));
  if (isAtom(name, 'get_status')) {
    const { state, label, ...status } = seen;
    const misc = [tuple(atom('header'), label), tuple(atom('data'), [tuple('Status', status), tuple('State', state)])];
    return from.reply(
      tuple(atom('status'), to, tuple(atom('module'), atom('hive')), [[], atom('running'), to, [], misc]),
    );
  }
  if (isAtom(name, 'terminate') && request instanceof Tuple && request.items.length === 2) {
    from.reply(ok);
    void kernel.stop(to, termToReason(reason));
    return;
  }
  from.fail(new HiveError('bad_request', `Actors do not understand the system message ${describeTerm(request)}.`));
}

/** The request in our words and a caller that translates the answer, if it is one of `supervisor`'s. */
export function supervisorRequest(message: unknown, from: From): { message: object; from: From } | undefined {
  if (!(message instanceof Atom)) return undefined;
  switch (message.name) {
    case 'which_children':
      return { message: { type: message.name }, from: translated(from, rows) };
    case 'count_children':
      return { message: { type: message.name }, from: translated(from, counts) };
    default:
      return undefined;
  }
}

function translated<Answer>(from: From, translate: (answer: Answer) => unknown): From {
  return {
    reply: (answer: unknown) => from.reply(translate(answer as Answer)),
    fail: (error) => from.fail(error),
  };
}

/** `{Id, Child, Type, Modules}` each. */
function rows(children: readonly ChildInfo[]): Tuple[] {
  return children.map(({ id, ref, type }) => tuple(id, typeof ref === 'string' ? atom(ref) : ref, atom(type), []));
}

function counts(count: ChildCounts): Tuple[] {
  return Object.entries(count).map(([what, n]) => tuple(atom(what), n));
}
