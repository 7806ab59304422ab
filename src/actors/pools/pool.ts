/**
 * A pool of workers, which are actors under the pool's own supervisor.
 *
 *   request ─▶ acquire a worker ─▶ ask it ─▶ release it ─▶ answer
 *                  ▲                 │
 *                  └── try again ────┘  the worker was not there any more, or could not reach its back end:
 *                                       nothing was done yet, so nothing is done twice
 *
 * The worker is returned when it has answered or died, whatever has become of the asker by then.
 */
import type { Actor } from '../../kernel/actor.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { SupervisorMessage } from '../../kernel/supervision.ts';
import type { AnyRef, Ref } from '../../kernel/types.ts';
import { HiveError } from '../../observe/errors.ts';
import { events, type PoolRequestEvent } from '../../observe/events.ts';
import type { Histogram } from '../../observe/histogram.ts';
import type { Counter, Metrics } from '../../observe/metrics.ts';
import { RequestHeaders } from '../../observe/request-headers.ts';
import { Trouble } from '../../observe/trouble.ts';
import type {
  ConnectionSource,
  Connector,
  ConnectorPlugin,
  Pool,
  PoolDescriptor,
  Services,
  WorkerMessage,
} from '../../plugins/types.ts';
import { ConnectionPool } from './connection-pool.ts';
import type { ConnectorCounters } from './counters.ts';
import { type PoolPort, PoolRequest } from './pool-request.ts';
import { SizedPool } from './sized-pool.ts';
import type { Lease, WorkerOwner, WorkerSource } from './worker-source.ts';

/** What a node offers its plugins, and its pools. */
export interface NodeServices extends Services {
  readonly kernel: Kernel;
  readonly metrics: Metrics;
}

export interface PoolOptions {
  readonly name: string;
  readonly plugin: ConnectorPlugin;
  /** With checked and completed args. */
  readonly descriptor: PoolDescriptor;
  readonly services: NodeServices;
  readonly counters: ConnectorCounters;
  makeSupervisor(): Actor<SupervisorMessage>;
}

export class WorkerPool implements Pool, WorkerOwner, PoolPort {
  readonly name: string;
  readonly connector: string;
  readonly kernel: Kernel;
  readonly #options: PoolOptions;
  readonly #workers: WorkerSource;
  readonly #connector: Connector | ConnectionSource;
  readonly #metricPrefix: string;
  readonly #requests: Counter;
  readonly #errors: Counter;
  readonly #latency: Histogram;
  /** The dynamic supervisor of all pools' supervisors. */
  #parent: Ref<SupervisorMessage> | undefined;
  #supervisor: Actor<SupervisorMessage> | undefined;
  readonly #trouble = new Trouble();
  #stopping = false;
  /** Requests that were not refused and are not over, and those of them that have a worker. */
  #admitted = 0;
  #serving = 0;
  #whenEmpty: (() => void)[] = [];
  #whenIdle: (() => void)[] = [];

