/**
 * What the workers of one `connector.redis` pool know together of Redis being away. A worker that is replaced during an
 * outage does not start counting anew: once the outage is older than `max_reconnect_timeout`, commands fail at once.
 */
export class RedisOutage {
  /** When the last connection was lost, or the first one could not be made; ms of the monotonic clock. */
  #since: number | undefined;
  #reason: string | undefined;
  #isWrongServer = false;

  /** True if it was not known before. */
  begin(reason: string): boolean {
    this.#reason = reason;
    if (this.#since !== undefined) return false;
    this.#since = performance.now();
    return true;
  }

  /** Somebody answers, but not the server that was meant: a connection alone does not end it. */
  meetWrongServer(): void {
    this.#isWrongServer = true;
  }

  get isWrongServer(): boolean {
    return this.#isWrongServer;
  }

  /** Returns how long it was, ms; undefined if there was none. */
  end(): number | undefined {
    const ageMs = this.#since === undefined ? undefined : this.ageMs;
    this.#since = undefined;
    this.#reason = undefined;
    this.#isWrongServer = false;
    return ageMs;
  }

  get ageMs(): number {
    return this.#since === undefined ? 0 : performance.now() - this.#since;
  }

  /** Why, while it lasts. */
  get reason(): string | undefined {
    return this.#reason;
  }
}
