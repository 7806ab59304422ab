/**
 * Lines that somebody may cause again and again: the first of a kind is logged at once, and those of the next ten
 * seconds are counted and told in one line.
 */
import type { Log } from './logger.ts';

type Level = 'debug' | 'notice' | 'warning';

const pauseMs = 10_000;

interface Kind {
  /** How many were not logged. */
  silent: number;
  readonly log: () => void;
  timer: Scheduled | undefined;
}

type Scheduled = { cancel(): void } | void;

export class RepeatedLog {
  readonly #schedule: (ms: number, callback: () => void) => Scheduled;
  readonly #kinds = new Map<string, Kind>();

  /** @param schedule calls back once when so many ms are over */
  constructor(schedule: (ms: number, callback: () => void) => Scheduled) {
    this.#schedule = schedule;
  }

  /** True if one of the kind was logged lately, and this one is counted instead: for who makes no line in vain. */
  counts(kind: string): boolean {
    const present = this.#kinds.get(kind);
    if (!present) return false;
    present.silent += 1;
    return true;
  }

  warn(log: Log, kind: string, message: string, fields: Record<string, unknown>): void {
    if (!this.counts(kind)) this.begin(log, 'warning', kind, message, fields);
  }

  /** Logs the first line of a kind that `counts` knows nothing of. @param kind one of a small number: each is remembered for as long as it goes on */
  begin(log: Log, level: Level, kind: string, message: string, fields: Record<string, unknown>): void {
    log[level](message, fields);
    const tell = () => log[level](message, { ...fields, times: more.silent });
    const more: Kind = { silent: 0, log: tell, timer: undefined };
    this.#kinds.set(kind, more);
    more.timer = this.#schedule(pauseMs, () => this.#tell(kind, more));
  }

  /** Tells at once of all that was counted, and waits for nothing more: for a node that is about to end. */
  settle(): void {
    for (const more of this.#kinds.values()) {
      if (more.silent > 0) more.log();
      more.timer?.cancel();
    }
    this.#kinds.clear();
  }

  #tell(kind: string, more: Kind): void {
    if (more.silent === 0) {
      this.#kinds.delete(kind);
      return;
    }
    more.log();
    more.silent = 0;
    more.timer = this.#schedule(pauseMs, () => this.#tell(kind, more));
  }
}
