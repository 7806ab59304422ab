/**
 * Workers that the pool makes when it wants them. generic-pool decides who gets a seat and how many there are: `size` at rest,
 * up to `overflow` more under load, which are given up again after a while.
 *
 *   generic-pool ─▶ rented ◀─▶ at hand (a stack, from which a seat is had without waiting) ─▶ generic-pool
 *
 * Seats go back to generic-pool when somebody waits in its queue, when they have lost their worker, or when they have not been
 * needed for a while.
 */
import { createPool, type Pool as GenericPool } from 'generic-pool';
import { HiveError } from '../../observe/errors.ts';
import type { Connector } from '../../plugins/types.ts';
import { Seat } from './worker-slot.ts';
import { type Employer, NoWorker, type Workforce } from './worker-source.ts';

/** How often seats at hand that were not needed since the last time are given back, at least. */
const sortOutMs = 500;
/** How often workers that have been idle for too long are looked for, at least. */
const overflowCheckMs = 1000;

export interface SeatPoolOptions {
  readonly employer: Employer;
  readonly connector: Connector;
  readonly size: number;
  readonly overflow: number;
  /** Limit of the wait for a seat, ms. */
  readonly rentTimeoutMs: number;
  /** How long a worker beyond `size` may be idle before it goes, ms. */
  readonly overflowIdleMs: number;
}

export class SeatPool implements Workforce {
  readonly #options: SeatPoolOptions;
  readonly #seats: GenericPool<Seat>;
  readonly #allSeats = new Set<Seat>();
  readonly #atHand: Seat[] = [];
  /** The fewest that were at hand since they were last sorted out: so many are not needed. */
  #spare = 0;
  #sorting: NodeJS.Timeout | undefined;
  #closing = false;

  constructor(options: SeatPoolOptions) {
    const { size, overflow, rentTimeoutMs, overflowIdleMs } = options;
    this.#options = options;
    this.#seats = createPool<Seat>(
      { create: () => this.#addSeat(), destroy: (seat) => this.#removeSeat(seat) },
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
    for (const seat of this.#allSeats) if (seat.worker) running += 1;
    return running;
  }

  /** Rejects with `connectors_error` if a worker cannot be started. */
  async start(): Promise<void> {
    this.#seats.start();
    await Promise.all([...this.#allSeats].map((seat) => seat.fill()));
    const failed = [...this.#allSeats].find((seat) => !seat.worker && seat.problem !== undefined);
    if (failed) throw new HiveError('connectors_error', this.#text(`a worker cannot be started: ${failed.problem}`));
  }

  rent(deadline: number): Seat | Promise<Seat> {
    for (let seat = this.#atHand.pop(); seat; seat = this.#atHand.pop()) {
      if (this.#atHand.length < this.#spare) this.#spare = this.#atHand.length;
      if (seat.worker) return seat;
      void this.#seats.release(seat);
    }
    return this.#acquire().then((seat) => this.#staffed(seat, deadline));
  }

  async #staffed(seat: Seat, deadline: number): Promise<Seat> {
    if (seat.worker || (await seat.filled(deadline - performance.now()))) return seat;
    this.return(seat);
    throw new NoWorker(false, 'connector_error', this.#text(`has no worker: ${seat.problem ?? 'it is being started'}`));
  }

  async #acquire(): Promise<Seat> {
    try {
      return await this.#seats.acquire();
    } catch (error) {
      const text = this.#text(`no worker got free within ${this.#options.rentTimeoutMs} ms`);
      throw new NoWorker(this.workers > 0, 'connector_error', text, { cause: error });
    }
  }

  return(seat: Seat): void {
    if (this.#closing || !seat.worker || this.#seats.pending > 0) {
      void this.#seats.release(seat);
      return;
    }
    this.#atHand.push(seat);
    this.#sorting ??= setInterval(() => this.#sortOut(), Math.min(sortOutMs, this.#options.overflowIdleMs)).unref();
  }

  /** The seats at the bottom of the stack are those that nobody has needed. */
  #sortOut(): void {
    for (const seat of this.#atHand.splice(0, this.#spare)) void this.#seats.release(seat);
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
    await this.#seats.drain();
    await this.#seats.clear();
    await this.#options.connector.close();
  }

  async #addSeat(): Promise<Seat> {
    const { employer, connector } = this.#options;
    const seat = new Seat(employer, () => connector.worker());
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

  #text(what: string): string {
    return `Pool ${this.#options.employer.name}: ${what}`;
  }
}
