/**
 * A pool of workers. generic-pool decides who gets a seat and how many there are: `size` at rest, up to `overflow` more under
 * load, which are given up again after a while. The workers are actors under the pool's own supervisor.
 *
 *   request ─▶ rent a seat ─▶ ask its worker ─▶ return the seat ─▶ answer
 *                  ▲                 │
 *                  └── try again ────┘  the worker was not there any more, or could not reach its back end:
 *                                       nothing was done yet, so nothing is done twice
 *
 * The seat is returned when the worker has answered or died, whatever has become of the asker by then.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { createPool, type Pool as GenericPool } from 'generic-pool';
import type { Actor } from '../../kernel/actor.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { SupervisorMessage } from '../../kernel/supervision.ts';
import type { Call, Ref } from '../../kernel/types.ts';
import { HiveError } from '../../observe/errors.ts';
import type { Counter } from '../../observe/metrics.ts';
import { Unavailable } from '../../plugins/connectors/unavailable.ts';
import type { Connector, ConnectorPlugin, Pool, PoolDescriptor, Services, WorkerMessage } from '../../plugins/types.ts';
import type { ConnectorCounters } from './counters.ts';
import { Seat, type SeatOwner } from './seat.ts';

/** How long a worker beyond `size` may be idle before it goes, and how often that is looked at. */
const overflowIdleMs = 5000;
const overflowCheckMs = 1000;

export interface PoolOptions {
  readonly name: string;
  readonly plugin: ConnectorPlugin;
  /** With checked and completed args. */
  readonly descriptor: PoolDescriptor;
  readonly services: Services;
  readonly counters: ConnectorCounters;
  makeSupervisor(): Actor<SupervisorMessage>;
}

/** The failure to get a worker. */
class NoWorker extends HiveError {}

export class WorkerPool implements Pool, SeatOwner {
  readonly name: string;
  readonly connector: string;
  readonly kernel: Kernel;
  readonly #options: PoolOptions;
  readonly #connector: Connector;
  readonly #seats: GenericPool<Seat>;
  readonly #allSeats = new Set<Seat>();
  readonly #metricPrefix: string;
  readonly #requests: Counter;
  readonly #errors: Counter;
  /** The dynamic supervisor of all pools' supervisors. */
  #parent: Ref<SupervisorMessage> | undefined;
  #supervisor: Actor<SupervisorMessage> | undefined;
  #stopping = false;
  #serving = 0;
  #whenIdle: (() => void)[] = [];

  constructor(options: PoolOptions) {
    const { name, plugin, descriptor, services } = options;
    const { size, overflow } = descriptor;
    this.name = name;
    this.connector = descriptor.connector;
    this.kernel = services.kernel;
    this.#options = options;
    this.#metricPrefix = `connectors.${this.connector.replace(/^connector\./, '')}.${name}`;
    this.#requests = services.metrics.counter(`${this.#metricPrefix}.requests`);
    this.#errors = services.metrics.counter(`${this.#metricPrefix}.errors`);
    services.metrics.gauge(`${this.#metricPrefix}.workers`, () => this.workers);
    this.#connector = plugin.create({ name, args: descriptor.args as never, size, overflow, services });
    this.#seats = createPool<Seat>(
      { create: () => this.#addSeat(), destroy: (seat) => this.#removeSeat(seat) },
      {
        min: size,
        max: Math.max(1, size + overflow),
        acquireTimeoutMillis: services.config.connectors.rent_timeout,
        autostart: false,
        evictionRunIntervalMillis: overflowCheckMs,
        softIdleTimeoutMillis: overflowIdleMs,
        idleTimeoutMillis: Number.POSITIVE_INFINITY,
      },
    );
  }

