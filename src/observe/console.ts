/**
 * The console of the log: stderr, be it a terminal, a pipe or a socket. Whoever reads it may stand still (a stopped pager, a
 * terminal after Ctrl-S, a collector that hangs), and the node must not: nothing here ever waits in a write.
 *
 *   line ─▶ formatted ─▶ queue (bounded) ─▶ one write per turn of the event loop ─▶ stderr
 *              └─ no room: lost, counted, told once there is        └─ stderr is full: again in 50 ms
 */
import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { LostLines } from './lost-lines.ts';

/** Characters that wait for the reader; a pipe holds 64 KiB more. */
const maxWaiting = 1024 * 1024;
/** Until a full stderr is tried again. */
const retryMs = 50;
/** How long a process that ends waits for the reader. */
const patienceMs = 2000;
const stderr = 2;
const lineEnd = 0x0a;

/** Those that a process which ends without a word (`process.exit`, an exception) must not forget. */
const open = new Set<Console>();

function flushAll(): void {
  for (const console of open) console.flush();
}

/** Makes writes to stderr return at once. False if it is a file, where nobody reads and every write waits for the disk. */
export function unblockStderr(): boolean {
  // Node opens pipes and sockets this way as soon as somebody looks, but not terminals.
  const stream: unknown = process.stderr;
  if (!(stream instanceof Socket)) return false;
  const { _handle: handle } = stream as { _handle?: { setBlocking?: (blocking: boolean) => void } };
  handle?.setBlocking?.(false);
  return true;
}

export class Console {
  readonly #format: (line: string) => string;
  readonly #lost: LostLines;
  #lines: string[] = [];
  /** Characters in `#lines`. */
  #length = 0;
  /** What of earlier lines is not written yet. */
  #rest = Buffer.alloc(0);
  #timer: NodeJS.Timeout | NodeJS.Immediate | undefined;

  constructor(format: (line: string) => string, lost: LostLines) {
    this.#format = format;
    this.#lost = lost;
    if (open.size === 0) process.once('exit', flushAll);
    open.add(this);
  }

  write(line: string): void {
    if (this.#length + this.#rest.length >= maxWaiting) this.#lost.add();
    else this.#add(this.#format(line));
  }

  /** Writes all that waits, and the last words behind it, before it returns; gives up a reader that stands still. */
  flush(lastWords = ''): void {
    if (lastWords !== '') this.#add(lastWords);
    const sleeper = new Int32Array(new SharedArrayBuffer(4));
    for (const until = performance.now() + patienceMs; !this.#drain() && performance.now() < until; ) {
      Atomics.wait(sleeper, 0, 0, retryMs);
    }
  }

  /** The same for a node that ends while others of its process go on. */
  async close(): Promise<void> {
    for (const until = performance.now() + patienceMs; !this.#drain() && performance.now() < until; ) {
      await delay(retryMs);
    }
    open.delete(this);
    if (open.size === 0) process.off('exit', flushAll);
  }

  #add(text: string): void {
    this.#lines.push(text);
    this.#length += text.length;
    this.#timer ??= setImmediate(this.#next);
  }

  readonly #next = (): void => {
    this.#timer = undefined;
    if (!this.#drain()) this.#timer = setTimeout(this.#next, retryMs).unref();
  };

  /** Writes what stderr takes now. True if nothing is left. */
  #drain(): boolean {
    try {
      while (this.#fill()) this.#rest = this.#rest.subarray(writeSync(stderr, this.#rest));
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return false;
      this.#giveUp();
      return true;
    }
  }

  /** Whether there is something to be written. */
  #fill(): boolean {
    if (this.#rest.length > 0) return true;
    if (this.#lines.length === 0) {
      const note = this.#lost.take();
      if (note === undefined) return false;
      this.#lines.push(this.#format(note));
    }
    this.#rest = Buffer.from(this.#lines.join(''));
    this.#lines = [];
    this.#length = 0;
    return true;
  }

  /** Nobody will ever read what waits (the pipe is broken, the terminal is gone). */
  #giveUp(): void {
    for (const byte of this.#rest) if (byte === lineEnd) this.#lost.add();
    this.#rest = Buffer.alloc(0);
  }
}
