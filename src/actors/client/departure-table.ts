/**
 * The departures that no back end has answered yet. It belongs to the node: the actor that tells them again (`departures.ts`) may
 * crash without losing one. Pauses grow from half a second to half a minute; those that wait for the same pause are told in the
 * order in which they were put, so that one timer serves all of them, and few at a time, so that a back end that has just
 * returned is not flooded.
 *
 *   pause 0.5 s:  [d7] [d8]            a queue per pause, each in the order of when they are due
 *   pause 1 s:    [d3] [d4] [d5] …
 *   by age:       [d3] [d4] … [d8]     the oldest makes room when there are too many
 */
import type { Log } from '../../observe/logger.ts';
import type { Counter, Metrics } from '../../observe/metrics.ts';
import { Queue } from './queue.ts';

/** `repeat`: no back end has answered, and it shall be tried again. `lost`: the same, but it shall not. */
export type Outcome = 'told' | 'repeat' | 'lost';

/** A departure, and where the table has it. */
export interface WaitingDeparture {
  /** Its session id, as the log shows it. */
  readonly shortSid: string;
  /** Of the memory that it takes; known once it waits. */
  readonly bytes: number;
  /** When the first attempt failed, on the table's clock. */
  since: number;
  /** When it is tried again, on the same. */
  dueAt: number;
  /** Attempts after the first. */
  repeats: number;
  isBeingTold: boolean;
  readonly isOver: boolean;
  /** From now on the client lives as long as its departure waits; its actor ends. */
  outliveActor(): void;
  /** Runs the hooks from where it failed. @param isLast whoever fails now is not asked again */
  tell(isLast: boolean): Outcome | Promise<Outcome>;
  /** Nothing that its hooks still do has an effect any more. */
  end(): void;
  /** Never rejects. */
  forgetState(): Promise<void>;
}

export interface DepartureTableSetup {
  /** How long a departure is repeated, ms; 0: not at all. */
  readonly retryMs: number;
  /** How many may wait. */
  readonly maxWaiting: number;
  readonly metrics: Metrics;
  readonly log: Log;
  /** ms; monotonic. */
  readonly now?: () => number;
}

const firstPauseMs = 500;
const maxPauseMs = 30_000;
/** While the node stops there is not much time. */
const maxPauseAtStopMs = 1000;
/** Told at the same time. */
const maxAtOnce = 16;
/** Of memory, by the measure of `Departure.bytes`. */
const maxBytes = 64 * 1024 * 1024;

const pauses = Math.ceil(Math.log2(maxPauseMs / firstPauseMs)) + 1;

export class DepartureTable {
  readonly #setup: DepartureTableSetup;
  readonly #now: () => number;
  readonly #byPause = Array.from({ length: pauses }, () => new Queue<WaitingDeparture>());
  readonly #byAge = new Queue<WaitingDeparture>();
  readonly #counters: Record<'told' | 'repeated' | 'given_up', Counter>;
  /** Clients that run `on_disconnect` for the first time. */
  readonly #leaving = new Set<object>();
  #waiting = 0;
  #bytes = 0;
  #beingTold = 0;
  #isStopping = false;
  #isClosed = false;
  #wake = (): void => {};
  #whenEmpty = (): void => {};

