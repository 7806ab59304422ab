/** The clients of the HTTP API that this repository publishes, behind one interface: what they are told to call, they call. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { HiveClient, HiveError, type Settings } from '../../clients/node/index.js';

export interface Failure {
  readonly status: number;
  readonly code: string;
  readonly mayHaveHappened: boolean;
  readonly message: string;
}

export interface ApiClient {
  /** Resolves to what the method returns; all of it, if it is a generator. Options of time are in ms. */
  call(method: string, args?: readonly unknown[], options?: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** Resolves to why it fails. */
  failure(method: string, args?: readonly unknown[], options?: Readonly<Record<string, unknown>>): Promise<Failure>;
  stop(): void;
}

/** What it takes to make one of either language. */
export type MakeClient = (settings: Settings) => ApiClient;

type Outcome = { readonly value: unknown } | { readonly error: Failure };

abstract class AnyClient implements ApiClient {
  protected abstract outcome(method: string, args: readonly unknown[], options: object): Promise<Outcome>;

  async call(method: string, args: readonly unknown[] = [], options = {}): Promise<unknown> {
    const outcome = await this.outcome(method, args, options);
    if ('error' in outcome) throw new Error(`${method}: ${outcome.error.message}`);
    return outcome.value;
  }

  async failure(method: string, args: readonly unknown[] = [], options = {}): Promise<Failure> {
    const outcome = await this.outcome(method, args, options);
    if ('error' in outcome) return outcome.error;
    throw new Error(`${method} has not failed: ${JSON.stringify(outcome.value)}`);
  }

  stop(): void {}
}

class NodeClient extends AnyClient {
  readonly #hive: HiveClient;

  constructor(settings: Settings) {
    super();
    this.#hive = new HiveClient(settings);
  }

  protected async outcome(method: string, args: readonly unknown[], options: object): Promise<Outcome> {
    type Method = (...args: unknown[]) => Promise<unknown> | AsyncGenerator<unknown>;
    const methods = this.#hive as unknown as Readonly<Record<string, Method>>;
    try {
      const value = methods[method]!(...args, options);
      if (value instanceof Promise) return { value: (await value) ?? null };
      const rows: unknown[] = [];
      for await (const row of value) rows.push(row);
      return { value: rows };
    } catch (error) {
      if (!(error instanceof HiveError)) throw error;
      const { status, code, mayHaveHappened, message } = error;
      return { error: { status, code, mayHaveHappened, message } };
    }
  }
}

const program = fileURLToPath(new URL('api-client.py', import.meta.url));

class PythonClient extends AnyClient {
  readonly #process: ChildProcess;
  readonly #waiting: { readonly answered: (line: string) => void; readonly failed: (error: Error) => void }[] = [];

  constructor({ urls, key, timeout, exactlyOnce }: Settings) {
    super();
    const settings = { urls, key, timeout: timeout && timeout / 1000, exactly_once: exactlyOnce };
    this.#process = spawn('python3', [program, JSON.stringify(settings)], { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.#process.stdout! }).on('line', (line) => this.#waiting.shift()?.answered(line));
    this.#process.once('exit', () => {
      for (const { failed } of this.#waiting) failed(new Error('The Python client has ended.'));
    });
  }

  protected async outcome(method: string, args: readonly unknown[], options: object): Promise<Outcome> {
    const named = Object.entries(options).map(([name, value]) => pythonic(name, value));
    const answer = new Promise<string>((answered, failed) => {
      this.#waiting.push({ answered, failed });
    });
    this.#process.stdin!.write(`${JSON.stringify([snake(method), args, Object.fromEntries(named)])}\n`);
    return JSON.parse(await answer) as Outcome;
  }

  override stop(): void {
    this.#process.stdin!.end();
  }
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function pythonic(name: string, value: unknown): [string, unknown] {
  if (name === 'timeout') return [name, Number(value) / 1000];
  return [snake(name), value];
}

/** Name of the language → how to make its client. */
export const apiClients: Readonly<Record<'Node' | 'Python', MakeClient>> = {
  Node: (settings) => new NodeClient(settings),
  Python: (settings) => new PythonClient(settings),
};
