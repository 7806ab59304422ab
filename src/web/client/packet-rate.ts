/**
 * How fast clients may send, against `socketio.max_packets_per_second`: ten seconds' worth of packets must not come in less
 * than ten seconds. So a client may send at once what it has saved up while it was away, and the clock is read once for all
 * of these packets.
 */
const windowMs = 10_000;

/** What is remembered of one client. */
export interface Sender {
  /** Packets since `sinceMs`; 0 at first. */
  packets: number;
  sinceMs: number;
}

export class PacketRate {
  readonly #max: number;
  readonly #clock: () => number;

  private constructor(max: number, clock: () => number) {
    this.#max = max;
    this.#clock = clock;
  }

  /** @param limit packets per second; 0 means that nobody counts */
  static of(limit: number, clock: () => number = () => performance.now()): PacketRate | undefined {
    return limit > 0 ? new PacketRate((limit * windowMs) / 1000, clock) : undefined;
  }

  /** Counts a packet. @returns whether it was one too many */
  exceeded(sender: Sender): boolean {
    if (sender.packets > 0 && sender.packets < this.#max) {
      sender.packets += 1;
      return false;
    }
    // Whole numbers need no memory of their own.
    const now = Math.trunc(this.#clock());
    if (sender.packets > 0 && now - sender.sinceMs < windowMs) return true;
    sender.sinceMs = now;
    sender.packets = 1;
    return false;
  }
}
