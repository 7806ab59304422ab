/**
 * Lines that others can provoke (errors of clients, wrong keys, wrong cookies, odd answers of back ends): of each kind and
 * source so many in ten seconds are logged, and the rest is counted and told in one line. Sources are limited, too: those
 * beyond share one account. Modules reach this as `Log.excess`.
 */
import type { Level, Log, Rest } from './logger.ts';
import { Counter } from './metrics.ts';
import { newReference } from './reference.ts';

const windowMs = 10_000;
/** Of one kind, from one source, in that time. */
const maxLines = 50;
/** Of one kind, from all sources together: whoever connects anew is a new source. */
const maxLinesOfKind = 500;
/** Accounts of one kind at a time. */
const maxAccounts = 100;
const others = 'others';

interface Kind {
  readonly accounts: Map<string, Account>;
  lines: number;
}

interface Account {
  readonly log: Log;
  readonly level: Level;
  lines: number;
  rest: (Rest & { count: number }) | undefined;
}

/** Calls back once when so many ms are over. */
export type Schedule = (ms: number, callback: () => void) => unknown;

export class FloodLog {
  readonly #schedule: Schedule;
  readonly #counted: Counter;
  readonly #kinds = new Map<string, Kind>();

  /** @param counted counts the lines that were not written */
  constructor(
    schedule: Schedule = (ms, callback) => setTimeout(callback, ms).unref(),
    counted: Counter = new Counter(),
  ) {
    this.#schedule = schedule;
    this.#counted = counted;
  }

  /**
   * Undefined if the caller is to log the line; else it was counted.
   * @param log gets the line that tells of the rest
   * @param kind a constant text: that line begins with it
   * @param source who has provoked it, as the log may show it
   */
  excess(log: Log, kind: string, source: string, level: Level): Rest | undefined {
    const known = this.#kinds.get(kind) ?? this.#open(kind);
    const account = this.#account(known.accounts, source, log, level);
    if (account.lines < maxLines && known.lines < maxLinesOfKind) {
      account.lines += 1;
      known.lines += 1;
      return undefined;
    }
    account.rest ??= { count: 0, reference: newReference() };
    account.rest.count += 1;
    this.#counted.value += 1;
    return account.rest;
  }

  /** Tells at once of all that was counted: for a node that is about to end. */
  settle(): void {
    for (const [kind, known] of this.#kinds) this.#settle(kind, known, 'until the node stopped');
  }

  #open(kind: string): Kind {
    const known: Kind = { accounts: new Map(), lines: 0 };
    this.#kinds.set(kind, known);
    const pass = (): void => {
      this.#settle(kind, known, `in ${windowMs / 1000} s`);
      known.lines = 0;
      if (known.accounts.size === 0) this.#kinds.delete(kind);
      else this.#schedule(windowMs, pass);
    };
    this.#schedule(windowMs, pass);
    return known;
  }

  #account(accounts: Map<string, Account>, source: string, log: Log, level: Level): Account {
    const known = accounts.get(source);
    if (known) return known;
    if (accounts.size >= maxAccounts && source !== others) return this.#account(accounts, others, log, level);
    const account: Account = { log, level, lines: 0, rest: undefined };
    accounts.set(source, account);
    return account;
  }

  /** Tells of what was counted, and forgets the sources that have stopped. */
  #settle(kind: string, { accounts }: Kind, span: string): void {
    for (const [source, account] of accounts) {
      const { log, level, rest } = account;
      account.lines = 0;
      account.rest = undefined;
      if (!rest) accounts.delete(source);
      else log[level](`${kind}: ${rest.count} more ${span}`, { source, reference: rest.reference });
    }
  }
}
