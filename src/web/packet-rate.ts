/** How many packets one client has sent of late, against `socketio.max_packets_per_second`. */
const windowMs = 1000;

export class PacketRate {
  readonly #limit: number;
  #windowStart = Number.NEGATIVE_INFINITY;
  #count = 0;

  private constructor(limit: number) {
    this.#limit = limit;
  }

  /** @param limit packets per second; 0 means that nobody counts */
  static of(limit: number): PacketRate | undefined {
    return limit > 0 ? new PacketRate(limit) : undefined;
  }

  /** Counts a packet. @returns whether it was one too many in the second that began with the first of them */
  exceeded(now = performance.now()): boolean {
    if (now - this.#windowStart >= windowMs) {
      this.#windowStart = now;
      this.#count = 0;
    }
    this.#count += 1;
    return this.#count > this.#limit;
  }
}
