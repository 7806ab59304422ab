/**
 * The smaller examples as a reader of their READMEs runs them: commands in the top folder of the repository. It is a copy of
 * the repository in which only ports and node names differ, so that tests can run anywhere.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Checkout } from './checkout.ts';
import { freePorts } from './ports.ts';

/** Ports that the examples name: clients, API, monitor, page. */
const named = [8080, 1235, 1234, 8081];

/** A command that runs until it is stopped. */
export class Command {
  readonly ended: Promise<number | null>;
  output = '';
  readonly #process: ChildProcess;

  constructor(line: string, folder: string, env: NodeJS.ProcessEnv = {}) {
    // A process group of its own, which is what a terminal sends the signal of Ctrl-C to.
    this.#process = spawn('sh', ['-c', `exec ${line}`], {
      cwd: folder,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', ...env },
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.on('data', (chunk) => {
        this.output += chunk;
      });
    }
    this.ended = new Promise((resolve, reject) => {
      this.#process.once('error', reject);
      this.#process.once('close', resolve);
    });
  }

  async printed(text: string): Promise<void> {
    let ended = false;
    void this.ended.then(() => {
      ended = true;
    });
    while (!this.output.includes(text)) {
      if (ended) throw new Error(`the command ended before it printed '${text}':\n${this.output}`);
      await Promise.race([this.ended, new Promise((resolve) => this.#process.stdout?.once('data', resolve))]);
    }
  }

  /** Sends a signal to all its processes. */
  signal(signal: NodeJS.Signals): void {
    const { pid, exitCode, signalCode } = this.#process;
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, signal);
  }

  /** Sends a signal to all its processes, as Ctrl-C does, and waits for their end. */
  async interrupt(signal: NodeJS.Signals = 'SIGINT'): Promise<void> {
    this.signal(signal);
    await this.ended;
  }
}

export class Example {
  readonly #checkout = new Checkout();
  /** As in the example's README, in the top folder. */
  readonly commands: string[];
  readonly #ports: number[];
  readonly #running: Command[] = [];

  private constructor(name: string, ports: number[]) {
    this.#ports = ports;
    const example = join(this.folder, 'examples', name);
    const moved = (text: string) =>
      text.replace(/\b(8080|1235|1234|8081)\b/g, (port) => String(ports[named.indexOf(Number(port))]));
    for (const file of [
      'config.json',
      'page.py',
      'backend/backend.py',
      'backend.escript',
      'README.md',
      '../shared/backend/server.py',
    ]) {
      const path = join(example, file);
      if (existsSync(path)) writeFileSync(path, moved(readFileSync(path, 'utf8')));
    }
    const config = JSON.parse(readFileSync(join(example, 'config.json'), 'utf8')) as {
      hive: Record<string, unknown> & { allowed_origins: unknown[] };
    };
    const [epmd_port, distribution] = ports.slice(named.length);
    config.hive.allowed_origins.push(`127.0.0.1:${ports[0]}`); // what the 0.9 client says when Node runs it
    Object.assign(config.hive, { epmd_port, cluster_port_min: distribution, cluster_port_max: distribution });
    writeFileSync(join(example, 'config.json'), JSON.stringify(config));
    const blocks = readFileSync(join(example, 'README.md'), 'utf8').matchAll(/^```sh\n(.*?)^```/gms);
    this.commands = [...blocks].map(([, text]) => text!).flatMap((text) => text.trim().split(/(?<!\\)\n/));
  }

  static async prepare(name: string): Promise<Example> {
    return new Example(name, await freePorts(named.length + 2));
  }

  get folder(): string {
    return this.#checkout.folder;
  }

  get clients(): string {
    return `http://127.0.0.1:${this.#ports[0]}`;
  }

  get page(): string {
    return `http://127.0.0.1:${this.#ports[3]}/`;
  }

  /** Starts a command and waits until it prints the text. */
  async start(line: string, ready: string): Promise<Command> {
    const command = new Command(line, this.folder);
    this.#running.push(command);
    await command.printed(ready);
    return command;
  }

  /** Runs a command to its end; resolves with what it prints. */
  async run(line: string): Promise<string> {
    const command = new Command(line, this.folder);
    const code = await command.ended;
    if (code !== 0) throw new Error(`${line} ended with ${code}:\n${command.output}`);
    return command.output;
  }

  async stop(): Promise<void> {
    for (const command of this.#running.toReversed()) await command.interrupt();
    this.#checkout.remove();
  }
}
