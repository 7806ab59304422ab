/**
 * A terminal as a full screen: an alternate one, so that what was there before comes back. Raw input, so that keys arrive at
 * once and Ctrl-C is a key. However the process ends, by a signal it can catch too, the terminal is as it was.
 */
import type { ReadStream, WriteStream } from 'node:tty';
import { cut } from '../operator/cut.ts';
import type { Line } from './frame.ts';

const csi = '\x1b[';
/** Alternate screen, no cursor, no wrapping: a character of double width must not break the picture. */
const enter = `${csi}?1049h${csi}?25l${csi}?7l`;
const leave = `${csi}?7h${csi}?25h${csi}?1049l`;
const styles = { title: `${csi}7m`, heading: `${csi}1m` };

export interface ScreenListener {
  /** One character. */
  key(key: string): void;
  resized(): void;
}

export class Screen {
  readonly #input: ReadStream;
  readonly #output: WriteStream;
  readonly #listener: ScreenListener;
  readonly #close = () => this.close();
  #open = false;

  constructor(input: ReadStream, output: WriteStream, listener: ScreenListener) {
    this.#input = input;
    this.#output = output;
    this.#listener = listener;
    input.on('data', (data) => this.#read(String(data)));
    // The terminal is gone.
    output.on('error', () => process.exit(1));
    output.on('resize', () => listener.resized());
    process.on('exit', this.#close);
    process.on('SIGCONT', () => {
      this.open();
      listener.resized();
    });
  }

  get columns(): number {
    return this.#output.columns;
  }

  get rows(): number {
    return this.#output.rows;
  }

  open(): void {
    if (this.#open) return;
    this.#open = true;
    this.#input.setRawMode(true);
    this.#input.resume();
    this.#output.write(enter);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#output.write(leave);
    this.#input.setRawMode(false);
    this.#input.pause();
  }

  /** Gives the terminal back until the shell continues this process. */
  suspend(): void {
    this.close();
    process.kill(process.pid, 'SIGTSTP');
  }

  /** What does not fit is left out, above the last line, which stays the last. */
  draw(lines: readonly Line[], last: string): void {
    if (!this.#open) return;
    const shown = lines.slice(0, Math.max(0, this.rows - 1)).map((line) => this.#styled(line));
    while (shown.length < this.rows - 1) shown.push('');
    shown.push(this.#styled({ text: cut(last, this.columns), style: 'title' }));
    // Cleared before, not after: the cursor does not go beyond the last column, and would clear that.
    this.#output.write(`${csi}H${shown.map((line) => `${csi}K${line}`).join('\r\n')}`);
  }

  #styled({ text, style }: Line): string {
    if (style === undefined) return text;
    return `${styles[style]}${style === 'title' ? text.padEnd(this.columns) : text}${csi}0m`;
  }

  #read(data: string): void {
    // Arrows and the like come as several characters.
    if (data.startsWith('\x1b') && data.length > 1) return;
    for (const key of data) this.#listener.key(key);
  }
}
