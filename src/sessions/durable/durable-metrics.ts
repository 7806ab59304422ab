/** What operators see of durable sessions: metrics under `clients.durable`, which exist only where sessions are durable. */
import type { Histogram } from '../../observe/histogram.ts';
import type { Counter, Metrics } from '../../observe/metrics.ts';

const prefix = 'clients.durable';

/**
 * `claimed`, `contended`: sessions of dead nodes that were claimed here, or by another node first. `adopted`, `departures`: what became of
 * the claimed ones. `claims_lost`: own sessions that others had claimed. `fenced`: writes that Redis refused because of that. `handed_over`: own
 * ones that were left to others as planned.
 * `errors`: requests that Redis did not answer, or refused.
 */
const counters = [
  'claimed',
  'contended',
  'adopted',
  'departures',
  'claims_lost',
  'handed_over',
  'fenced',
  'leases_lost',
  'sweeps',
  'errors',
] as const;

/** Why a session is not gone on with: its actor did not start, a node that had published for it did not answer, clients had to act. */
const failures = ['failed', 'peers', 'actions'] as const;
export type AdoptionFailure = (typeof failures)[number];

/** What is measured of the journal in Redis. */
export interface JournalMetrics {
  /** From the first event of a batch to the answer of Redis. */
  readonly latency: Histogram;
  /** Events that were shown without being stored. */
  readonly unstored: Counter;
}

export class DurableMetrics {
  readonly counters: Readonly<Record<(typeof counters)[number], Counter>>;
  readonly incomplete: Readonly<Record<AdoptionFailure, Counter>>;
  readonly journal: JournalMetrics;

  constructor(metrics: Metrics) {
    this.counters = metrics.counters(prefix, counters);
    this.incomplete = metrics.counters(`${prefix}.incomplete`, failures);
    this.journal = {
      latency: metrics.histogram(`${prefix}.journal.latency`),
      unstored: metrics.counter(`${prefix}.journal.unstored`),
    };
  }
}

/** How they are now. */
interface DurableReadings {
  readonly problem: string | undefined;
  readonly downMs: number;
  readonly size: number;
  readonly unclaimed: number;
  readonly lease: { readonly owner: string | undefined; readonly isHeld: boolean; readonly leftMs: number };
  readonly stored: { readonly entries: number; readonly bytes: number };
  readonly waiting: number;
  readonly waitingMs: number;
}

export function showDurable(metrics: Metrics, sessions: DurableReadings): void {
  metrics.gauge(`${prefix}.up`, () => Number(sessions.problem === undefined));
  metrics.gauge(`${prefix}.down_ms`, () => Math.round(sessions.downMs), 'max');
  metrics.gauge(`${prefix}.sessions`, () => sessions.size);
  metrics.gauge(`${prefix}.unclaimed`, () => sessions.unclaimed, 'max');
  metrics.gauge(`${prefix}.lease.held`, () => Number(sessions.lease.isHeld));
  metrics.gauge(`${prefix}.lease.left_ms`, () => Math.round(sessions.lease.leftMs), 'min');
  metrics.gauge(`${prefix}.lease.owner`, () => (sessions.lease.owner === undefined ? [] : [sessions.lease.owner]));
  metrics.gauge(`${prefix}.journal.entries`, () => sessions.stored.entries);
  metrics.gauge(`${prefix}.journal.bytes`, () => sessions.stored.bytes);
  metrics.gauge(`${prefix}.journal.waiting`, () => sessions.waiting);
  metrics.gauge(`${prefix}.journal.waiting_ms`, () => Math.round(sessions.waitingMs), 'max');
}
