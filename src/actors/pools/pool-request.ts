/**
 * One request to a pool, from the demand for a worker to the answer. It goes on by callbacks: where a worker is idle, a request
 * costs this object and the promise of its asker.
 *
 *   start ─▶ seek a lease ─▶ ask its worker ─▶ release the lease ─▶ answer
 *                 ▲                   │
 *                 └──── try again ────┘
 */
import { type AbortWatcher, unwatchAbort, watchAbort } from '../../kernel/abort-watch.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Call, Ref } from '../../kernel/types.ts';
import { HiveError } from '../../observe/errors.ts';
import type { PoolRequestEvent } from '../../observe/events.ts';
import { Unavailable } from '../../plugins/connectors/unavailable.ts';
import type { Services, WorkerMessage } from '../../plugins/types.ts';
import { type Lease, NoWorker } from './worker-source.ts';

/** The pool, as its requests see it. */
export interface PoolPort {
  readonly kernel: Kernel;
  readonly stopping: boolean;
  /** How often and with which pauses is tried again, and how long a worker is waited for. */
  readonly limits: Services['config']['connectors'];
  acquire(deadline: number, signal: AbortSignal | undefined): Lease | Promise<Lease>;
  /** An acquired lease is used from now on. */
  serve(): void;
  release(lease: Lease): void;
  triedInVain(): void;
  succeeded(): void;
  /** @param error undefined if its asker has cancelled it */
  failed(error: unknown): void;
  /** @param ms how long it took; undefined if nobody wants the answer any more */
  ended(ms: number | undefined): void;
  text(what: string): string;
}

/**
 * Bound of the random pause before a worker is waited for anew while the node stops. All its clients end at once then, and their
 * `on_disconnect` has time for as long as the stop takes: it shall not fail because others have the workers.
 */
const patientPauseMs = 100;

export class PoolRequest<Reply> implements AbortWatcher {
  readonly #port: PoolPort;
  readonly #message: WorkerMessage & { type: 'request' };
  readonly #resolve: (reply: Reply) => void;
  readonly #reject: (error: unknown) => void;
  readonly #begun = performance.now();
  readonly #event: PoolRequestEvent | undefined;
  #attempt = 1;
  #deadline = 0;

  constructor(
    port: PoolPort,
    message: WorkerMessage & { type: 'request' },
    resolve: (reply: Reply) => void,
    reject: (error: unknown) => void,
    event: PoolRequestEvent | undefined,
  ) {
    this.#port = port;
    this.#message = message;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#event = event;
  }

  start(): void {
    watchAbort(this.#message.signal, this);
    this.#try();
  }

  /** The asker is gone: it hears so at once, whatever its worker does. */
  aborted(): void {
    this.#reject(this.#cancelled());
  }

  get #aborted(): boolean {
    return this.#message.signal?.aborted === true;
  }

  #cancelled(): HiveError {
    return new HiveError('connector_error', 'The request was cancelled.', { cause: this.#message.signal?.reason });
  }

  #try(): void {
    if (this.#event) this.#event.attempts = this.#attempt;
    this.#deadline = performance.now() + this.#port.limits.rent_timeout;
    this.#seek();
  }

  #seek(): void {
    if (this.#aborted) return this.#failed(this.#cancelled());
    const lease = this.#port.acquire(this.#deadline, this.#message.signal);
    if (!(lease instanceof Promise)) return this.#ask(lease);
    lease.then(
      (rented) => this.#ask(rented),
      (error: unknown) => this.#failed(error),
    );
  }

  #ask(lease: Lease): void {
    this.#port.serve();
    const { worker } = lease;
    if (this.#aborted || !worker) {
      this.#port.release(lease);
      return this.#seek();
    }
    this.#port.kernel.askThen<WorkerMessage, Reply>(
      worker,
      this.#message as WorkerMessage & Call<Reply>,
      Number.POSITIVE_INFINITY,
      (reply) => {
        this.#port.release(lease);
        this.#port.succeeded();
        this.#end();
        this.#resolve(reply);
      },
      (error) => this.#refused(error, lease, worker),
    );
  }

  /** The worker has failed the request, or is not there any more. */
  #refused(error: unknown, lease: Lease, worker: Ref<WorkerMessage>): void {
    const code = error instanceof HiveError ? error.code : undefined;
    // It has ended between requests, or is about to. One that crashed may have done so in the middle of this request.
    const isAway = code === 'not_running';
    if (isAway) lease.abort(worker);
    this.#port.release(lease);
    if (isAway) this.#seek();
    else if (error instanceof HiveError && code === 'crashed')
      this.#failed(new HiveError('connector_error', this.#port.text(error.message), { cause: error }));
    else this.#failed(error);
  }

  #failed(error: unknown): void {
    const { backoff_num, backoff_time } = this.#port.limits;
    const isVain = error instanceof Unavailable || error instanceof NoWorker;
    const isPatient = this.#port.kernel.phase === 'stopping' && error instanceof NoWorker && error.isBusy;
    const isLast = this.#attempt >= backoff_num && !isPatient;
    if (!isVain || isLast || this.#port.stopping || this.#aborted) {
      this.#port.failed(this.#aborted ? undefined : error);
      this.#end();
      this.#reject(error);
      return;
    }
    this.#port.triedInVain();
    this.#attempt += 1;
    const pauseMs = isPatient ? Math.max(backoff_time, patientPauseMs) : backoff_time;
    if (pauseMs > 0) setTimeout(() => this.#try(), Math.random() * pauseMs);
    else this.#try();
  }

  #end(): void {
    unwatchAbort(this.#message.signal, this);
    this.#port.ended(this.#aborted ? undefined : performance.now() - this.#begun);
  }
}
