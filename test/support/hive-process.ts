/** Real nodes: `hive run` as processes of their own, with the built command line. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The built command line. */
export const program = fileURLToPath(new URL('../../dist/bin/hive.js', import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line to its end. */
export function hive(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> {
  return new HiveProcess(args, env).finished;
}

/** One run of the command line. */
export class HiveProcess {
  readonly finished: Promise<Finished>;
  readonly #process: ChildProcess;
  #stdout = '';
  #stderr = '';
  #wake: (() => void)[] = [];
  #ended = false;

  /**
   * @param through a command that runs the one behind it in the same process (`ip netns exec name`)
   * @param node the program of Node
   */
  constructor(
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
    through: readonly string[] = [],
    node = process.execPath,
  ) {
    if (!existsSync(program)) throw new Error('dist/bin/hive.js is missing: run `npm run build` before these tests');
    const [command, ...rest] = [...through, node, program, ...args] as [string, ...string[]];
    this.#process = spawn(command, rest, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process.stdout?.on('data', (data) => {
      this.#stdout += data;
      this.#notify();
    });
    this.#process.stderr?.on('data', (data) => {
      this.#stderr += data;
      this.#notify();
    });
    this.finished = new Promise((resolve, reject) => {
      this.#process.once('error', reject);
      this.#process.once('close', (code, signal) => {
        this.#ended = true;
        this.#notify();
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr });
      });
    });
  }

  /** Starts a node and waits for its ready line. */
  static async run(config: string, env: NodeJS.ProcessEnv = {}, ...options: string[]): Promise<HiveProcess> {
    const node = new HiveProcess(['run', config, ...options], env);
    await node.ready();
    return node;
  }

  /** Waits for its ready line. */
  ready(): Promise<void> {
    return this.until(() => this.stdout.includes(' is ready: '), 'the ready line');
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get running(): boolean {
    return !this.#ended;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Waits for a condition on what the process has printed. */
  async until(condition: () => boolean, what: string): Promise<void> {
    while (!condition()) {
      if (this.#ended) throw new Error(`hive ended before ${what}:\n${this.#stdout}\n${this.#stderr}`);
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  /** Sends a signal and waits for the end. One that stands still goes on. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Finished> {
    if (!this.#ended) {
      this.#process.kill(signal);
      this.#process.kill('SIGCONT');
    }
    return this.finished;
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  #notify(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
