/**
 * The clients that people use, of every generation and in two languages, behind one interface. Bytes are `{_binary}` in it,
 * as back ends see them.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { io } from 'socket.io-client';
import { eventually } from './eventually.ts';
import { connectLegacy } from './legacy-client.ts';

export type Way = 'polling' | 'websocket' | 'upgrade';

const require = createRequire(import.meta.url);
const transports: Record<Way, string[]> = {
  polling: ['polling'],
  websocket: ['websocket'],
  upgrade: ['polling', 'websocket'],
};
const soon = { reconnectionDelay: 50, reconnectionDelayMax: 200, randomizationFactor: 0 };

/** What all clients in JavaScript have in common. */
interface AnySocket {
  on(name: string, listener: (...args: unknown[]) => void): unknown;
  emit(name: string, ...args: unknown[]): unknown;
  disconnect(): unknown;
}

/** From client 1.x on. */
interface Socket extends AnySocket {
  readonly io: { readonly engine: { readonly transport: { readonly name: string } } };
}

type Connect = (url: string, options: Record<string, unknown>) => Socket;

const libraries: Record<string, Connect> = {
  '4.8': io as unknown as Connect,
  '2.5': require('socket.io-client-2') as Connect,
  '1.7': require('socket.io-client-1') as Connect,
};

/** A connected client that listens to `echo`, `news`, `hive_error` and `ask`, and acknowledges what `ask` says. */
export abstract class MatrixClient {
  readonly keepsOrder: boolean = true;
  /** How often it has connected. */
  connects = 0;
  readonly received: [name: string, args: unknown][] = [];

  abstract emit(name: string, args: unknown[]): void;
  /** Emits, and gives what the acknowledgement says. */
  abstract call(name: string, args: unknown[]): Promise<unknown[]>;
  abstract disconnect(): void;
  /** Whether it is connected now, where the library tells. */
  get isConnected(): boolean | undefined {
    return undefined;
  }
  /** The transport in use, where the library tells. */
  get transport(): string | undefined {
    return undefined;
  }

  async next(name: string): Promise<unknown> {
    const find = () => this.received.findIndex(([received]) => received === name);
    await eventually(() => find() >= 0, `the event ${name}`);
    return this.received.splice(find(), 1)[0]![1];
  }

  /** The next events of that name; those of the Python client, which deals with each in a thread of its own, by their number. */
  async nextEvents(name: string, count: number): Promise<unknown[]> {
    const events: unknown[] = [];
    while (events.length < count) events.push(await this.next(name));
    return this.keepsOrder ? events : events.sort((a, b) => numberOf(a) - numberOf(b));
  }

  async connected(times: number): Promise<this> {
    await eventually(() => this.connects >= times, `the connection number ${times}`);
    return this;
  }
}

class ScriptClient extends MatrixClient {
  readonly #socket: AnySocket;

  constructor(socket: AnySocket) {
    super();
    this.#socket = socket;
    socket.on('connect', () => {
      this.connects += 1;
    });
    for (const name of ['echo', 'news', 'hive_error'])
      socket.on(name, (...args) => this.received.push([name, toJson(args)]));
    socket.on('ask', (...args) => {
      const acknowledge = args.pop() as (...values: unknown[]) => void;
      this.received.push(['ask', toJson(args)]);
      acknowledge(...args);
    });
  }

  override get isConnected(): boolean | undefined {
    return (this.#socket as { connected?: boolean }).connected;
  }

  override get transport(): string | undefined {
    return (this.#socket as Partial<Socket>).io?.engine.transport.name;
  }

  emit(name: string, args: unknown[]): void {
    this.#socket.emit(name, ...args.map(fromJson));
  }

  call(name: string, args: unknown[]): Promise<unknown[]> {
    return new Promise((resolve) => {
      this.#socket.emit(name, ...args.map(fromJson), (...values: unknown[]) => resolve(toJson(values) as unknown[]));
    });
  }

  disconnect(): void {
    this.#socket.disconnect();
  }
}

/** Debian's packages are for Debian's Python, which need not be the first one. */
const python = ['python3', '/usr/bin/python3'].find(
  (program) => spawnSync(program, ['-c', 'import socketio, requests, websocket']).status === 0,
);

/** Like `missing` in programs.ts, for the Python client. */
export function missingPython(): string | false {
  if (python) return false;
  const reason = 'needs python3-socketio, python3-requests and python3-websocket, not installed here';
  if (process.env.CI === 'true') throw new Error(reason);
  return reason;
}

class PythonClient extends MatrixClient {
  override readonly keepsOrder = false;
  readonly #process: ChildProcess;
  readonly #calls: ((values: unknown[]) => void)[] = [];
  #left = false;

  constructor(url: string, way: Way) {
    super();
    const program = fileURLToPath(new URL('python-client.py', import.meta.url));
    this.#process = spawn(python ?? 'python3', [program, url, transports[way].join(',')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    createInterface({ input: this.#process.stdout! }).on('line', (line) => {
      const [kind, what, args] = JSON.parse(line);
      if (kind === 'connect') this.connects += 1;
      else if (kind === 'ack') this.#calls[what]!(args);
      else if (kind === 'event') this.received.push([what, args]);
    });
  }

  emit(name: string, args: unknown[]): void {
    this.#command('emit', name, args, null);
  }

  call(name: string, args: unknown[]): Promise<unknown[]> {
    return new Promise((resolve) => this.#command('emit', name, args, this.#calls.push(resolve) - 1));
  }

  disconnect(): void {
    // It ends then, and reads no second time.
    if (!this.#left) this.#command('disconnect');
    this.#left = true;
  }

  #command(...command: unknown[]): void {
    this.#process.stdin!.write(`${JSON.stringify(command)}\n`);
  }
}

/** @param library `4.8`, `2.5`, `1.7`, `0.9` or `python` */
export function matrixClient(library: string, way: Way, url: string): MatrixClient {
  if (library === 'python') return new PythonClient(url, way);
  if (library === '0.9') {
    const options = { reconnect: true, 'reconnection delay': 50, 'max reconnection attempts': 100 };
    return new ScriptClient(connectLegacy(url, way === 'polling' ? 'xhr-polling' : 'websocket', options) as AnySocket);
  }
  return new ScriptClient(libraries[library]!(url, { transports: transports[way], forceNew: true, ...soon }));
}

/** One of each generation that comes back by itself, but not to its session, over each of its transports. */
export function oldClients(url: string): MatrixClient[] {
  return ['2.5', '1.7'].flatMap((library) =>
    (['polling', 'websocket', 'upgrade'] as const).map((way) => matrixClient(library, way, url)),
  );
}

/** The first argument of an event. */
function numberOf(args: unknown): number {
  return Number((args as unknown[])[0]);
}

function toJson(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return { _binary: value.toString('base64') };
  return Array.isArray(value) ? value.map(toJson) : value;
}

function fromJson(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('_binary' in value)) return value;
  return Buffer.from(String(value._binary), 'base64');
}
