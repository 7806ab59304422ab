/**
 * Time that passes when nothing is left to do: the timers, clocks and chance of the process, replaced for as long as a simulation runs.
 * So code that knows nothing of simulations runs in it, hours in seconds, and always in the same way for the same seed.
 *
 *   settle:  immediates and promises, until none is left      (they are Node's own; the order is always the same without I/O)
 *   advance: the next timer, settle, the next timer, settle, …
 */
import { seeded } from '../support/wire.ts';

interface Pending {
  at: number;
  order: number;
  readonly run: () => void;
  /** Of an interval. */
  readonly everyMs: number | undefined;
  cancelled: boolean;
}

/** What `setTimeout` returns. */
class Handle {
  pending: Pending;

  constructor(pending: Pending) {
    this.pending = pending;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }
}

const real = {
  setImmediate,
  clearImmediate,
  setTimeout,
  clearTimeout,
  setInterval,
  clearInterval,
  random: Math.random,
};
const realNow = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(performance) as object, 'now')!;
const realDateNow = Date.now;
/** So that nobody takes a time for an absent one. */
const beganMs = 1_000_000;

export class VirtualClock implements Disposable {
  /** In [0, 1). */
  readonly random: () => number;
  #now = beganMs;
  #order = 0;
  /** A heap: whoever is due first is the first. */
  readonly #heap: Pending[] = [];
  readonly #immediates = new Set<NodeJS.Immediate>();

  /** Replaces everything until it is disposed of. */
  constructor(seed: number) {
    this.random = seeded(seed);
    Math.random = seeded(seed + 1);
    Object.defineProperty(performance, 'now', { configurable: true, value: () => this.#now });
    Date.now = () => 1_700_000_000_000 + this.#now;
    const timeout = (run: () => void, ms = 0) => new Handle(this.#start(ms, run, undefined));
    const interval = (run: () => void, ms = 0) => new Handle(this.#start(ms, run, Math.max(1, ms)));
    const clear = (handle: Handle | undefined) => {
      if (handle) handle.pending.cancelled = true;
    };
    const replaced = {
      setTimeout: (run: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) =>
        timeout(() => run(...args), ms),
      setInterval: (run: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) =>
        interval(() => run(...args), ms),
      clearTimeout: clear,
      clearInterval: clear,
      setImmediate: (run: (...args: unknown[]) => void, ...args: unknown[]) => this.#immediate(() => run(...args)),
      clearImmediate: (immediate: NodeJS.Immediate) => {
        this.#immediates.delete(immediate);
        real.clearImmediate(immediate);
      },
    };
    Object.assign(globalThis, replaced);
  }

  [Symbol.dispose](): void {
    const { random, ...timers } = real;
    Object.assign(globalThis, timers);
    Math.random = random;
    Reflect.deleteProperty(performance, 'now');
    Object.defineProperty(Object.getPrototypeOf(performance) as object, 'now', realNow);
    Date.now = realDateNow;
  }

  get now(): number {
    return this.#now;
  }

  /** An integer from `from` to `to`. */
  between(from: number, to: number): number {
    return from + Math.floor(this.random() * (to - from + 1));
  }

  chance(share: number): boolean {
    return this.random() < share;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.between(0, items.length - 1)]!;
  }

  after(ms: number, run: () => void): void {
    this.#start(ms, run, undefined);
  }

  /** Until all promises are kept that can be, and nobody is to run any more. */
  async settle(): Promise<void> {
    do await new Promise<void>((resolve) => real.setImmediate(resolve));
    while (this.#immediates.size > 0);
  }

  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await this.settle();
    for (let next = this.#heap[0]; next && next.at <= end; next = this.#heap[0]) {
      this.#pop();
      if (next.cancelled) continue;
      this.#now = Math.max(this.#now, next.at);
      if (next.everyMs !== undefined) {
        this.#order += 1;
        next.at = this.#now + next.everyMs;
        next.order = this.#order;
        this.#push(next);
      }
      next.run();
      await this.settle();
    }
    this.#now = end;
  }

  #immediate(run: () => void): NodeJS.Immediate {
    const immediate = real.setImmediate(() => {
      this.#immediates.delete(immediate);
      run();
    });
    this.#immediates.add(immediate);
    return immediate;
  }

  #start(ms: number, run: () => void, everyMs: number | undefined): Pending {
    this.#order += 1;
    const pending = { at: this.#now + Math.max(0, ms), order: this.#order, run, everyMs, cancelled: false };
    this.#push(pending);
    return pending;
  }

  #push(pending: Pending): void {
    const heap = this.#heap;
    let at = heap.push(pending) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!isBefore(pending, heap[above]!)) break;
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = pending;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below += 1;
      if (!isBefore(heap[below]!, last)) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = last;
  }
}

function isBefore(one: Pending, other: Pending): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
