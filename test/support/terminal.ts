/** A real terminal with a shell in it, as tmux makes one; it ends with the test. */
import { execFileSync } from 'node:child_process';
import type { TestContext } from 'node:test';
import { eventually } from './eventually.ts';

let started = 0;

export class Terminal {
  readonly #socket: string;

  constructor(t: TestContext, columns: number, rows: number) {
    started += 1;
    this.#socket = `hive-test-${process.pid}-${started}`;
    const size = ['-x', String(columns), '-y', String(rows)];
    // The shell shows a prompt that nothing else shows.
    this.#tmux('-f', '/dev/null', '-u', 'new-session', '-d', ...size, 'env PS1="ready> " sh');
    t.after(() => this.#tmux('kill-server'));
  }

  #tmux(...args: string[]): string {
    return execFileSync('tmux', ['-L', this.#socket, ...args], { encoding: 'utf8', env: { ...process.env, TMUX: '' } });
  }

  /** Types a line when the shell asks for one: what comes earlier is shown before the prompt. */
  async type(text: string): Promise<void> {
    await this.shows(/(?:^|\n)ready>\s*$/);
    this.#tmux('send-keys', '-l', text);
    this.press('Enter');
  }

  /** Presses keys by tmux' names for them: `q`, `C-c`. */
  press(...keys: string[]): void {
    this.#tmux('send-keys', ...keys);
  }

  resize(columns: number, rows: number): void {
    this.#tmux('resize-window', '-x', String(columns), '-y', String(rows));
  }

  /** What the screen shows, line by line. */
  get screen(): string {
    return this.#tmux('capture-pane', '-p');
  }

  /** Whether the alternate screen is shown, the cursor is, and lines are wrapped. */
  get modes(): { readonly alternate: boolean; readonly cursor: boolean; readonly wraps: boolean } {
    const [alternate, cursor, wraps] = this.#tmux('display-message', '-p', '#{alternate_on}#{cursor_flag}#{wrap_flag}');
    return { alternate: alternate === '1', cursor: cursor === '1', wraps: wraps === '1' };
  }

  /** The screen as soon as it shows that. */
  async shows(pattern: RegExp): Promise<string> {
    try {
      return await eventually(() => (pattern.test(this.screen) ? this.screen : undefined), String(pattern), 30_000);
    } catch (error) {
      throw new Error(`${pattern} is not on the screen:\n${this.screen}`, { cause: error });
    }
  }
}
