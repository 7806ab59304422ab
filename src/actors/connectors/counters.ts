/** The metrics of all pools together. `requests` counts every operation: uses, transactions, rents, returns, starts, stops. */
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

export type ConnectorCounters = Readonly<Record<(typeof names)[number], Counter>>;

export function connectorCounters(metrics: Metrics): ConnectorCounters {
  return metrics.counters('connectors', names);
}
