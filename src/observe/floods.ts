/**
 * Lines that strangers can provoke (errors of clients, wrong keys, wrong cookies): of each kind and source so many in ten
 * seconds are logged, and the rest is counted and told in one line. Sources are limited, too: those beyond share one account.
 */
import type { Log } from './logger.ts';
import { newReference } from './reference.ts';

const windowMs = 10_000;
/** Of one kind, from one source, in that time. */
const maxLines = 50;
/** Accounts at a time. */
const maxAccounts = 100;
const others = 'others';

/** What was not logged. */
export interface Rest {
  readonly count: number;
  /** Under which the log will have it. */
  readonly reference: string;
}

interface Account {
  lines: number;
  rest: (Rest & { count: number }) | undefined;
}

/** Calls back once when so many ms are over. */
export type Schedule = (ms: number, callback: () => void) => unknown;

export class FloodLog {
  readonly #log: Log;
  readonly #schedule: Schedule;
  readonly #accounts = new Map<string, Account>();

  constructor(log: Log, schedule: Schedule = (ms, callback) => setTimeout(callback, ms).unref()) {
    this.#log = log;
    this.#schedule = schedule;
  }

  /**
   * Undefined if the caller is to log the line; else it was counted.
   * @param kind a constant text: the line that tells of the rest begins with it
   * @param source who has provoked it, as the log may show it
   */
  excess(kind: string, source: string, level: 'warning' | 'error' = 'warning'): Rest | undefined {
    const account = this.#account(kind, source, level);
    if (account.lines < maxLines) {
      account.lines += 1;
      return undefined;
    }
    account.rest ??= { count: 0, reference: newReference() };
    account.rest.count += 1;
    return account.rest;
  }

  #account(kind: string, source: string, level: 'warning' | 'error'): Account {
    const key = `${kind}\n${source}`;
    const known = this.#accounts.get(key);
    if (known) return known;
    if (this.#accounts.size >= maxAccounts && source !== others) return this.#account(kind, others, level);
    const account: Account = { lines: 0, rest: undefined };
    this.#accounts.set(key, account);
    const settle = (): void => {
      const { rest } = account;
      if (!rest) {
        this.#accounts.delete(key);
        return;
      }
      account.lines = 0;
      account.rest = undefined;
      const { count, reference } = rest;
      this.#log[level](`${kind}: ${count} more in ${windowMs / 1000} s`, { source, reference });
      this.#schedule(windowMs, settle);
    };
    this.#schedule(windowMs, settle);
    return account;
  }
}
