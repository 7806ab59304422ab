/**
 * Keeps a node registered with EPMD: with the one that runs on this machine, else with one served by this node. When that
 * one goes away (its node ended), the node registers with whoever took over, or takes over itself. One that is there and does
 * not answer (its node hangs) is no reason not to start: the node does without, and tries again until it is registered.
 */
import type { Socket } from 'node:net';
import { HiveError } from '../../observe/errors.ts';
import type { Log } from '../../observe/logger.ts';
import { hostOf, register, shortName } from './epmd.ts';
import { EpmdServer } from './server.ts';

/** Several nodes find their EPMD gone at the same moment; one wins the port, the others try again this much later. */
const retryMs = 50;
/** A node that was killed a moment ago may be registered still. */
const takenPatienceMs = 600;
const maxRetryMs = 5000;

export interface RegistrationOptions {
  readonly node: string;
  readonly port: number;
  readonly epmdPort: number;
  readonly log: Log;
}

export class EpmdRegistration {
  readonly #options: RegistrationOptions;
  #epmdPort: number;
  #server: EpmdServer | undefined;
  #socket: Socket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: RegistrationOptions) {
    this.#options = options;
    this.#epmdPort = options.epmdPort;
  }

  /** The port of the EPMD in use; differs from the wanted one only if that was 0. */
  get epmdPort(): number {
    return this.#epmdPort;
  }

  /** True while this node serves EPMD for its machine. */
  get serves(): boolean {
    return this.#server !== undefined;
  }

  /** Resolves when the node is registered, or cannot be for now. @throws HiveError `name_taken` */
  async start(): Promise<void> {
    const deadline = performance.now() + takenPatienceMs;
    for (;;) {
      try {
        return await this.#register();
      } catch (error) {
        if (performance.now() < deadline) {
          await new Promise((resolve) => setTimeout(resolve, retryMs));
          continue;
        }
        const failure = this.#explain(error);
        if (failure.code === 'name_taken') throw failure;
        this.#options.log.warning(`${failure.message}; until it is, other nodes find it only by its port range`);
        return this.#again(0, false);
      }
    }
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#socket?.destroy();
    this.#server?.stop();
    this.#server = undefined;
  }

  async #register(): Promise<void> {
    const { node, port } = this.#options;
    if (this.#epmdPort === 0) await this.#serve();
    let socket: Socket;
    try {
      socket = await register(this.#epmdPort, shortName(node), port);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED') throw error;
      await this.#serve();
      socket = await register(this.#epmdPort, shortName(node), port);
    }
    if (this.#stopped) return void socket.destroy();
    this.#socket = socket;
    // An error is always followed by `close`.
    socket.on('error', () => {});
    socket.on('close', () => this.#lost());
    // A closed connection is seen only while somebody reads.
    socket.resume();
  }

  async #serve(): Promise<void> {
    const server = new EpmdServer();
    const host = hostOf(this.#options.node);
    const hosts = host.startsWith('127.') ? ['127.0.0.1'] : ['127.0.0.1', host];
    const failures = await server.listen(this.#epmdPort, hosts);
    if (this.#stopped) return server.stop();
    for (const { message } of failures) {
      this.#options.log.warning(`EPMD is served to this machine only: ${message}`);
    }
    this.#epmdPort = server.port;
    this.#server = server;
    this.#options.log.info(`serving EPMD on port ${server.port}`);
  }

  #lost(): void {
    this.#socket = undefined;
    if (this.#stopped) return;
    this.#options.log.notice('EPMD is gone, registering anew');
    this.#again(0, true);
  }

  /** @param warns whether nobody has been told yet that it does not succeed */
  #again(attempt: number, warns: boolean): void {
    if (this.#stopped) return;
    this.#register().then(
      () => this.#options.log.notice(`registered with EPMD on port ${this.#epmdPort}`),
      (error: unknown) => {
        if (this.#stopped) return;
        if (warns && attempt === 10) this.#options.log.warning(this.#explain(error).message);
        const delay = Math.min(maxRetryMs, retryMs * 1.5 ** attempt) * (0.5 + Math.random());
        this.#timer = setTimeout(() => this.#again(attempt + 1, warns), delay);
      },
    );
  }

  #explain(error: unknown): HiveError {
    const { node } = this.#options;
    if (error instanceof HiveError && error.code === 'name_taken') {
      return new HiveError('name_taken', `Another node named ${node} is running: ${error.message}`);
    }
    return new HiveError('cluster_error', `Cannot register ${node} with EPMD: ${(error as Error).message}`);
  }
}
