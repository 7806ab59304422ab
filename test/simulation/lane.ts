/** One direction of a connection: messages take time, keep their order, and are lost when it is cut. */
import type { VirtualClock } from './clock.ts';

interface Message {
  readonly size: number;
  readonly sentAt: number;
  readonly arrive: () => void;
}

/** What a message takes at most. */
export const maxDelayMs = 8;

export class Lane {
  readonly #clock: VirtualClock;
  readonly #queue: Message[] = [];
  #lastAt = 0;
  #due = 0;
  #stalled = false;
  /** How many may still arrive. */
  #left = Number.POSITIVE_INFINITY;
  bytes = 0;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  get stalled(): boolean {
    return this.#stalled;
  }

  get length(): number {
    return this.#queue.length;
  }

  /** When that was sent which has waited longest. */
  get oldest(): number | undefined {
    return this.#queue[0]?.sentAt;
  }

  push(size: number, arrive: () => void): void {
    const { now } = this.#clock;
    this.#lastAt = Math.max(this.#lastAt, now + this.#clock.between(0, maxDelayMs));
    this.#queue.push({ size, sentAt: now, arrive });
    this.bytes += size;
    this.#clock.after(this.#lastAt - now, () => {
      this.#due += 1;
      this.#flush();
    });
  }

  stall(stalled: boolean): void {
    this.#stalled = stalled;
    this.#flush();
  }

  /** Nothing arrives any more, but for the next few. */
  cut(left: number): void {
    this.#left = Math.min(this.#left, left);
  }

  /** One at a time, as event loops have it. */
  #flush(): void {
    if (this.#due === 0 || this.#stalled || this.#queue.length === 0) return;
    this.#due -= 1;
    const message = this.#queue.shift()!;
    this.bytes -= message.size;
    this.#left -= 1;
    if (this.#left >= 0) message.arrive();
    if (this.#due > 0) this.#clock.after(0, () => this.#flush());
  }
}
