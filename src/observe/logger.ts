/**
 * The node's log: pino underneath, the eight levels of syslog on top (spec: debug < info < notice < warning < error <
 * critical < alert < emergency; `none` = off).
 */
export const levels = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'] as const;
export type Level = (typeof levels)[number];

/** Lines that were counted and not logged. */
export interface Rest {
  readonly count: number;
  /** Under which the log will have them. */
  readonly reference: string;
}

/** Where a module logs to. Fields are structured data; never secrets, payloads only at `debug`. */
export interface Log {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  notice(message: string, fields?: Record<string, unknown>): void;
  warning(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
  critical(message: string, fields?: Record<string, unknown>): void;
  alert(message: string, fields?: Record<string, unknown>): void;
  emergency(message: string, fields?: Record<string, unknown>): void;
  /**
   * To be asked before a line that somebody outside can provoke. Undefined: log it, there were few of late. Otherwise it
   * was counted, and one line will tell of all that were, under the reference.
   * @param kind a constant text, which that line begins with
   * @param source who has provoked it, as the log may show it: an address, the beginning of a session id, a pool
   * @param level of the line; `warning` unless told
   */
  excess(kind: string, source: string, level?: Level): Rest | undefined;
  /** A report of a crashed actor; also kept in `crash.log`. */
  crash(message: string, fields: Record<string, unknown>): void;
  /** The same log with fields that every line carries (`component`, …). */
  child(fields: Record<string, unknown>): Log;
}

/** A log that keeps nothing: for tests and for code that runs before the configuration is read. */
export const silent: Log = {
  debug() {},
  info() {},
  notice() {},
  warning() {},
  error() {},
  critical() {},
  alert() {},
  emergency() {},
  crash() {},
  excess: () => undefined,
  child() {
    return silent;
  },
};
