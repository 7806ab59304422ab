/**
 * Addresses of host names, for everything that connects. Node looks names up in a pool of threads of which two may do so at a
 * time; a name whose servers do not answer keeps its thread for many seconds. So there is one look-up of a name at a time, its
 * result is kept for a moment, and names that could not be found last time never have both threads:
 *
 *   asked ─▶ fresh ──────────────▶ answered
 *        ─▶ known, but older ────▶ answered, and looked up again behind that
 *        ─▶ failed a moment ago ─▶ refused
 *        ─▶ else ────────────────▶ waits for the look-up of that name
 */
import dns, { type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';

/** Of addresses. Short: a service that moves is found again soon. */
const freshMs = 5000;
/** So old an address is used while it is looked up again: a connection should not wait for that. */
const usableMs = 60_000;
/** Of failures: whoever tries again at once gets the same answer. */
const failedMs = 1000;
/** What the system does at a time (libuv gives half of its four threads to such work). */
const maxAtOnce = 2;
/** Names that are remembered. Plugins and back ends may name any. */
const maxNames = 1000;

const loopback: readonly LookupAddress[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

export type SystemLookup = (
  name: string,
  options: { all: true },
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

type Waiter = (error: NodeJS.ErrnoException | undefined, addresses: readonly LookupAddress[]) => void;

interface Entry {
  readonly name: string;
  addresses: readonly LookupAddress[] | undefined;
  foundAt: number;
  error: NodeJS.ErrnoException | undefined;
  failedAt: number;
  isRunning: boolean;
  isQueued: boolean;
  waiters: Waiter[];
}

export class Lookups {
  readonly #system: SystemLookup;
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();
  readonly #queue: Entry[] = [];
  #running = 0;
  #runningBad = 0;

  /** @param now ms of a monotonic clock */
  constructor(
    system: SystemLookup = (name, options, done) => dns.lookup(name, options, done),
    now: () => number = () => performance.now(),
  ) {
    this.#system = system;
    this.#now = now;
  }

  /** For the option `lookup` of `net.connect` and its like. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    const wanted =
      options.family === 4 || options.family === 'IPv4' ? 4 : options.family === 6 || options.family === 'IPv6' ? 6 : 0;
    this.find(hostname, (error, found) => {
      if (error) return callback(error, '', 0);
      const addresses = wanted === 0 ? found : found.filter(({ family }) => family === wanted);
      const [first] = addresses;
      if (!first) return callback(notFound(hostname), '', 0);
      if (options.all) callback(null, [...addresses]);
      else callback(null, first.address, first.family);
    });
  };

  /** Calls back later, never at once. */
  find(hostname: string, waiter: Waiter): void {
    const name = hostname.toLowerCase();
    const family = isIP(name);
    if (family !== 0) return this.#answer(waiter, [{ address: name, family }]);
    // It means this machine, whatever a name server says (RFC 6761, section 6.3).
    if (name === 'localhost' || name.endsWith('.localhost')) return this.#answer(waiter, loopback);
    const entry = this.#entry(name);
    const now = this.#now();
    if (entry.addresses && now - entry.foundAt < usableMs) {
      this.#answer(waiter, entry.addresses);
      if (now - entry.foundAt >= freshMs && now - entry.failedAt >= failedMs) this.#enqueue(entry);
      return;
    }
    if (entry.error && now - entry.failedAt < failedMs) {
      const { error } = entry;
      process.nextTick(() => waiter(error, []));
      return;
    }
    entry.waiters.push(waiter);
    this.#enqueue(entry);
  }

  #answer(waiter: Waiter, addresses: readonly LookupAddress[]): void {
    process.nextTick(() => waiter(undefined, addresses));
  }

  #entry(name: string): Entry {
    let entry = this.#entries.get(name);
    if (entry) return entry;
    if (this.#entries.size >= maxNames) this.#forgetOne();
    entry = {
      name,
      addresses: undefined,
      foundAt: 0,
      error: undefined,
      failedAt: Number.NEGATIVE_INFINITY,
      isRunning: false,
      isQueued: false,
      waiters: [],
    };
    this.#entries.set(name, entry);
    return entry;
  }

  #forgetOne(): void {
    for (const [name, { isRunning, isQueued }] of this.#entries) {
      if (isRunning || isQueued) continue;
      this.#entries.delete(name);
      return;
    }
  }

  #enqueue(entry: Entry): void {
    if (entry.isRunning || entry.isQueued) return;
    entry.isQueued = true;
    this.#queue.push(entry);
    this.#next();
  }

  /** Good names first; of those that failed last time one at a time, so that a thread is left for the others. */
  #next(): void {
    while (this.#running < maxAtOnce) {
      let at = this.#queue.findIndex(({ error }) => !error);
      if (at < 0 && this.#runningBad === 0 && this.#queue.length > 0) at = 0;
      const [entry] = at < 0 ? [] : this.#queue.splice(at, 1);
      if (!entry) return;
      this.#run(entry);
    }
  }

  #run(entry: Entry): void {
    const isBad = entry.error !== undefined;
    entry.isQueued = false;
    entry.isRunning = true;
    this.#running += 1;
    if (isBad) this.#runningBad += 1;
    this.#system(entry.name, { all: true }, (error, addresses) => {
      entry.isRunning = false;
      this.#running -= 1;
      if (isBad) this.#runningBad -= 1;
      if (error || addresses.length === 0) {
        entry.error = error ?? notFound(entry.name);
        entry.failedAt = this.#now();
      } else {
        entry.error = undefined;
        entry.addresses = addresses;
        entry.foundAt = this.#now();
      }
      const waiters = entry.waiters;
      entry.waiters = [];
      this.#next();
      for (const waiter of waiters) waiter(entry.error, entry.error ? [] : addresses);
    });
  }
}

function notFound(name: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND', syscall: 'getaddrinfo' });
}

/** Those of this process. */
export const { lookup, find } = (() => {
  const lookups = new Lookups();
  return { lookup: lookups.lookup, find: lookups.find.bind(lookups) };
})();