  /** Workers that run now. */
  get workers(): number {
    let running = 0;
    for (const seat of this.#allSeats) if (seat.worker) running += 1;
    return running;
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  // --- requests

  request<Reply>(request: unknown, signal?: AbortSignal): Promise<Reply> {
    this.#requests.value += 1;
    this.#options.counters.requests.value += 1;
    this.#options.counters.safe_transactions.value += 1;
    const answer = this.#try<Reply>({ type: 'request', request, signal });
    return signal ? unlessAborted(answer, signal) : answer;
  }

  async #try<Reply>(message: WorkerMessage & { type: 'request' }): Promise<Reply> {
    const { counters, services } = this.#options;
    const { backoff_num, backoff_time, rent_timeout } = services.config.connectors;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#attempt<Reply>(message, performance.now() + rent_timeout);
      } catch (error) {
        const vain = error instanceof Unavailable || error instanceof NoWorker;
        if (!vain || attempt >= backoff_num || this.#stopping || message.signal?.aborted) {
          this.#errors.value += 1;
          throw error;
        }
        counters.errors.value += 1;
        if (backoff_time > 0) await delay(Math.random() * backoff_time);
      }
    }
  }

  async #attempt<Reply>(message: WorkerMessage & { type: 'request' }, deadline: number): Promise<Reply> {
    for (;;) {
      const seat = await this.#rent();
      let worker: Ref<WorkerMessage> | undefined;
      this.#serving += 1;
      try {
        if (!seat.worker) await this.#awaitWorker(seat, deadline);
        if (message.signal?.aborted) throw cancelled(message.signal);
        worker = seat.worker;
        if (worker) {
          return await this.kernel.ask<WorkerMessage, Reply>(
            worker,
            message as WorkerMessage & Call<Reply>,
            Number.POSITIVE_INFINITY,
          );
        }
      } catch (error) {
        if (!(error instanceof HiveError) || error.code !== 'not_running') throw error;
        // A cause means that the worker crashed, perhaps in the middle of this request. A planned end is one between requests.
        if (error.cause !== undefined)
          throw new HiveError('connector_error', this.#text(error.message), { cause: error });
        if (worker) seat.dismiss(worker);
      } finally {
        this.#return(seat);
      }
    }
  }

  async #rent(): Promise<Seat> {
    const { counters } = this.#options;
    counters.requests.value += 1;
    try {
      const seat = await this.#seats.acquire();
      counters.rents.value += 1;
      return seat;
    } catch (error) {
      if (this.#stopping) throw new HiveError('connector_error', this.#text('is being stopped'), { cause: error });
      const { rent_timeout } = this.#options.services.config.connectors;
      throw new NoWorker('connector_error', this.#text(`no worker got free within ${rent_timeout} ms`));
    }
  }

  async #awaitWorker(seat: Seat, deadline: number): Promise<void> {
    if (await seat.filled(deadline - performance.now())) return;
    throw new NoWorker('connector_error', this.#text(`has no worker: ${seat.problem ?? 'it is being started'}`));
  }

  #return(seat: Seat): void {
    const { counters } = this.#options;
    counters.requests.value += 1;
    counters.returns.value += 1;
    void this.#seats.release(seat);
    this.#serving -= 1;
    if (this.#serving === 0) for (const wake of this.#whenIdle.splice(0)) wake();
  }

  /** Resolves when no worker has a request to answer. */
  async idle(): Promise<void> {
    if (this.#serving > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  #text(what: string): string {
    return `Pool ${this.name}: ${what}`;
  }

  // --- life cycle

  /**
   * Starts the pool's supervisor under that of all pools, and the workers; whatever of it runs already stays as it is.
   * Rejects with `connectors_error` if a worker cannot be started.
   */
  async start(parent: Ref<SupervisorMessage>): Promise<void> {
    this.#parent = parent;
    if (!this.#supervisor?.alive) await this.#startSupervisor(parent);
    this.#seats.start();
    await Promise.all([...this.#allSeats].map((seat) => seat.fill()));
    const failed = [...this.#allSeats].find((seat) => !seat.worker && seat.problem !== undefined);
    if (failed) throw new HiveError('connectors_error', this.#text(`a worker cannot be started: ${failed.problem}`));
  }

  async #startSupervisor(parent: Ref<SupervisorMessage>): Promise<void> {
    await this.kernel.ask<SupervisorMessage, Ref<never> | undefined>(parent, {
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
  }

  /** Refuses new requests, lets those that wait or run finish, ends the workers, forgets the metrics. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#seats.drain();
    await this.#seats.clear();
    if (this.#parent && this.#supervisor?.alive) {
      await this.kernel.ask<SupervisorMessage, void>(
        this.#parent,
        { type: 'terminate_child', child: this.#supervisor.self as Ref<never> },
        Number.POSITIVE_INFINITY,
      );
    }
    this.#parent = undefined;
    await this.#connector.close();
    this.#options.services.metrics.remove(this.#metricPrefix);
  }

  async #addSeat(): Promise<Seat> {
    const seat = new Seat(this);
    this.#allSeats.add(seat);
    await seat.fill();
    return seat;
  }

  async #removeSeat(seat: Seat): Promise<void> {
    try {
      await seat.close();
    } finally {
      this.#allSeats.delete(seat);
    }
  }

  get open(): boolean {
    return this.#parent !== undefined;
  }

  async startWorker(): Promise<Ref<WorkerMessage>> {
    const supervisor = this.#supervisor;
    if (!supervisor?.alive) throw new HiveError('not_running', 'The supervisor of the pool is not running.');
    const worker = await this.kernel.ask<SupervisorMessage, Ref<never> | undefined>(
      supervisor.self,
      {
        type: 'start_child',
        child: { id: `${this.name} worker`, start: () => this.#connector.worker() as Actor, restart: 'temporary' },
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
      child: worker as Ref<never>,
    });
  }

  workerFailed(reason: string): void {
    this.#options.counters.errors.value += 1;
    this.#options.services.log.warning(this.#text(`a worker failed: ${reason}`), { pool: this.name });
  }
}

function cancelled(signal: AbortSignal): HiveError {
  return new HiveError('connector_error', 'The request was cancelled.', { cause: signal.reason });
}

/** Settles as the promise does, or rejects as soon as the signal is aborted. */
function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(cancelled(signal));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
