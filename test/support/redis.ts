/** A real Redis server without persistence, for tests: on a port of its own, controllable by process id. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Redis, type RedisOptions } from 'ioredis';
import { eventually } from './eventually.ts';
import { freePorts } from './ports.ts';
import { findProgram } from './programs.ts';

export class RedisServer {
  readonly port: number;
  readonly #args: (port: number) => readonly string[];
  readonly #ends: (() => void)[] = [];
  #process: ChildProcess | undefined;

  private constructor(port: number, args: (port: number) => readonly string[]) {
    this.port = port;
    this.#args = args;
  }

  /** @param options further command line options (`--requirepass`, …), which may depend on its port */
  static async start(options: readonly string[] | ((port: number) => readonly string[]) = []): Promise<RedisServer> {
    const fixed = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const further = typeof options === 'function' ? options : () => options;
    return RedisServer.startWith((port) => ['--port', `${port}`, ...fixed, ...further(port)]);
  }

  /** @param args the whole command line */
  static async startWith(args: (port: number) => readonly string[]): Promise<RedisServer> {
    const [port] = await freePorts(1);
    const server = new RedisServer(port!, args);
    await server.start();
    return server;
  }

  /** What is done when it has been stopped for good. */
  atEnd(done: () => void): void {
    this.#ends.push(done);
  }

  /** Starts it (again), empty, on the same port. */
  async start(): Promise<void> {
    const program = findProgram('redis-server');
    if (!program) throw new Error('redis-server is not installed');
    const child = spawn(program, this.#args(this.port), {
      cwd: '/tmp',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#process = child;
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk;
    });
    await eventually(() => {
      if (child.exitCode !== null) throw new Error(`redis-server ended: ${output}`);
      return /Ready to accept connections|Sentinel ID is/.test(output);
    }, 'redis-server to be ready');
  }

  /** It ends as it does by `redis-cli shutdown`, or of SIGKILL. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGCONT');
    child.kill(signal);
    await ended;
    for (const done of this.#ends.splice(0)) done();
  }

  /** It neither answers nor closes its connections. */
  pause(): void {
    this.#process?.kill('SIGSTOP');
  }

  resume(): void {
    this.#process?.kill('SIGCONT');
  }

  /** Runs commands on a connection of its own. */
  async query<Result>(ask: (redis: Redis) => Promise<Result>, options: RedisOptions = {}): Promise<Result> {
    const redis = new Redis({ port: this.port, host: '127.0.0.1', protocol: 2, ...options });
    try {
      return await ask(redis);
    } finally {
      redis.disconnect();
    }
  }
}
