/**
 * A timing wheel: any number of time-outs behind one timer of Node, and no timer at all while none is pending. Starting
 * and cancelling cost O(1). Time-outs are rounded up to the tick, so they never fire early.
 *
 *   slots:  [0] [1] [2] … [511]     a slot is a doubly linked ring of entries; an entry that lies more than one
 *                 ^ hand            turn ahead carries how many turns it has still to wait.
 */
export interface Expiring {
  /** Called once when the time is over. Must not throw. */
  expire(): void;
}

const slotCount = 512;

/** A pending time-out; also the link in its slot's ring. Extend it to be its own callback without a closure. */
export class Timer implements Expiring {
  // Declared, and assigned below: fields that a class defines for several classes below it cost more than a microsecond.
  /** @internal */ declare next: Timer | undefined;
  /** @internal */ declare previous: Timer | undefined;
  /** @internal */ declare turns: number;
  /** @internal */ declare slot: number;
  /** @internal */ declare wheel: TimingWheel | undefined;
  readonly #target: Expiring | undefined;

  constructor(target?: Expiring) {
    this.next = undefined;
    this.previous = undefined;
    this.turns = 0;
    this.slot = 0;
    this.wheel = undefined;
    this.#target = target;
  }

  expire(): void {
    this.#target?.expire();
  }

  get pending(): boolean {
    return this.wheel !== undefined;
  }

  cancel(): void {
    this.wheel?.unlink(this);
  }
}

class Callback implements Expiring {
  readonly expire: () => void;
  constructor(callback: () => void) {
    this.expire = callback;
  }
}

export class TimingWheel {
  readonly tickMs: number;
  readonly #slots: (Timer | undefined)[] = new Array(slotCount).fill(undefined);
  #hand = 0;
  #pending = 0;
  #startedAt = 0;
  #ticks = 0;
  #interval: NodeJS.Timeout | undefined;

  /** @param tickMs resolution; 10 ms serves heartbeats and call deadlines alike */
  constructor(tickMs = 10) {
    this.tickMs = tickMs;
  }

  get pending(): number {
    return this.#pending;
  }

  schedule(ms: number, target: Expiring | (() => void)): Timer {
    return this.start(new Timer(typeof target === 'function' ? new Callback(target) : target), ms);
  }

  /** Starts (or restarts) a timer that the caller keeps and re-uses. */
  start(timer: Timer, ms: number): Timer {
    timer.wheel?.unlink(timer);
    if (!this.#interval) this.#wind();
    const behind = (performance.now() - this.#startedAt) / this.tickMs - this.#ticks;
    const ticks = Math.max(1, Math.ceil(ms / this.tickMs + behind));
    const slot = (this.#hand + ticks) % slotCount;
    const first = this.#slots[slot];
    timer.wheel = this;
    timer.slot = slot;
    timer.turns = Math.floor((ticks - 1) / slotCount);
    timer.next = first;
    timer.previous = undefined;
    if (first) first.previous = timer;
    this.#slots[slot] = timer;
    this.#pending += 1;
    return timer;
  }

  /** @internal */
  unlink(timer: Timer): void {
    if (timer.previous) timer.previous.next = timer.next;
    else this.#slots[timer.slot] = timer.next;
    if (timer.next) timer.next.previous = timer.previous;
    timer.next = undefined;
    timer.previous = undefined;
    timer.wheel = undefined;
    this.#pending -= 1;
  }

  #wind(): void {
    this.#startedAt = performance.now();
    this.#ticks = 0;
    this.#interval = setInterval(() => this.#turn(), this.tickMs);
  }

  /** Catches up with the clock: a blocked event loop delays time-outs but loses none. */
  #turn(): void {
    const due = Math.floor((performance.now() - this.#startedAt) / this.tickMs);
    while (this.#ticks < due && this.#pending > 0) {
      this.#ticks += 1;
      this.#hand = (this.#hand + 1) % slotCount;
      this.#expireSlot();
    }
    if (this.#pending > 0) return;
    clearInterval(this.#interval);
    this.#interval = undefined;
  }

  /** Whatever is pending never expires. */
  stop(): void {
    for (let slot = 0; slot < slotCount; slot += 1) {
      for (let timer = this.#slots[slot]; timer; timer = this.#slots[slot]) this.unlink(timer);
    }
    clearInterval(this.#interval);
    this.#interval = undefined;
  }

  #expireSlot(): void {
    const due: Timer[] = [];
    for (let timer = this.#slots[this.#hand]; timer; timer = timer.next) {
      if (timer.turns > 0) timer.turns -= 1;
      else due.push(timer);
    }
    for (const timer of due) {
      if (timer.wheel !== this) continue; // cancelled, or started anew, by one that expired before it
      this.unlink(timer);
      timer.expire();
    }
  }
}
