/**
 * A slot for one worker in a pool. When its worker ends the slot gets another one: at once after a planned end, with growing
 * pauses after crashes and failed starts. So whoever acquires a slot need not know that workers come and go.
 */
import type { Actor } from '../../kernel/actor.ts';
import { describeReason, type ExitReason, isGone, isPlanned, type Ref } from '../../kernel/types.ts';
import { textOf } from '../../observe/thrown.ts';
import type { WorkerMessage } from '../../plugins/types.ts';
import { drainWorker, type Lease, type WorkerOwner } from './worker-source.ts';

/** A worker that lived so long was all right; the next crash is the first again. */
const soundLifeMs = 1000;
/** Pause before a worker that ended as planned is replaced although it had hardly begun. */
const minPauseMs = 10;
const firstBackoffMs = 100;
const maxBackoffMs = 5000;

export class WorkerSlot implements Lease {
  worker: Ref<WorkerMessage> | undefined;
  /** Why there is no worker. */
  problem: string | undefined;
  readonly #owner: WorkerOwner;
  readonly #make: () => Actor<WorkerMessage>;
  #filling: Promise<void> | undefined;
  #filledAt = 0;
  #failures = 0;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;
  #waiters: (() => void)[] = [];

  constructor(owner: WorkerOwner, make: () => Actor<WorkerMessage>) {
    this.#owner = owner;
    this.#make = make;
  }

  /** Starts a worker if there is none; resolves when that has succeeded or failed. */
  fill(): Promise<void> {
    if (this.worker || this.#closed || !this.#owner.open) return Promise.resolve();
    this.#filling ??= this.#fill().finally(() => {
      this.#filling = undefined;
    });
    return this.#filling;
  }

  async #fill(): Promise<void> {
    clearTimeout(this.#retry);
    try {
      const worker = await this.#owner.startWorker(this.#make);
      if (this.#closed) return await this.#owner.terminateWorker(worker);
      this.worker = worker;
      this.problem = undefined;
      this.#filledAt = performance.now();
      this.#owner.kernel.onExit(worker, (reason) => this.#ended(worker, reason));
      for (const wake of this.#waiters.splice(0)) wake();
    } catch (error) {
      // A supervisor that is being restarted: nothing is wrong with the worker.
      if (isGone(error)) this.#fillAfter(firstBackoffMs);
      else this.#failed(textOf(error));
    }
  }

  /** True when there is a worker, false if there is none after `timeoutMs`. */
  async filled(timeoutMs: number): Promise<boolean> {
    if (this.worker || timeoutMs <= 0) return this.worker !== undefined;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#waiters.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    return this.worker !== undefined;
  }

  abort(worker: Ref<WorkerMessage>): void {
    if (this.worker === worker) this.worker = undefined;
  }

  #ended(worker: Ref<WorkerMessage>, reason: ExitReason): void {
    this.abort(worker);
    if (this.#closed || !this.#owner.open) return;
    const livedMs = performance.now() - this.#filledAt;
    if (livedMs >= soundLifeMs) this.#failures = 0;
    if (!isPlanned(reason)) this.#failed(describeReason(reason));
    else if (livedMs < minPauseMs) this.#fillAfter(minPauseMs);
    else void this.fill();
  }

  #failed(problem: string): void {
    this.problem = problem;
    this.#owner.workerFailed(problem);
    this.#fillAfter(Math.min(maxBackoffMs, firstBackoffMs * 2 ** this.#failures));
    this.#failures += 1;
  }

  #fillAfter(ms: number): void {
    this.#retry = setTimeout(() => void this.fill(), ms).unref();
  }

  /** Lets the worker finish and end. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    await this.#filling;
    if (this.worker) await drainWorker(this.#owner, this.worker);
  }
}
