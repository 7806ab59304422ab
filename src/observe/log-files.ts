/**
 * The log of a node on pino: the console (stderr, so that stdout stays free for what a command has to say) and four files in
 * `log.dir`.
 *
 *   console.log  what the console shows       hive.log   what `file_level` lets through
 *   error.log    from `error` on              crash.log  one report per crashed actor
 *
 * Files hold one JSON object per line; the console is made for reading, or as the files are (`format: json`). Without files
 * the console has the crash reports as well.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import pino, { type Logger } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { HiveError } from './errors.ts';
import { levelsOf } from './level-filter.ts';
import { LogFile } from './log-file.ts';
import { type Level, type Log, levels } from './logger.ts';
import { printable, printableInColors, printableLine } from './printable.ts';

export interface LogSettings {
  /** Null: no files. */
  readonly dir: string | null;
  /** Of the console. */
  readonly format: 'pretty' | 'json';
  /** Filters of levels. */
  readonly file_level: string;
  readonly console_level: string;
}

export interface LogFiles {
  readonly log: Log;
  /** Which files cannot be written now, and why. */
  problems(): string[];
  /** Opens the files anew: after logrotate has moved them. */
  reopen(): void;
  /** Writes what is still buffered before it returns: for a process that is about to end. */
  flush(): void;
  /** Writes what is still buffered and closes the files. */
  close(): Promise<void>;
}

/** pino's numbers, with the severities of syslog between them. */
const severity: Record<Level, number> = {
  debug: 20,
  info: 30,
  notice: 35,
  warning: 40,
  error: 50,
  critical: 55,
  alert: 60,
  emergency: 70,
};

type LevelLogger = Logger<Level>;
type Fields = Record<string, unknown>;

interface Roots {
  readonly main: LevelLogger;
  /** Undefined without files. */
  readonly crashes: LevelLogger | undefined;
}

/** @throws HiveError `file_error` if the directory or a file in it cannot be written */
export function openLogFiles(settings: LogSettings, fields: Fields): LogFiles {
  const { dir, format, console_level: consoleLevel, file_level: fileLevel } = settings;
  const files: LogFile[] = [];
  const sinks = new Sinks();
  const onConsole = levelsOf(consoleLevel);
  if (onConsole.length > 0) sinks.add(onConsole, consoleStream(format));
  let crashFile: pino.DestinationStream | undefined;
  if (dir !== null) {
    const open = (name: string): pino.DestinationStream => openFile(dir, name, files);
    makeDirectory(dir);
    if (onConsole.length > 0) sinks.add(onConsole, open('console.log'));
    const inFile = levelsOf(fileLevel);
    if (inFile.length > 0) sinks.add(inFile, open('hive.log'));
    sinks.add(levelsOf('error'), open('error.log'));
    crashFile = open('crash.log');
  }
  const options = {
    base: null,
    customLevels: severity,
    useOnlyCustomLevels: true,
    formatters: { level: named },
    hooks: { streamWrite: printable },
    serializers: { error: described },
  };
  const main = pino<Level>({ ...options, level: sinks.leastSevere }, sinks);
  const crashes = crashFile && pino<Level>({ ...options, level: 'error' }, crashFile);
  return {
    log: new PinoLog({ main, crashes }, fields),
    problems: () => files.flatMap(({ problem }) => problem ?? []),
    reopen: () => {
      for (const { stream } of files) stream.reopen();
    },
    flush: () => {
      for (const file of files) file.flush();
    },
    close: async () => {
      await Promise.all(files.map((file) => file.close()));
    },
  };
}

function makeDirectory(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true });
  } catch (error) {
    throw new HiveError('file_error', `Cannot write logs into ${dir}: ${(error as Error).message}`, { cause: error });
  }
}

/** Opens one more of the files; if that fails, those before it are closed. */
function openFile(dir: string, name: string, files: LogFile[]): pino.DestinationStream {
  try {
    const file = new LogFile(join(dir, name));
    files.push(file);
    return file.stream;
  } catch (error) {
    for (const { stream } of files) stream.destroy();
    throw error;
  }
}

function named(level: string): { level: string } {
  return { level };
}

/** Hands each line to the destinations that take its level. */
class Sinks implements pino.DestinationStream {
  /** Asks pino to tell the level of a line before it is written. */
  readonly [pino.symbols.needsMetadataGsym] = true;
  lastLevel = 0;
  readonly #sinks: { readonly takes: ReadonlySet<number>; readonly stream: pino.DestinationStream }[] = [];

  add(chosen: readonly Level[], stream: pino.DestinationStream): void {
    this.#sinks.push({ takes: new Set(chosen.map((level) => severity[level])), stream });
  }

  /** No line below it interests anybody. */
  get leastSevere(): Level {
    return levels.find((level) => this.#sinks.some(({ takes }) => takes.has(severity[level]))) ?? 'emergency';
  }

  write(line: string): void {
    for (const { takes, stream } of this.#sinks) if (takes.has(this.lastLevel)) stream.write(line);
  }
}

/** `error` is a code, or what was thrown. */
function described(error: unknown): unknown {
  return error instanceof Error ? error.stack : error;
}

function consoleStream(format: LogSettings['format']): pino.DestinationStream {
  const console = pino.destination({ dest: 2, sync: true });
  if (format === 'json') return console;
  const prettify = prettyFactory({
    colorize: process.stderr.isTTY === true,
    customLevels: severity,
    // `error` is a code, not an Error.
    errorLikeObjectKeys: [],
    ignore: 'pid,hostname,node,component',
    messageFormat: '{if component}{component}: {end}{msg}',
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
  });
  // The message has no ESC any more, and fields are told as JSON, which escapes it.
  return { write: (line) => console.write(printableInColors(prettify(line) ?? '')) };
}

/** What pino itself writes. */
const ownKeys = ['level', 'time', 'msg'];

class PinoLog implements Log {
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
