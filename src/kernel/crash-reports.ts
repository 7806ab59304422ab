/** The last crashes of a node's actors. */
import { stackOf } from '../observe/thrown.ts';

/** What is kept of a crash. */
export interface CrashReport {
  /** When, in ms since 1970. */
  readonly at: number;
  /** How long ago that is. */
  readonly agoMs: number;
  readonly pid: string;
  readonly label: string;
  /** Where it was in the supervision tree: labels from the top down. */
  readonly path: string;
  readonly reason: string;
  readonly stack: string | undefined;
  /** The `type` of the last message; never its payload. */
  readonly lastMessage: string | undefined;
  /** Messages that waited. */
  readonly mailbox: number;
  readonly ageMs: number;
  /** How often its supervisor had restarted it. */
  readonly restarts: number;
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
  add(actor: Crashed, reason: Error): Omit<CrashReport, 'at' | 'agoMs'> {
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
