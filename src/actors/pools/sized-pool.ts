/**
 * Workers that the pool makes when it wants them. generic-pool decides who gets a slot and how many there are: `size` at rest,
 * up to `overflow` more under load, which are given up again after a while.
 *
 *   generic-pool ─▶ acquired ◀─▶ at hand (a stack, from which a slot is had without waiting) ─▶ generic-pool
 *
 * Slots go back to generic-pool when somebody waits in its queue, when they have lost their worker, or when they have not been
 * needed for a while.
 */
import { createPool, type Pool as GenericPool } from 'generic-pool';
import { HiveError } from '../../observe/errors.ts';
import type { Connector } from '../../plugins/types.ts';
import { WorkerSlot } from './worker-slot.ts';
import { NoWorker, type WorkerOwner, type WorkerSource } from './worker-source.ts';

/** How often slots at hand that were not needed since the last time are given back, at least. */
const sortOutMs = 500;
/** How often workers that have been idle for too long are looked for, at least. */
const overflowCheckMs = 1000;

export interface SizedPoolOptions {
  readonly owner: WorkerOwner;
  readonly connector: Connector;
  readonly size: number;
  readonly overflow: number;
  /** Limit of the wait for a slot, ms. */
  readonly rentTimeoutMs: number;
  /** How long a worker beyond `size` may be idle before it goes, ms. */
  readonly overflowIdleMs: number;
}

export class SizedPool implements WorkerSource {
  readonly #options: SizedPoolOptions;
  readonly #slots: GenericPool<WorkerSlot>;
  readonly #allSlots = new Set<WorkerSlot>();
  readonly #atHand: WorkerSlot[] = [];
  /** The fewest that were at hand since they were last sorted out: so many are not needed. */
  #spare = 0;
  #sorting: NodeJS.Timeout | undefined;
  #closing = false;

  constructor(options: SizedPoolOptions) {
    const { size, overflow, rentTimeoutMs, overflowIdleMs } = options;
    this.#options = options;
    this.#slots = createPool<WorkerSlot>(
      { create: () => this.#addSlot(), destroy: (slot) => this.#removeSlot(slot) },
      {
        min: size,
        max: Math.max(1, size + overflow),
        acquireTimeoutMillis: rentTimeoutMs,
        autostart: false,
        evictionRunIntervalMillis: Math.min(overflowCheckMs, overflowIdleMs),
        softIdleTimeoutMillis: overflowIdleMs,
        idleTimeoutMillis: Number.POSITIVE_INFINITY,
      },
    );
  }

  get workers(): number {
    let running = 0;
    for (const slot of this.#allSlots) if (slot.worker) running += 1;
    return running;
  }

  /** Rejects with `connectors_error` if a worker cannot be started. */
  async start(): Promise<void> {
    this.#slots.start();
    await Promise.all([...this.#allSlots].map((slot) => slot.fill()));
    const failed = [...this.#allSlots].find((slot) => !slot.worker && slot.problem !== undefined);
    if (failed) throw new HiveError('connectors_error', this.#text(`a worker cannot be started: ${failed.problem}`));
  }

  acquire(deadline: number): WorkerSlot | Promise<WorkerSlot> {
    for (let slot = this.#atHand.pop(); slot; slot = this.#atHand.pop()) {
      if (this.#atHand.length < this.#spare) this.#spare = this.#atHand.length;
      if (slot.worker) return slot;
      void this.#slots.release(slot);
    }
    return this.#acquire().then((slot) => this.#staffed(slot, deadline));
  }

  async #staffed(slot: WorkerSlot, deadline: number): Promise<WorkerSlot> {
    if (slot.worker || (await slot.filled(deadline - performance.now()))) return slot;
    this.release(slot);
    throw new NoWorker(false, 'connector_error', this.#text(`has no worker: ${slot.problem ?? 'it is being started'}`));
  }

  async #acquire(): Promise<WorkerSlot> {
    try {
      return await this.#slots.acquire();
    } catch (error) {
      const text = this.#text(`no worker got free within ${this.#options.rentTimeoutMs} ms`);
      throw new NoWorker(this.workers > 0, 'connector_error', text, { cause: error });
    }
  }

  release(slot: WorkerSlot): void {
    if (this.#closing || !slot.worker || this.#slots.pending > 0) {
      void this.#slots.release(slot);
      return;
    }
    this.#atHand.push(slot);
    this.#sorting ??= setInterval(() => this.#sortOut(), Math.min(sortOutMs, this.#options.overflowIdleMs)).unref();
  }

  /** The slots at the bottom of the stack are those that nobody has needed. */
  #sortOut(): void {
    for (const slot of this.#atHand.splice(0, this.#spare)) void this.#slots.release(slot);
    this.#spare = this.#atHand.length;
    if (this.#spare > 0) return;
    clearInterval(this.#sorting);
    this.#sorting = undefined;
  }

  suspend(): void {}

  async close(): Promise<void> {
    this.#closing = true;
    this.#spare = this.#atHand.length;
    this.#sortOut();
    await this.#slots.drain();
    await this.#slots.clear();
    await this.#options.connector.close();
  }

  async #addSlot(): Promise<WorkerSlot> {
    const { owner, connector } = this.#options;
    const slot = new WorkerSlot(owner, () => connector.worker());
    this.#allSlots.add(slot);
    await slot.fill();
    return slot;
  }

  async #removeSlot(slot: WorkerSlot): Promise<void> {
    try {
      await slot.close();
    } finally {
      this.#allSlots.delete(slot);
    }
  }

  #text(what: string): string {
    return `Pool ${this.#options.owner.name}: ${what}`;
  }
}
