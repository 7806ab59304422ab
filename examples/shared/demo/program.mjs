/** One program of a demo: started, watched until it is ready, its output prefixed with its name, stopped. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const READY_MS = 30_000;
const STOP_MS = 30_000; // a node takes twice its graceful_termination_timeout at most, and a little for the rest

export class Program {
  #child;
  #ended;

  /**
   * `ready` is what a line of its output says when it is ready. What a `quiet` program says is printed only if it does not start.
   */
  constructor(name, command, args, { env = {}, ready = ' is ready', quiet = false } = {}) {
    this.name = name;
    this.command = command;
    this.args = args;
    this.env = env;
    this.ready = ready;
    this.quiet = quiet;
  }

  get pid() {
    return this.#child?.pid;
  }

  /** Resolves with how the program ended. */
  get ended() {
    return this.#ended;
  }

  /** Resolves once a line of its output says that it is ready; throws if it ends before or takes too long. */
  async start() {
    // A process group of its own: Ctrl-C reaches the demo alone, which then stops its programs in order.
    this.#child = spawn(this.command, this.args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: { ...process.env, ...this.env },
    });
    const child = this.#child;
    let untold = [];
    const hear = (line) => (this.quiet ? untold?.push(line) : this.#print(line));
    this.#ended = new Promise((resolve) => {
      child.once('error', (error) =>
        resolve(error.code === 'ENOENT' ? `${this.command} is not installed` : error.message),
      );
      child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    const ready = new Promise((resolve) => {
      createInterface(child.stdout).on('line', (line) => {
        hear(line);
        if (line.includes(this.ready)) resolve();
      });
    });
    createInterface(child.stderr).on('line', hear);
    let timer;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, READY_MS, `not ready after ${READY_MS / 1000} s`);
    });
    const failure = await Promise.race([ready, this.#ended, late]);
    clearTimeout(timer);
    if (failure !== undefined) {
      for (const line of untold) this.#print(line);
      throw new Error(`${this.name} did not start: ${failure}`);
    }
    untold = undefined;
  }

  get runs() {
    return this.#child?.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  signal(name) {
    this.#child.kill(name);
  }

  /** Asks it to end, and ends it by force if it does not. */
  async stop() {
    if (!this.runs) return;
    const force = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    this.#child.kill('SIGTERM');
    const how = await this.#ended;
    clearTimeout(force);
    if (how !== 'exit code 0') this.#print(`ended with ${how}`);
  }

  #print(line) {
    process.stdout.write(`${this.name.padEnd(8)}| ${line}\n`);
  }
}
