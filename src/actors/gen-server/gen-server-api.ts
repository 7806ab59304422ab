/**
 * How a registered actor answers Erlang processes. Their requests are atoms, or tuples that start with one (the nodes of a
 * Hive cluster talk in maps, which pass by here). Answers: `ok`, `{ok, Value}` or `{error, {Code, Description}}`.
 *
 *   gen_server:call({hive_router, Node}, {act, Sid, Orders})  ──▶  'act/2'  ──▶  ok
 *   gen_server:cast(…)                                             the same; a failure is a line in the log
 */

import { Atom, atom, Tuple, tuple } from '../../distribution/codec/terms.ts';
import { describeTerm } from '../../distribution/reasons.ts';
import type { From } from '../../kernel/types.ts';
import { HiveError, toHiveError } from '../../observe/errors.ts';
import type { Log } from '../../observe/logger.ts';

/** An atom, or a tuple that starts with one. It has no `type`, by which actors tell it from their other messages. */
export type GenServerRequest = (Atom | Tuple) & { readonly type?: undefined };

/** Gives the value of the answer, undefined for a mere `ok`. A HiveError that it throws or rejects with is the answer. */
export type Handler = (...args: readonly unknown[]) => unknown;

const ok = atom('ok');

export class GenServerApi {
  readonly #handlers: ReadonlyMap<string, Handler>;
  readonly #log: Log;

  /** @param handlers by name and number of arguments: `act/2` */
  constructor(handlers: Readonly<Record<string, Handler>>, log: Log) {
    this.#handlers = new Map(Object.entries(handlers));
    this.#log = log;
  }

  /** Performs a request, and answers it. */
  serve(message: GenServerRequest, from: From | undefined): void {
    const [, ...args] = parts(message);
    try {
      const handler = this.#handlers.get(nameOf(message));
      if (!handler) {
        const summary = 'There is no such request';
        throw new HiveError('bad_request', `There is no request ${describeTerm(message)}.`, { summary });
      }
      const value = handler(...args);
      if (value instanceof Promise) this.#await(value, message, from);
      else this.#reply(value, from);
    } catch (error) {
      if (!(error instanceof HiveError)) throw error;
      this.#fail(error, message, from);
    }
  }

  /** Whoever waits must not hold up other requests. */
  #await(value: Promise<unknown>, message: GenServerRequest, from: From | undefined): void {
    value.then(
      (awaited) => this.#reply(awaited, from),
      (error: unknown) => this.#fail(toHiveError(error), message, from),
    );
  }

  #reply(value: unknown, from: From | undefined): void {
    from?.reply(value === undefined ? ok : tuple(ok, value));
  }

  #fail(error: HiveError, message: GenServerRequest, from: From | undefined): void {
    if (from) return from.fail(error);
    const name = nameOf(message);
    const what = this.#handlers.has(name) ? name : 'a cast';
    if (this.#log.excess('a cast of an Erlang process failed', what)) return;
    this.#log.warning(`${what} of an Erlang process failed: ${error.summary}`, { error: error.code });
    this.#log.debug(`the cast was ${describeTerm(message)}: ${error.message}`);
  }
}

/** Whether it has the form of one: what else comes from other nodes is none of an Erlang process. */
export function isGenServerRequest(message: unknown): message is GenServerRequest {
  return parts(message)[0] instanceof Atom;
}

function parts(message: unknown): readonly unknown[] {
  return message instanceof Tuple ? message.items : [message];
}

/** `act/2` for `{act, Sid, Orders}`. */
function nameOf(message: unknown): string {
  const [name, ...args] = parts(message);
  return `${name}/${args.length}`;
}
