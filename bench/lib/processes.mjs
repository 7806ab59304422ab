/** Starts and stops the processes under measurement, each on the processor it belongs to. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { cpus, pinned } from './cpu.mjs';

const probe = fileURLToPath(new URL('probe.mjs', import.meta.url));

/** Time for a process to say that it is ready, or to end. */
const patienceMs = 30_000;

/** Nobody is left behind when a measurement is broken off. */
const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export class Process {
  #child;
  #lastId = 0;
  #waiting = new Map();
  #stderr = '';
  #ended;
  #stopping = false;
  /** Whether `ask` can be used. */
  hasProbe;
  onCrash = () => {};

  constructor(command, args, { cpu = cpus.server, env = {}, ipc = false } = {}) {
    this.hasProbe = ipc;
    const [file, line] = pinned(cpu, command, args);
    this.#child = spawn(file, line, {
      stdio: ['ignore', 'pipe', 'pipe', ...(ipc ? ['ipc'] : [])],
      env: { ...process.env, ...env },
    });
    running.add(this.#child);
    this.#child.stderr.on('data', (text) => {
      this.#stderr = (this.#stderr + text).slice(-4000);
    });
    this.#child.on('message', ({ id, result, error }) => {
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) resolve(result);
      else reject(new Error(error));
    });
    this.#ended = once(this.#child, 'exit').then(([code, signal]) => {
      running.delete(this.#child);
      const error = new Error(`${[command, ...args].join(' ')} ended with ${signal ?? code}\n${this.#stderr}`);
      for (const { reject } of this.#waiting.values()) reject(error);
      if (!this.#stopping) this.onCrash(error);
      return error;
    });
  }

  /** A program for Node, with the probe. */
  static node(file, args = [], options = {}) {
    return new Process(process.execPath, ['--import', probe, file, ...args], { ...options, ipc: true });
  }

  get pid() {
    return this.#child.pid;
  }

  /** The first line on the standard output that matches. */
  async line(pattern) {
    const lines = createInterface({ input: this.#child.stdout });
    const matching = (async () => {
      for await (const line of lines) {
        const match = pattern.exec(line);
        if (match) return match;
      }
      throw await this.#ended;
    })();
    const match = await Promise.race([matching, late(`no line ${pattern} from ${this.#child.spawnargs.join(' ')}`)]);
    this.#child.stdout.resume();
    return match;
  }

  /** Has the probe do something. */
  ask(command, args = {}) {
    this.#lastId += 1;
    return new Promise((resolve, reject) => {
      this.#waiting.set(this.#lastId, { resolve, reject });
      this.#child.send({ id: this.#lastId, command, ...args });
    });
  }

  /** Has it end, and waits for that. */
  async end(signal) {
    this.#stopping = true;
    this.#child.kill(signal);
    await Promise.race([this.#ended, late(`${this.#child.spawnargs.join(' ')} does not end of ${signal}`)]);
  }

  /** Measurements have no use for a graceful end. */
  async stop() {
    this.#stopping = true;
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}

/** Keeps the servers' processor awake, without taking time from anybody: waking a virtual one takes longer than a message does. */
export function startIdler() {
  return new Process('chrt', ['--idle', '0', process.execPath, '-e', 'for (;;);']);
}

function late(text) {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error(text)), patienceMs).unref();
  });
}