  constructor(options: PoolOptions) {
    const { name, descriptor, services } = options;
    this.name = name;
    this.connector = descriptor.connector;
    this.kernel = services.kernel;
    this.#options = options;
    this.#metricPrefix = `connectors.${this.connector.replace(/^connector\./, '')}.${name}`;
    this.#requests = services.metrics.counter(`${this.#metricPrefix}.requests`);
    this.#errors = services.metrics.counter(`${this.#metricPrefix}.errors`);
    this.#latency = services.metrics.histogram(`${this.#metricPrefix}.latency`);
    services.metrics.gauge(`${this.#metricPrefix}.workers`, () => this.workers);
    services.metrics.gauge(`${this.#metricPrefix}.capacity`, () => Math.max(1, descriptor.size + descriptor.overflow));
    services.metrics.gauge(`${this.#metricPrefix}.busy`, () => this.#serving);
    services.metrics.gauge(`${this.#metricPrefix}.waiting`, () => this.#admitted - this.#serving);
    const { args, size, overflow } = descriptor;
    this.#connector = options.plugin.create({ name, args: args as never, size, overflow, services });
    this.#workers = this.#workerSource(this.#connector);
  }

  #workerSource(connector: Connector | ConnectionSource): WorkerSource {
    const { descriptor, services } = this.#options;
    const { size, overflow } = descriptor;
    const { rent_timeout: rentTimeoutMs, overflow_idle: overflowIdleMs } = services.config.connectors;
    if ('worker' in connector) {
      return new SizedPool({ owner: this, connector, size, overflow, rentTimeoutMs, overflowIdleMs });
    }
    const queueLimit = Math.max(1, size + overflow);
    return new ConnectionPool({ owner: this, source: connector, queueLimit, rentTimeoutMs });
  }

  /** Why it is of no use now; undefined if nothing is known against it. */
  get problem(): string | undefined {
    // Who listens for back ends may do without any if there is to be none at rest.
    if (this.descriptor.size > 0 || !this.isConnected) {
      const { problem } = this.#connector;
      if (problem !== undefined) return problem;
    }
    return this.#trouble.reason ?? (this.descriptor.size > 0 && this.workers === 0 ? 'no worker' : undefined);
  }

  /** Workers that run now. */
  get workers(): number {
    return this.#workers.workers;
  }

  get descriptor(): PoolDescriptor {
    return this.#options.descriptor;
  }

  /** Its workers are connections, which tell by themselves when the back end is away. */
  get isConnected(): boolean {
    return this.#workers instanceof ConnectionPool;
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  // --- requests

  request(request: unknown, signal?: AbortSignal): Promise<unknown> {
    return events.poolRequest.hasSubscribers ? this.#traced(request, signal) : this.#request(request, signal);
  }

  async #traced(request: unknown, signal: AbortSignal | undefined): Promise<unknown> {
    const { name: pool, connector } = this;
    const { node } = this.kernel;
    const headers = new RequestHeaders();
    const event = { node, pool, connector, headers, attempts: 0, waits: false, error: undefined };
    return events.poolRequest.run(event, () => this.#request(request, signal, event));
  }

  #request(request: unknown, signal: AbortSignal | undefined, event?: PoolRequestEvent): Promise<unknown> {
    this.#requests.value += 1;
    this.#options.counters.requests.value += 1;
    this.#options.counters.safe_transactions.value += 1;
    if (this.#stopping) {
      this.#errors.value += 1;
      return Promise.reject(new HiveError('connector_error', this.text('is being stopped')));
    }
    this.#admitted += 1;
    return new Promise((resolve, reject) => {
      const message = { type: 'request', request, signal, headers: event?.headers } as const;
      new PoolRequest(this, message, resolve, reject, event).start();
    });
  }

  get limits(): Services['config']['connectors'] {
    return this.#options.services.config.connectors;
  }

  acquire(deadline: number, signal: AbortSignal | undefined): Lease | Promise<Lease> {
    this.#options.counters.requests.value += 1;
    return this.#workers.acquire(deadline, signal);
  }

  serve(): void {
    this.#options.counters.rents.value += 1;
    this.#serving += 1;
  }

  release(lease: Lease): void {
    const { counters } = this.#options;
    counters.requests.value += 1;
    counters.returns.value += 1;
    this.#workers.release(lease);
    this.#serving -= 1;
    if (this.#serving === 0) for (const wake of this.#whenIdle.splice(0)) wake();
  }

  triedInVain(): void {
    this.#options.counters.errors.value += 1;
  }

  succeeded(): void {
    this.#trouble.succeeded();
  }

  failed(error: unknown): void {
    this.#errors.value += 1;
    if (error !== undefined) this.#trouble.failed(error);
  }

  ended(ms: number | undefined): void {
    if (ms !== undefined) {
      this.#latency.record(ms);
      this.#options.counters.latency.record(ms);
    }
    this.#admitted -= 1;
    if (this.#admitted === 0) for (const wake of this.#whenEmpty.splice(0)) wake();
  }

  /** Resolves when no worker has a request to answer. */
  async idle(): Promise<void> {
    if (this.#serving > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  text(what: string): string {
    return `Pool ${this.name}: ${what}`;
  }

  // --- life cycle

  /**
   * Starts the pool's supervisor under that of all pools, and the workers; whatever of it runs already stays as it is.
   * Rejects with `connectors_error` if a worker cannot be started, or with what keeps connections from coming.
   */
  async start(parent: Ref<SupervisorMessage>): Promise<void> {
    this.#parent = parent;
    if (!this.#isSupervised) await this.#startSupervisor(parent);
    await this.#workers.start();
  }

  /** A supervisor whose own one has died may still be ending its workers: it is of no use any more. */
  get #isSupervised(): boolean {
    return this.#supervisor?.alive === true && this.#supervisor.cell.parent?.alive === true;
  }

  async #startSupervisor(parent: Ref<SupervisorMessage>): Promise<void> {
    await this.kernel.ask<SupervisorMessage, AnyRef | undefined>(parent, {
      type: 'start_child',
      child: {
        id: this.name,
        // Called again when the supervisor is restarted: that is how the pool knows who it is now.
        start: () => {
          this.#supervisor = this.#options.makeSupervisor();
          return this.#supervisor;
        },
        restart: 'transient',
        type: 'supervisor',
        shutdown: 'infinity',
      },
    });
  }

  /** The supervisors are going away, perhaps to come back: no worker is to be started meanwhile. */
  suspend(): void {
    this.#parent = undefined;
    this.#workers.suspend();
  }

  /** Refuses new requests, lets those that wait or run finish, ends the workers, forgets the metrics. */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#admitted > 0) await new Promise<void>((resolve) => this.#whenEmpty.push(resolve));
    await this.#workers.close();
    if (this.#parent && this.#supervisor?.alive) {
      await this.kernel.ask<SupervisorMessage, void>(
        this.#parent,
        { type: 'terminate_child', child: this.#supervisor.self },
        Number.POSITIVE_INFINITY,
      );
    }
    this.#parent = undefined;
    this.#options.services.metrics.remove(this.#metricPrefix);
  }

  get open(): boolean {
    return this.#parent !== undefined;
  }

  async startWorker(make: () => Actor<WorkerMessage>): Promise<Ref<WorkerMessage>> {
    const supervisor = this.#supervisor;
    if (!supervisor?.alive) throw new HiveError('not_running', 'The supervisor of the pool is not running.');
    const worker = await this.kernel.ask<SupervisorMessage, AnyRef | undefined>(
      supervisor.self,
      {
        type: 'start_child',
        child: { id: `${this.name} worker`, start: make as () => Actor, restart: 'temporary' },
      },
      Number.POSITIVE_INFINITY,
    );
    if (!worker) throw new HiveError('connectors_error', 'The worker does not want to run.');
    return worker as Ref<WorkerMessage>;
  }

  async terminateWorker(worker: Ref<WorkerMessage>): Promise<void> {
    if (!this.#supervisor?.alive) return;
    await this.kernel.ask<SupervisorMessage, void>(this.#supervisor.self, {
      type: 'terminate_child',
      child: worker,
    });
  }

  workerFailed(reason: string): void {
    this.#options.counters.errors.value += 1;
    const { log } = this.#options.services;
    if (log.excess('A worker failed', this.name)) return;
    log.warning(this.text(`a worker failed: ${reason}`), { pool: this.name });
  }
}
