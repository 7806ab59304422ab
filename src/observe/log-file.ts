/**
 * One file of the log. A log that cannot be written (a full disk, a directory that has gone) is no reason for a node to end:
 * it is told on stderr, once per outage, and what cannot be kept meanwhile is lost.
 */
import { closeSync, openSync } from 'node:fs';
import pino from 'pino';
import { HiveError } from './errors.ts';
import { printable } from './printable.ts';

/** Bytes that wait for a disk; further lines are dropped. */
const maxBufferedBytes = 4 * 1024 * 1024;

export class LogFile {
  readonly stream: ReturnType<typeof pino.destination>;
  readonly #path: string;
  #failing = false;
  #problem: string | undefined;

  /** @throws HiveError `file_error` if the file cannot be written */
  constructor(path: string) {
    this.#path = path;
    try {
      closeSync(openSync(path, 'a'));
    } catch (error) {
      throw new HiveError('file_error', `Cannot write the log ${path}: ${(error as Error).message}`, { cause: error });
    }
    this.stream = pino.destination({ dest: path, sync: false, minLength: 0, maxLength: maxBufferedBytes });
    this.stream.on('error', (error: Error) => this.#failed(error));
    this.stream.on('write', () => {
      this.#failing = false;
      this.#problem = undefined;
    });
  }

  /** Why it cannot be written now. What waits is tried again: without further lines nobody else would. */
  get problem(): string | undefined {
    if (this.#failing) this.stream.flush();
    return this.#problem;
  }

  #failed(error: Error): void {
    this.#problem = `the log ${this.#path} cannot be written: ${error.message}`;
    if (this.#failing) return;
    this.#failing = true;
    process.stderr.write(printable(`file_error: The log ${this.#path} cannot be written: ${error.message}\n`));
  }

  /** Writes what is still buffered before it returns: for a process that is about to end. */
  flush(): void {
    try {
      this.stream.flushSync();
    } catch (error) {
      this.#failed(error as Error);
    }
  }

  /** Writes what is still buffered, if that is possible, and closes the file. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.stream.once('close', resolve);
      this.stream.once('error', () => {
        this.stream.destroy();
        resolve();
      });
      this.stream.end();
    });
  }
}
