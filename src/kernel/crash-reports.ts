/** The last crashes of a node's actors. */
import type { CrashEvent } from '../observe/events.ts';
import { stackOf } from '../observe/thrown.ts';

/** What is kept of a crash: what subscribers are told, and when it was. */
export interface CrashReport extends Omit<CrashEvent, 'node'> {
  /** In ms since 1970. */
  readonly at: number;
  /** How long ago that is. */
  readonly agoMs: number;
}

/** The actor that has crashed. */
interface Crashed {
  readonly label: string;
  readonly path: string;
  readonly lastMessage: string | undefined;
  readonly mailbox: { readonly length: number };
  readonly ageMs: number;
  readonly restarts: number;
  toString(): string;
}

const maxKept = 64;

export class CrashReports {
  /** Oldest first; `since` is the time on the clock of `performance.now()`, which nobody sets. */
  readonly #reports: (Omit<CrashReport, 'agoMs'> & { readonly since: number })[] = [];

  /** @returns what there is to log of it */
  add(actor: Crashed, reason: Error): Omit<CrashEvent, 'node'> {
    const report = {
      pid: actor.toString(),
      label: actor.label,
      path: actor.path,
      reason: reason.message,
      stack: stackOf(reason),
      lastMessage: actor.lastMessage,
      mailbox: actor.mailbox.length,
      ageMs: actor.ageMs,
      restarts: actor.restarts,
    };
    this.#reports.push({ at: Date.now(), ...report, since: performance.now() });
    if (this.#reports.length > maxKept) this.#reports.shift();
    return report;
  }

  /** Newest first. */
  list(): CrashReport[] {
    const now = performance.now();
    const reports = this.#reports.map(({ at, since, ...report }) => {
      return { at, agoMs: Math.round(now - since), ...report };
    });
    return reports.reverse();
  }
}
