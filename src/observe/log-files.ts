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
import pino from 'pino';
import { prettyFactory } from 'pino-pretty';
import { Console, unblockStderr } from './console.ts';
import { HiveError } from './errors.ts';
import { FloodLog } from './floods.ts';
import { levelsOf } from './level-filter.ts';
import { LogFile } from './log-file.ts';
import { type Level, type Log, levels } from './logger.ts';
import { LostLines } from './lost-lines.ts';
import { Counter } from './metrics.ts';
import { type Fields, PinoLog } from './pino-log.ts';
import { printable, printableInColors } from './printable.ts';

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
  /**
   * Tells what was counted of late, and writes what is still buffered before it returns: for a process that is about to end.
   * @param lastWords go to stderr behind all that
   */
  flush(lastWords?: string): void;
  /** Tells what was counted of late, writes what is still buffered and closes the files. */
  close(): Promise<void>;
}

/** Lines that are missing in the log. */
export interface LogCounters {
  /** A file or the console could not take them. */
  readonly lost: Counter;
  /** There were too many of their kind: they were counted, and one line tells of them. */
  readonly counted: Counter;
}

/** A destination of lines. */
interface Sink {
  write(line: string): void;
}

interface ConsoleSink extends Sink {
  flush(lastWords?: string): void;
  close(): Promise<void>;
}

const stderr = 2;

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

/** @throws HiveError `file_error` if the directory or a file in it cannot be written */
export function openLogFiles(
  settings: LogSettings,
  fields: Fields,
  counters: LogCounters = { lost: new Counter(), counted: new Counter() },
): LogFiles {
  const { dir, format, console_level: consoleLevel, file_level: fileLevel } = settings;
  const files: LogFile[] = [];
  const sinks = new Sinks();
  const lostLines = (): LostLines => new LostLines(counters.lost, (count) => noteOf(count, fields));
  const onConsole = levelsOf(consoleLevel);
  let crashFile: LogFile | undefined;
  if (dir !== null) {
    const open = (name: string): LogFile => openFile(dir, name, files, lostLines());
    makeDirectory(dir);
    if (onConsole.length > 0) sinks.add(onConsole, open('console.log'));
    const inFile = levelsOf(fileLevel);
    if (inFile.length > 0) sinks.add(inFile, open('hive.log'));
    sinks.add(levelsOf('error'), open('error.log'));
    crashFile = open('crash.log');
  }
  const console = openConsole(format, lostLines());
  if (onConsole.length > 0) sinks.add(onConsole, console);
  const options = {
    base: null,
    customLevels: severity,
    useOnlyCustomLevels: true,
    formatters: { level: named },
    hooks: { streamWrite: printable },
    serializers: { error: described },
  };
  let closed = false;
  const main = pino<Level>({ ...options, level: sinks.leastSevere }, sinks);
  const crashes = crashFile && pino<Level>({ ...options, level: 'error' }, crashFile);
  const floods = new FloodLog(undefined, counters.counted);
  return {
    log: new PinoLog({ main, crashes, floods }, fields),
    problems: () => files.flatMap(({ problem }) => problem ?? []),
    reopen: () => {
      if (!closed) for (const { stream } of files) stream.reopen();
    },
    flush: (lastWords) => {
      floods.settle();
      for (const file of files) file.flush();
      console.flush(lastWords);
    },
    close: async () => {
      closed = true;
      floods.settle();
      await Promise.all([console, ...files].map((sink) => sink.close()));
    },
  };
}

/** As pino writes a line. */
function noteOf(count: number, fields: Fields): string {
  const msg = `${count} lines of the log are missing here: they could not be written as fast as they came`;
  return `${JSON.stringify({ level: 'warning', time: Date.now(), ...fields, msg })}\n`;
}

function makeDirectory(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true });
  } catch (error) {
    throw new HiveError('file_error', `Cannot write logs into ${dir}: ${(error as Error).message}`, { cause: error });
  }
}

/** Opens one more of the files; if that fails, those before it are closed. */
function openFile(dir: string, name: string, files: LogFile[], lost: LostLines): LogFile {
  try {
    const file = LogFile.open(join(dir, name), lost);
    files.push(file);
    return file;
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
  readonly #sinks: { readonly takes: ReadonlySet<number>; readonly sink: Sink }[] = [];

  add(chosen: readonly Level[], sink: Sink): void {
    this.#sinks.push({ takes: new Set(chosen.map((level) => severity[level])), sink });
  }

  /** No line below it interests anybody. */
  get leastSevere(): Level {
    return levels.find((level) => this.#sinks.some(({ takes }) => takes.has(severity[level]))) ?? 'emergency';
  }

  write(line: string): void {
    for (const { takes, sink } of this.#sinks) if (takes.has(this.lastLevel)) sink.write(line);
  }
}

/** `error` is a code, or what was thrown. */
function described(error: unknown): unknown {
  return error instanceof Error ? error.stack : error;
}

function openConsole(format: LogSettings['format'], lost: LostLines): ConsoleSink {
  const formatted = format === 'json' ? (line: string) => line : prettyFormat();
  if (unblockStderr()) return new Console(formatted, lost);
  const file = new LogFile('stderr', stderr, lost);
  return {
    write: (line) => file.write(formatted(line)),
    flush: (lastWords) => {
      if (lastWords !== undefined) file.write(lastWords);
      file.flush();
    },
    close: () => file.close(),
  };
}

function prettyFormat(): (line: string) => string {
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
  return (line) => printableInColors(prettify(line) ?? '');
}
