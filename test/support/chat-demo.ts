/**
 * The distributed chat as its README says to run it: `make demo` in a copy of the repository in which only ports differ, so that tests
 * can run anywhere.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Checkout } from './checkout.ts';
import { Command } from './example.ts';
import { freePortsInARow } from './ports.ts';

/** Ports that the example names: of clients, API and monitor of both nodes, the page, Redis. */
const named = [8080, 1235, 1234, 8079, 2235, 2234, 8081, 6379];

export class ChatDemo {
  readonly redisPort: number;
  readonly page: string;
  readonly #checkout = new Checkout();
  readonly #monitors: readonly string[];
  #running: Command | undefined;

  private constructor(first: number) {
    const portOf = (number: number) => first + named.indexOf(number);
    this.redisPort = portOf(6379);
    this.page = `http://127.0.0.1:${portOf(8081)}/`;
    this.#monitors = [1234, 2234].map(
      (number) => `http://127.0.0.1:${portOf(number)}/monitor/distributed-chat-monitor-key`,
    );
    // EPMD is theirs alone, so that other nodes may have their names.
    const epmd = first + named.length;
    const distribution = { epmd_port: epmd, cluster_port_min: epmd + 1, cluster_port_max: epmd + 2 };
    const folder = join(this.#checkout.folder, 'examples/distributed-chat/config');
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
      const text = readFileSync(join(folder, file), 'utf8');
      const moved = text.replace(new RegExp(`\\b(?:${named.join('|')})\\b`, 'g'), (port) => `${portOf(Number(port))}`);
      const content = JSON.parse(moved) as { hive?: object };
      if (content.hive) Object.assign(content.hive, distribution);
      writeFileSync(join(folder, file), JSON.stringify(content));
    }
  }

  static async prepare(): Promise<ChatDemo> {
    return new ChatDemo(await freePortsInARow(named.length + 3));
  }

  /** What it has printed. */
  get output(): string {
    return this.#running?.output ?? '';
  }

  /** Runs a command as in the README, and waits until it says that all is ready. */
  async start(line: string): Promise<void> {
    this.#running = new Command(line, this.#checkout.folder);
    await this.#running.printed('Ctrl-C stops everything');
  }

  /** Runs a command to its end. */
  async run(line: string): Promise<{ code: number | null; output: string }> {
    const command = new Command(line, this.#checkout.folder);
    const code = await command.ended;
    return { code, output: command.output };
  }

  printed(text: string): Promise<void> {
    return this.#running!.printed(text);
  }

  /** What the monitor of a node shows under a section. */
  async monitor<Value>(node: 0 | 1, section: string): Promise<Value> {
    const answer = await fetch(`${this.#monitors[node]}/${section}`);
    return (await answer.json()) as Value;
  }

  /** Ctrl-C. Resolves with the exit code. */
  async stop(): Promise<number | null> {
    const running = this.#running;
    this.#running = undefined;
    await running?.interrupt();
    this.#checkout.remove();
    return (await running?.ended) ?? null;
  }
}
