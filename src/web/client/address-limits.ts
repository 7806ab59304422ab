/**
 * How many connections one address may have, and how fast it may ask for new ones: `hive.max_connections_per_address`,
 * `hive.max_handshakes_per_address`. Addresses are counted by their source (observe/source.ts). What is kept is bounded:
 * counts of connections by the connections, those of handshakes for a second.
 */
import type { Config } from '../../config/types.ts';
import type { Log } from '../../observe/logger.ts';
import { sourceOf } from '../../observe/source.ts';
import { RequestError } from '../http/api-key.ts';
import type { ClientCounters } from './counters.ts';

const windowMs = 1000;
/** Sources that are counted one by one in a second; all others are counted as one. */
const maxSources = 100_000;
const others = 'others';

/** When to try again, seconds: connections live longer than the second of the handshakes. */
const handshakeRetry = '1';
const connectionRetry = '10';

const kind = 'Handshakes of an address are refused';

type Limits = Pick<Config['hive'], 'max_connections_per_address' | 'max_handshakes_per_address'>;

export class AddressLimits {
  readonly #maxConnections: number;
  readonly #maxHandshakes: number;
  readonly #counters: ClientCounters;
  readonly #log: Log;
  readonly #connections = new Map<string, number>();
  readonly #handshakes = new Map<string, number>();
  #windowStart = Number.NEGATIVE_INFINITY;

  private constructor(limits: Limits, counters: ClientCounters, log: Log) {
    this.#maxConnections = limits.max_connections_per_address;
    this.#maxHandshakes = limits.max_handshakes_per_address;
    this.#counters = counters;
    this.#log = log;
  }

  /** Undefined where nothing is limited: nobody counts. */
  static of(limits: Limits, counters: ClientCounters, log: Log): AddressLimits | undefined {
    const isOn = limits.max_connections_per_address > 0 || limits.max_handshakes_per_address > 0;
    return isOn ? new AddressLimits(limits, counters, log) : undefined;
  }

  /** Counts a handshake. Returns why it is refused, if it is. */
  refusal(address: string, now = performance.now()): RequestError | undefined {
    const source = sourceOf(address);
    if (this.#maxHandshakes > 0 && this.#count(source, now) > this.#maxHandshakes) {
      this.#counters.tooManyHandshakes.value += 1;
      const limit = `hive.max_handshakes_per_address, ${this.#maxHandshakes} per second`;
      return this.#refuse(source, 'Too many handshakes come from this address', limit, handshakeRetry);
    }
    if (this.#maxConnections > 0 && (this.#connections.get(source) ?? 0) >= this.#maxConnections) {
      this.#counters.tooManyConnections.value += 1;
      const limit = `hive.max_connections_per_address, ${this.#maxConnections}`;
      return this.#refuse(source, 'This address has too many connections', limit, connectionRetry);
    }
    return undefined;
  }

  /** Counts a connection in. @returns what `leave` wants back */
  enter(address: string): string {
    const source = sourceOf(address);
    if (this.#maxConnections > 0) this.#connections.set(source, (this.#connections.get(source) ?? 0) + 1);
    return source;
  }

  leave(source: string): void {
    const count = this.#connections.get(source) ?? 0;
    if (count > 1) this.#connections.set(source, count - 1);
    else this.#connections.delete(source);
  }

  #count(source: string, now: number): number {
    const handshakes = this.#handshakes;
    if (now - this.#windowStart >= windowMs) {
      this.#windowStart = now;
      handshakes.clear();
    }
    const known = handshakes.get(source);
    if (known === undefined && handshakes.size >= maxSources && source !== others) return this.#count(others, now);
    const count = (known ?? 0) + 1;
    handshakes.set(source, count);
    return count;
  }

  #refuse(source: string, description: string, limit: string, retry: string): RequestError {
    if (!this.#log.excess(kind, source)) this.#log.warning(kind, { address: source, limit });
    return new RequestError(429, 'too_many_requests', `${description}.`, [['Retry-After', retry]]);
  }
}
