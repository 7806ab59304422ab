/** The metrics of all pools together. `requests` counts every operation: uses, transactions, acquires, returns, starts, stops. */
import type { Histogram } from '../../observe/histogram.ts';
import type { Counter, Metrics } from '../../observe/metrics.ts';

const names = [
  'requests',
  'errors',
  'starts',
  'stops',
  'uses',
  'rents',
  'returns',
  'safe_transactions',
  'unsafe_transactions',
] as const;

export interface ConnectorCounters extends Readonly<Record<(typeof names)[number], Counter>> {
  /** From the demand for a worker to the answer, or the failure. */
  readonly latency: Histogram;
}

export function connectorCounters(metrics: Metrics): ConnectorCounters {
  return { ...metrics.counters('connectors', names), latency: metrics.histogram('connectors.latency') };
}
