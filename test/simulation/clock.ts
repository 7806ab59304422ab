/**
 * Time that passes when nothing is left to do: the timers, clocks and chance of the process, replaced for as long as a simulation runs.
 * So code that knows nothing of simulations runs in it, hours in seconds, and always in the same way for the same seed.
 *
 * Code may run on a machine: then its timers wait while that is frozen, and its wall clock may be wrong.
 *
 *   settle:  immediates and promises, until none is left      (they are Node's own; the order is always the same without I/O)
 *   advance: the next timer, settle, the next timer, settle, …
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { seeded } from '../support/wire.ts';

interface Pending {
  at: number;
  order: number;
  readonly run: () => void;
  /** Of an interval. */
  readonly everyMs: number | undefined;
  /** On which it runs; that of the network and of clients is none. */
  readonly machine: Machine | undefined;
  cancelled: boolean;
}

/** Where the code of one node runs. */
export class Machine {
  /** It is no more: nothing of it runs any more. */
  isDead = false;
  /** So is the computer that it ran on: what was on its way from there is lost. */
  isLost = false;
  /** By how much its wall clock is wrong. */
  skewMs = 0;
  #isFrozen = false;
  /** What is to run as soon as it goes on. */
  readonly #held: (() => void)[] = [];

  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  freeze(): void {
    this.#isFrozen = true;
  }

  goOn(): void {
    this.#isFrozen = false;
    for (const run of this.#held.splice(0)) run();
  }

  /** Runs that now, or when it goes on; not at all on one that is no more. */
  whenAwake(run: () => void): void {
    if (this.isDead) return;
    if (this.#isFrozen) this.#held.push(run);
    else run();
  }
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
/** On which the present code runs. */
const machines = new AsyncLocalStorage<Machine | undefined>();
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
    Date.now = () => 1_700_000_000_000 + this.#now + (machines.getStore()?.skewMs ?? 0);
    const timeout = (run: () => void, ms = 0) => new Handle(this.#start(ms, run, undefined, machines.getStore()));
    const interval = (run: () => void, ms = 0) =>
      new Handle(this.#start(ms, run, Math.max(1, ms), machines.getStore()));
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
    machines.disable();
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

  /** Runs that later, on no machine. */
  after(ms: number, run: () => void): void {
    this.#start(ms, run, undefined, undefined);
  }

  /** Runs that at once, on that machine: whatever it starts runs there, too. */
  on<Result>(machine: Machine | undefined, run: () => Result): Result {
    return machines.run(machine, run);
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
      this.#fire(next);
      await this.settle();
    }
    this.#now = end;
  }

  #fire(pending: Pending): void {
    const { machine, run } = pending;
    if (!machine) {
      this.on(undefined, run);
    } else if (!machine.isFrozen) {
      if (!machine.isDead) this.on(machine, run);
    } else if (pending.everyMs === undefined) {
      machine.whenAwake(() => {
        pending.at = this.#now;
        this.#push(pending);
      });
    }
  }

  #immediate(run: () => void): NodeJS.Immediate {
    const immediate = real.setImmediate(() => {
      this.#immediates.delete(immediate);
      run();
    });
    this.#immediates.add(immediate);
    return immediate;
  }

  #start(ms: number, run: () => void, everyMs: number | undefined, machine: Machine | undefined): Pending {
    this.#order += 1;
    const pending = { at: this.#now + Math.max(0, ms), order: this.#order, run, everyMs, machine, cancelled: false };
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
