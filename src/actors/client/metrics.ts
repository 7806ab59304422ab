/** The metrics of a node's clients: resolved once, counted by all of them. */
import type { Histogram } from '../../observe/histogram.ts';
import type { Counter, Metrics } from '../../observe/metrics.ts';
import { nameInMetrics } from '../../plugins/event-names.ts';
import { countedHooks } from '../../plugins/hook-counter.ts';
import type { TransportKind } from '../../web/client/client-handle.ts';
import { HookLatency } from './hook-latency.ts';
import type { Unreturned } from './suspension.ts';

/**
 * Where a client stands. `generic`: opened, without a transport. `transient`: `on_connect` runs. `waiting`: connected. `suspended`:
 * without a connection, to which its client may return.
 * `polling`, the state of 2014 in which packets were held back, is always 0: packets go out at once.
 */
export type ClientPhase = 'generic' | 'transient' | 'waiting' | 'suspended' | 'ended';

const states = ['generic', 'transient', 'waiting', 'suspended'] as const;
const kinds = ['external', 'internal', 'control'] as const;
export type EventKind = (typeof kinds)[number];

/**
 * Why clients that return are not recovered: the pid is none of this node, the session has ended, not all that was missed is
 * there, more was missed than may wait for a client.
 */
const returnFailures = ['unknown', 'ended', 'incomplete', 'too_much'] as const;
export type ReturnFailure = (typeof returnFailures)[number];

/** What counts and times one event's hooks. */
export interface HookMetrics {
  readonly calls: Counter;
  readonly errors: Counter;
  readonly latency: HookLatency;
}

export class ClientMetrics {
  /** Clients that exist now; up and down, so gauges show it, and nobody can set it to 0. The same for the next two. */
  total = 0;
  readonly errors: Counter;
  /** Clients that were ended for `hive.max_client_errors`. */
  readonly tooManyErrors: Counter;
  /**
   * Sessions that have lost their connection, and what has become of them; `lost`: ended because something that was published to
   * their channels is lost.
   */
  readonly recovery: Readonly<
    Record<'suspended' | 'recovered' | 'events' | 'lost' | Unreturned | ReturnFailure, Counter>
  >;
  readonly #awayTime: Histogram;
  readonly hookCalls: Counter;
  readonly hookErrors: Counter;
  readonly #metrics: Metrics;
  readonly #hookLatency: Histogram;
  readonly #ofEvents = new Map<string, HookMetrics>();
  readonly #transports: Record<TransportKind, number> = { websocket: 0, polling: 0 };
  readonly #states = { generic: 0, transient: 0, waiting: 0, suspended: 0 };
  readonly #transitions: Counter;
  readonly #events: Record<'total' | 'errors' | EventKind | `${EventKind}_errors`, Counter>;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
    this.errors = metrics.counter('clients.errors');
    this.tooManyErrors = metrics.counter('clients.too_many_errors');
    const names = ['suspended', 'recovered', 'events', 'lost', 'expired', 'evicted', ...returnFailures] as const;
    this.recovery = metrics.counters('clients.recovery', names);
    this.#awayTime = metrics.histogram('clients.recovery.away');
    this.hookCalls = metrics.counter('clients.hooks.calls');
    this.hookErrors = metrics.counter('clients.hooks.errors');
    this.#hookLatency = metrics.histogram('clients.hooks.latency');
    metrics.counters('clients.hooks', countedHooks); // counted by the hooks themselves, visible without them
    metrics.gauge('clients.total', () => this.total);
    metrics.gauge('clients.websocket', () => this.#transports.websocket);
    metrics.gauge('clients.xhr_polling', () => this.#transports.polling);
    for (const state of states) metrics.gauge(`clients.states.${state}`, () => this.#states[state]);
    metrics.gauge('clients.states.polling', () => 0);
    this.#transitions = metrics.counter('clients.states.transitions');
    this.#events = metrics.counters('clients.events', [
      'total',
      'errors',
      ...kinds,
      'external_errors',
      'internal_errors',
      'control_errors',
    ]);
  }

  ofEvent(event: string): HookMetrics {
    const name = nameInMetrics(event, this.#metrics);
    const present = this.#ofEvents.get(name);
    if (present) return present;
    const prefix = `clients.hooks.${name}`;
    const { calls, errors } = this.#metrics.counters(prefix, ['calls', 'errors']);
    const latency = new HookLatency(this.#metrics.histogram(`${prefix}.latency`), this.#hookLatency);
    const made = { calls, errors, latency };
    this.#ofEvents.set(name, made);
    return made;
  }

  handled(kind: EventKind, events = 1): void {
    this.#events.total.value += events;
    this.#events[kind].value += events;
  }

  failed(kind: EventKind): void {
    this.errors.value += 1;
    this.#events.errors.value += 1;
    this.#events[`${kind}_errors`].value += 1;
  }

  moved(from: ClientPhase, to: ClientPhase): void {
    if (from !== 'ended') this.#states[from] -= 1;
    if (to !== 'ended') this.#states[to] += 1;
    this.#transitions.value += 1;
  }

  opened(): void {
    this.total += 1;
    this.#states.generic += 1;
  }

  /** @param events that it was sent because it had missed them */
  returned(awayMs: number, events: number): void {
    this.recovery.recovered.value += 1;
    this.recovery.events.value += events;
    this.#awayTime.record(awayMs);
  }

  changedTransport(from: TransportKind | undefined, to: TransportKind | undefined): void {
    if (from) this.#transports[from] -= 1;
    if (to) this.#transports[to] += 1;
  }
}
