/** The log of a module: eight levels, with the fields that its lines carry, on pino. */
import type { Logger } from 'pino';
import type { FloodLog } from './floods.ts';
import type { Level, Log, Rest } from './logger.ts';
import { printableLine } from './printable.ts';

export type LevelLogger = Logger<Level>;
export type Fields = Record<string, unknown>;

export interface Roots {
  readonly main: LevelLogger;
  /** Undefined without files. */
  readonly crashes: LevelLogger | undefined;
  readonly floods: FloodLog;
}

/** What pino itself writes. */
const ownKeys = ['level', 'time', 'msg'];

export class PinoLog implements Log {
  readonly #roots: Roots;
  /** On every line. */
  readonly #bound: Fields;
  readonly #taken: ReadonlySet<string>;
  readonly #main: LevelLogger;
  readonly #crashes: LevelLogger | undefined;

  constructor(roots: Roots, bound: Fields) {
    this.#roots = roots;
    this.#bound = bound;
    this.#taken = new Set([...ownKeys, ...Object.keys(bound)]);
    this.#main = roots.main.child(bound);
    this.#crashes = roots.crashes?.child(bound);
  }

  /** JSON has each key once: fields that a line has already get a `_` behind their names. */
  #write(level: Level, message: string, fields: Fields | undefined, to: LevelLogger = this.#main): void {
    if (!to.isLevelEnabled(level)) return;
    const line = printableLine(message);
    if (!fields) return to[level](line);
    let renamed: Fields | undefined;
    for (const key of Object.keys(fields)) {
      if (!this.#taken.has(key)) continue;
      renamed ??= { ...fields };
      let free = `${key}_`;
      while (this.#taken.has(free) || Object.hasOwn(renamed, free)) free += '_';
      renamed[free] = renamed[key];
      delete renamed[key];
    }
    to[level](renamed ?? fields, line);
  }

  debug(message: string, fields?: Fields): void {
    this.#write('debug', message, fields);
  }
  info(message: string, fields?: Fields): void {
    this.#write('info', message, fields);
  }
  notice(message: string, fields?: Fields): void {
    this.#write('notice', message, fields);
  }
  warning(message: string, fields?: Fields): void {
    this.#write('warning', message, fields);
  }
  error(message: string, fields?: Fields): void {
    this.#write('error', message, fields);
  }
  critical(message: string, fields?: Fields): void {
    this.#write('critical', message, fields);
  }
  alert(message: string, fields?: Fields): void {
    this.#write('alert', message, fields);
  }
  emergency(message: string, fields?: Fields): void {
    this.#write('emergency', message, fields);
  }
  excess(kind: string, source: string, level: Level = 'warning'): Rest | undefined {
    if (!this.#main.isLevelEnabled(level)) return undefined;
    return this.#roots.floods.excess(this, kind, source, level);
  }
  crash(message: string, fields: Fields): void {
    if (!this.#crashes) return this.#write('error', message, fields);
    const { stack: _, ...brief } = fields;
    this.#write('error', message, brief);
    this.#write('error', message, fields, this.#crashes);
  }
  child(fields: Fields): Log {
    return new PinoLog(this.#roots, { ...this.#bound, ...fields });
  }
}
