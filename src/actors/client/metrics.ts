/** The metrics of a node's clients: resolved once, counted by all of them. */
import type { Counter, Metrics } from '../../observe/metrics.ts';
import type { TransportKind } from '../../web/sessions.ts';

/**
 * Where a client stands. `generic`: opened, without a transport. `transient`: `on_connect` runs. `waiting`: connected.
 * `polling`, the state of 2014 in which packets were held back, is always 0: packets go out at once.
 */
export type ClientPhase = 'generic' | 'transient' | 'waiting' | 'ended';

const states = ['generic', 'transient', 'waiting', 'polling', 'transitions'] as const;
const kinds = ['external', 'internal', 'control'] as const;
export type EventKind = (typeof kinds)[number];

export class ClientMetrics {
  readonly total: Counter;
  readonly errors: Counter;
  readonly hookCalls: Counter;
  readonly hookErrors: Counter;
  readonly #metrics: Metrics;
  readonly #transports: Record<TransportKind, Counter>;
  readonly #states: Record<(typeof states)[number], Counter>;
  readonly #events: Record<'total' | 'errors' | EventKind | `${EventKind}_errors`, Counter>;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
    this.total = metrics.counter('clients.total');
    this.errors = metrics.counter('clients.errors');
    this.hookCalls = metrics.counter('clients.hooks.calls');
    this.hookErrors = metrics.counter('clients.hooks.errors');
    this.#transports = {
      websocket: metrics.counter('clients.websocket'),
      polling: metrics.counter('clients.xhr_polling'),
    };
    this.#states = metrics.counters('clients.states', states);
    this.#events = metrics.counters('clients.events', [
      'total',
      'errors',
      ...kinds,
      'external_errors',
      'internal_errors',
      'control_errors',
    ]);
  }

  /** The counters of one event's hooks. */
  ofEvent(event: string): { calls: Counter; errors: Counter } {
    return {
      calls: this.#metrics.counter(`clients.hooks.${event}.calls`),
      errors: this.#metrics.counter(`clients.hooks.${event}.errors`),
    };
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
    if (from !== 'ended') this.#states[from].value -= 1;
    if (to !== 'ended') this.#states[to].value += 1;
    this.#states.transitions.value += 1;
  }

  opened(): void {
    this.total.value += 1;
    this.#states.generic.value += 1;
  }

  changedTransport(from: TransportKind | undefined, to: TransportKind | undefined): void {
    if (from) this.#transports[from].value -= 1;
    if (to) this.#transports[to].value += 1;
  }
}
