/**
 * One file of the log. A log that cannot be written (a full disk, a directory that has gone) is no reason for a node to end:
 * it is told on stderr, once per outage, and what cannot be kept meanwhile is lost.
 */
import { closeSync, openSync } from 'node:fs';
import pino from 'pino';
import { HiveError } from './errors.ts';
import type { LostLines } from './lost-lines.ts';
import { printable } from './printable.ts';

/** Bytes that wait for a disk; further lines are lost. */
const maxBufferedBytes = 4 * 1024 * 1024;

export class LogFile {
  readonly stream: ReturnType<typeof pino.destination>;
  readonly #path: string;
  readonly #lost: LostLines;
  #failing = false;
  #problem: string | undefined;

  /** @throws HiveError `file_error` if the file cannot be written */
  static open(path: string, lost: LostLines): LogFile {
    try {
      closeSync(openSync(path, 'a'));
    } catch (error) {
      throw new HiveError('file_error', `Cannot write the log ${path}: ${(error as Error).message}`, { cause: error });
    }
    return new LogFile(path, path, lost);
  }

  /** @param dest a path, or the number of a file that is open */
  constructor(path: string, dest: string | number, lost: LostLines) {
    this.#path = path;
    this.#lost = lost;
    this.stream = pino.destination({ dest, sync: false, minLength: 0, maxLength: maxBufferedBytes });
    this.stream.on('drop', () => lost.add());
    this.stream.on('drain', () => this.#tellLost());
    this.stream.on('error', (error: Error) => this.#failed(error));
    this.stream.on('write', () => {
      this.#failing = false;
      this.#problem = undefined;
    });
  }

  write(line: string): void {
    this.stream.write(line);
  }

  #tellLost(): void {
    const note = this.#lost.take();
    if (note !== undefined) this.stream.write(note);
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
    console.error(printable(`file_error: The log ${this.#path} cannot be written: ${error.message}`));
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
  async close(): Promise<void> {
    // When all is written the lost ones are told, and then there is something to be written again.
    if (this.#lost.any) await new Promise<void>((resolve) => this.stream.flush(() => resolve()));
    await new Promise<void>((resolve) => {
      this.stream.once('close', resolve);
      this.stream.once('error', () => {
        this.stream.destroy();
        resolve();
      });
      this.stream.end();
    });
  }
}