  constructor(setup: DepartureTableSetup) {
    this.#setup = setup;
    this.#now = setup.now ?? (() => performance.now());
    const { metrics } = setup;
    this.#counters = metrics.counters('clients.departures', ['told', 'repeated', 'given_up']);
    metrics.gauge('clients.departures.waiting', () => this.#waiting);
    metrics.gauge('clients.departures.oldest_ms', () => this.oldestMs, 'max');
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** How long the one has waited that waits longest. */
  get oldestMs(): number {
    const oldest = this.#oldest;
    return oldest ? Math.round(this.#now() - oldest.since) : 0;
  }

  // --- the first attempt, which the client's actor makes

  /** The client has gone: it takes no slot any more, as long as there is room for its departure. */
  begin(client: object): void {
    this.#leaving.add(client);
  }

  /** Its actor has ended, or is about to. Idempotent. */
  left(client: object): void {
    this.#leaving.delete(client);
  }

  /** Clients that have ended but for their departure, and count as departures and not as clients. */
  get departing(): number {
    return Math.min(this.#leaving.size, Math.max(0, this.#setup.maxWaiting - this.#waiting));
  }

  /** Whether what fails now is not tried again. */
  get isLastAttempt(): boolean {
    return this.#isClosed || this.#setup.retryMs === 0;
  }

  /** An attempt has brought the departure to its end. */
  count(outcome: Outcome): void {
    this.#counters[outcome === 'told' ? 'told' : 'given_up'].value += 1;
  }

  /** Its first attempt got no answer. */
  add(departure: WaitingDeparture): void {
    const { log, maxWaiting } = this.#setup;
    departure.since = this.#now();
    departure.outliveActor();
    this.#waiting += 1;
    this.#bytes += departure.bytes;
    this.#byAge.push(departure);
    this.#schedule(departure);
    if (this.#isClosed) return this.#giveUp(departure);
    if (!log.excess('A departure waits', 'clients')) {
      log.notice('No back end has answered on_disconnect of a client: it is repeated', {
        sid: departure.shortSid,
      });
    }
    while (this.#waiting > maxWaiting || this.#bytes > maxBytes) {
      const oldest = this.#oldest;
      if (!oldest) break;
      if (!log.excess('A departure was dropped', 'clients')) {
        log.warning('Too many departures wait: the oldest is given up', { sid: oldest.shortSid });
      }
      this.#giveUp(oldest);
    }
    this.#wake();
  }

  /** A departure of another node, which is gone, is told as soon as may be. */
  inherit(departure: WaitingDeparture): void {
    departure.since = this.#now();
    departure.outliveActor();
    this.#waiting += 1;
    this.#bytes += departure.bytes;
    this.#byAge.push(departure);
    departure.dueAt = departure.since;
    this.#byPause[0]!.push(departure);
    this.#wake();
  }

  // --- the repeats

  /** @param wake called when there may be something to do sooner than was said */
  watch(wake: () => void): void {
    this.#wake = wake;
  }

  /** Tells those that are due, as far as there may be more at once. */
  tellDue(): void {
    const now = this.#now();
    // Those with the longest pauses are the oldest.
    for (let at = pauses - 1; at >= 0; at -= 1) {
      const queue = this.#byPause[at]!;
      for (let next = this.#first(queue); next && next.dueAt <= now; next = this.#first(queue)) {
        if (this.#beingTold >= maxAtOnce) return;
        queue.shift();
        void this.#tell(next);
      }
    }
  }

  /** Until the next is due, ms; undefined if none is, or as many as may are being told. */
  get dueInMs(): number | undefined {
    if (this.#beingTold >= maxAtOnce) return undefined;
    let dueAt = Number.POSITIVE_INFINITY;
    for (const queue of this.#byPause) dueAt = Math.min(dueAt, this.#first(queue)?.dueAt ?? dueAt);
    return dueAt === Number.POSITIVE_INFINITY ? undefined : Math.max(0, dueAt - this.#now());
  }

  async #tell(departure: WaitingDeparture): Promise<void> {
    this.#beingTold += 1;
    departure.isBeingTold = true;
    departure.repeats += 1;
    this.#counters.repeated.value += 1;
    const isLast = this.#now() - departure.since >= this.#setup.retryMs;
    const outcome = await departure.tell(isLast);
    // Its state is forgotten before it stops to wait, as a stopping node waits for that.
    if (outcome !== 'repeat' && !departure.isOver) await departure.forgetState();
    departure.isBeingTold = false;
    this.#beingTold -= 1;
    if (!departure.isOver) {
      if (outcome === 'repeat') this.#schedule(departure);
      else this.#remove(departure, outcome);
    }
    this.#wake();
  }

  #schedule(departure: WaitingDeparture): void {
    const longest = this.#isStopping ? maxPauseAtStopMs : maxPauseMs;
    const pauseMs = Math.min(longest, firstPauseMs * 2 ** departure.repeats);
    const at = Math.ceil(Math.log2(pauseMs / firstPauseMs));
    departure.dueAt = this.#now() + pauseMs;
    this.#byPause[at]!.push(departure);
  }

  #remove(departure: WaitingDeparture, outcome: Outcome): void {
    departure.end();
    this.#waiting -= 1;
    this.#bytes -= departure.bytes;
    this.count(outcome);
    if (this.#waiting === 0) this.#whenEmpty();
  }

  #giveUp(departure: WaitingDeparture): void {
    this.#remove(departure, 'lost');
    void departure.forgetState();
  }

  /** The first of a queue that still waits. */
  #first(queue: Queue<WaitingDeparture>): WaitingDeparture | undefined {
    while (queue.first?.isOver) queue.shift();
    return queue.first;
  }

  /** Of those that wait longest, the first that is not just being told, if there is one. */
  get #oldest(): WaitingDeparture | undefined {
    const first = this.#first(this.#byAge);
    if (!first?.isBeingTold) return first;
    return this.#byAge.find(({ isOver, isBeingTold }) => !isOver && !isBeingTold) ?? first;
  }

  // --- the end of the node

  /** The node stops: all are tried at once and, if need be, at short intervals. */
  hurry(): void {
    this.#isStopping = true;
    const now = this.#now();
    for (const queue of this.#byPause.slice(1)) {
      for (let next = this.#first(queue); next; next = this.#first(queue)) {
        queue.shift();
        next.repeats = 0;
        this.#byPause[0]!.push(next);
      }
    }
    for (const departure of this.#byPause[0]!) departure.dueAt = now;
    this.#wake();
  }

  /** @param done called when none waits any more */
  onEmpty(done: () => void): void {
    this.#whenEmpty = done;
  }

  /** Gives up all that wait, and from now on whatever fails. @returns how many those are */
  close(): number {
    this.#isClosed = true;
    let lost = 0;
    for (const departure of this.#byAge) {
      if (departure.isOver) continue;
      lost += 1;
      this.#giveUp(departure);
    }
    return lost;
  }
}
