/**
 * The node's log: pino underneath, the eight levels of syslog on top (spec: debug < info < notice < warning < error <
 * critical < alert < emergency; `none` = off).
 */
export const levels = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'] as const;
export type Level = (typeof levels)[number];

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
  child() {
    return silent;
  },
};
