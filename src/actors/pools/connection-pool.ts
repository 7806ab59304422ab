/**
 * Workers that come by themselves: connections that back ends make, or that a connector makes again and again.
 *
 *   admitted ─▶ idle (a stack: the last one is the first to be acquired) ◀──▶ acquired ─▶ ended
 *                 ▲
 *   requests ─▶ waiting (first in, first out; at most `size` + `overflow`) ─▶ time-out
 */

import { type AbortWatcher, unwatchAbort, watchAbort } from '../../kernel/abort-watch.ts';
import type { Actor } from '../../kernel/actor.ts';
import { Timer } from '../../kernel/timers.ts';
import { describeReason, isGone, isPlanned, type Ref } from '../../kernel/types.ts';
import { textOf } from '../../observe/thrown.ts';
import type { ConnectionSink, ConnectionSource, WorkerMessage } from '../../plugins/types.ts';
import { drainWorker, type Lease, NoWorker, type WorkerOwner, type WorkerSource } from './worker-source.ts';

export interface ConnectionPoolOptions {
  readonly owner: WorkerOwner;
  readonly source: ConnectionSource;
  /** How many requests may wait. */
  readonly queueLimit: number;
  readonly rentTimeoutMs: number;
}

export class ConnectionPool implements WorkerSource, ConnectionSink, Waiting {
  readonly #options: ConnectionPoolOptions;
  readonly #leases = new Set<ConnectionLease>();
  readonly #idle: ConnectionLease[] = [];
  readonly #waiting = new Set<Waiter>();
  readonly #starting = new Set<Promise<boolean>>();
  #isOpen = false;

  constructor(options: ConnectionPoolOptions) {
    this.#options = options;
  }

  get workers(): number {
    return this.#leases.size;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  async start(): Promise<void> {
    if (this.#isOpen) return;
    await this.#options.source.open(this);
    this.#isOpen = true;
  }

  admit(actor: Actor<WorkerMessage>): Promise<boolean> {
    const starting = this.#admit(actor).finally(() => this.#starting.delete(starting));
    this.#starting.add(starting);
    return starting;
  }

  async #admit(actor: Actor<WorkerMessage>): Promise<boolean> {
    const { owner } = this.#options;
    if (!owner.open) return false;
    try {
      const worker = await owner.startWorker(() => actor);
      const lease = new ConnectionLease(worker);
      this.#leases.add(lease);
      owner.kernel.onExit(worker, (reason) => {
        lease.abort();
        this.#leases.delete(lease);
        const at = this.#idle.indexOf(lease);
        if (at >= 0) this.#idle.splice(at, 1);
        if (!isPlanned(reason)) owner.workerFailed(describeReason(reason));
      });
      this.release(lease);
      return true;
    } catch (error) {
      // A supervisor that is being restarted: nothing is wrong with the worker.
      if (isGone(error)) return false;
      owner.workerFailed(textOf(error));
      return false;
    }
  }

  acquire(deadline: number, signal: AbortSignal | undefined): Lease | Promise<Lease> {
    const idle = this.#idle.pop();
    if (idle) return idle;
    const { owner, source, queueLimit } = this.#options;
    if (this.#waiting.size >= queueLimit) {
      return Promise.reject(this.failure(`${queueLimit} requests are waiting for a connection already`));
    }
    return new Promise((resolve, reject) => {
      const waiter = new Waiter(this, resolve, reject, signal);
      this.#waiting.add(waiter);
      owner.kernel.wheel.start(waiter, deadline - performance.now());
      source.wanted();
    });
  }

  release(lease: ConnectionLease): void {
    if (!lease.worker) return;
    for (const waiter of this.#waiting) return waiter.serve(lease);
    this.#idle.push(lease);
  }

  leave(waiter: Waiter): void {
    this.#waiting.delete(waiter);
  }

  failure(what?: string): NoWorker {
    const { owner, source, rentTimeoutMs } = this.#options;
    const why = source.problem === undefined ? '' : ` (${source.problem})`;
    return new NoWorker(
      this.#leases.size > 0,
      source.code,
      `Pool ${owner.name}: ${what ?? `no connection got free within ${rentTimeoutMs} ms${why}`}`,
    );
  }

  suspend(): void {
    this.#isOpen = false;
    void this.#options.source.close();
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    await this.#options.source.close();
    await Promise.all(this.#starting);
    await Promise.all(
      Array.from(this.#leases, ({ worker }) => (worker ? drainWorker(this.#options.owner, worker) : undefined)),
    );
  }
}

class ConnectionLease implements Lease {
  worker: Ref<WorkerMessage> | undefined;

  constructor(worker: Ref<WorkerMessage>) {
    this.worker = worker;
  }

  abort(): void {
    this.worker = undefined;
  }
}

/** What a waiter waits in. */
interface Waiting {
  leave(waiter: Waiter): void;
  /** Why it got nothing; without a reason it is the time. */
  failure(what?: string): NoWorker;
}

/** A request that waits. It is its own timer and abort listener. */
class Waiter extends Timer implements AbortWatcher {
  readonly #queue: Waiting;
  readonly #resolve: (lease: Lease) => void;
  readonly #reject: (error: NoWorker) => void;
  readonly #signal: AbortSignal | undefined;

  constructor(
    queue: Waiting,
    resolve: (lease: Lease) => void,
    reject: (error: NoWorker) => void,
    signal: AbortSignal | undefined,
  ) {
    super();
    this.#queue = queue;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#signal = signal;
    watchAbort(signal, this);
  }

  serve(lease: Lease): void {
    this.#leave();
    this.#resolve(lease);
  }

  override expire(): void {
    this.#leave();
    this.#reject(this.#queue.failure());
  }

  aborted(): void {
    this.#leave();
    this.#reject(this.#queue.failure('the request was cancelled'));
  }

  #leave(): void {
    this.cancel();
    unwatchAbort(this.#signal, this);
    this.#queue.leave(this);
  }
}
