/**
 * A timing wheel: any number of time-outs behind one timer of Node, and no timer at all while none is pending. Starting
 * and cancelling cost O(1). Time-outs are rounded up to the tick, so they never fire early; those of one tick fire in the
 * order of their deadlines, and those of one deadline in the order of their start.
 *
 *   slots:  [0] [1] [2] … [511]     a slot is a doubly linked list of entries, the last of them known to the first;
 *                 ^ hand            an entry knows its tick, which may be some turns ahead.
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
  /** The one before it; of the first in its slot, the last. @internal */ declare previous: Timer | undefined;
  /** When it is due, in ticks of the wheel. @internal */ declare tick: number;
  /** The same in whole ms, which are small integers: what falls into one tick is put in order by it. @internal */
  declare dueMs: number;
  /** @internal */ declare wheel: TimingWheel | undefined;
  readonly #target: Expiring | undefined;

  constructor(target?: Expiring) {
    this.next = undefined;
    this.previous = undefined;
    this.tick = 0;
    this.dueMs = 0;
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
  #pending = 0;
  #startedAt = 0;
  /** Ticks since then; the hand is at this number, modulo the number of slots. */
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
    const dueMs = performance.now() - this.#startedAt + ms;
    const tick = Math.max(this.#ticks + 1, Math.ceil(dueMs / this.tickMs));
    timer.wheel = this;
    timer.tick = tick;
    timer.dueMs = Math.ceil(dueMs);
    timer.next = undefined;
    const first = this.#slots[tick % slotCount];
    if (first) {
      const last = first.previous!;
      last.next = timer;
      timer.previous = last;
      first.previous = timer;
    } else {
      timer.previous = timer;
      this.#slots[tick % slotCount] = timer;
    }
    this.#pending += 1;
    return timer;
  }

  /**
   * Starts a timer that expires just now once more, from when it was due and not from when that was seen, so that roundings do
   * not add up. A wheel at rest is up to two ticks late: the time-out's rounding and its own. What the event loop was late beyond
   * that is not taken off.
   */
  prolong(timer: Timer, ms: number): Timer {
    const late = performance.now() - this.#startedAt - timer.dueMs;
    return this.start(timer, ms - Math.min(late, 2 * this.tickMs));
  }

  /** Whether its time is over, although its tick has not come yet. */
  isOverdue(timer: Timer): boolean {
    return timer.wheel === this && performance.now() - this.#startedAt >= timer.dueMs;
  }

  /** @internal */
  unlink(timer: Timer): void {
    const { next, previous } = timer;
    const slot = timer.tick % slotCount;
    const first = this.#slots[slot]!;
    if (timer === first) this.#slots[slot] = next;
    else previous!.next = next;
    if (next) next.previous = previous;
    else if (timer !== first) first.previous = previous;
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
    let last = 0;
    let inOrder = true;
    for (let timer = this.#slots[this.#ticks % slotCount]; timer; timer = timer.next) {
      if (timer.tick > this.#ticks) continue;
      if (timer.dueMs < last) inOrder = false;
      last = timer.dueMs;
      due.push(timer);
    }
    if (!inOrder) due.sort(byDeadline);
    for (const timer of due) {
      // One that expired before it may have cancelled it, or started it anew.
      if (timer.wheel !== this || timer.tick > this.#ticks) continue;
      this.unlink(timer);
      timer.expire();
    }
  }
}

function byDeadline(one: Timer, other: Timer): number {
  return one.dueMs - other.dueMs;
}
