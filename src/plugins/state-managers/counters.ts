/** The metrics of state managers. `requests` is the sum of the four operations. */
import type { Counter } from '../../observe/metrics.ts';
import type { PluginMetrics } from '../types.ts';

const names = ['requests', 'init', 'get', 'set', 'cleanup', 'errors'] as const;

type StateOperation = 'init' | 'get' | 'set' | 'cleanup';

export class StateCounters {
  readonly #counters: Readonly<Record<(typeof names)[number], Counter>>;

  constructor(metrics: PluginMetrics) {
    this.#counters = metrics.counters('clients.state_mgr', names);
  }

  count(operation: StateOperation): void {
    this.#counters.requests.value += 1;
    this.#counters[operation].value += 1;
  }

  failed(): void {
    this.#counters.errors.value += 1;
  }
}
