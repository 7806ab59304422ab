/**
 * Warnings that somebody may cause again and again: the first of a kind is logged at once, and those of the next ten
 * seconds are counted and told in one line.
 */
import type { Log } from './logger.ts';

const pauseMs = 10_000;

interface Kind {
  /** How many were not logged. */
  silent: number;
  readonly log: () => void;
}

export class RepeatedLog {
  readonly #schedule: (ms: number, callback: () => void) => unknown;
  readonly #kinds = new Map<string, Kind>();

  /** @param schedule calls back once when so many ms are over */
  constructor(schedule: (ms: number, callback: () => void) => unknown) {
    this.#schedule = schedule;
  }

  /** @param kind one of a small number: each is remembered for as long as it goes on */
  warn(log: Log, kind: string, message: string, fields: Record<string, unknown>): void {
    const present = this.#kinds.get(kind);
    if (present) {
      present.silent += 1;
      return;
    }
    log.warning(message, fields);
    const more: Kind = { silent: 0, log: () => log.warning(message, { ...fields, times: more.silent }) };
    this.#kinds.set(kind, more);
    this.#schedule(pauseMs, () => this.#tell(kind, more));
  }

  #tell(kind: string, more: Kind): void {
    if (more.silent === 0) {
      this.#kinds.delete(kind);
      return;
    }
    more.log();
    more.silent = 0;
    this.#schedule(pauseMs, () => this.#tell(kind, more));
  }
}
