/**
 * `hive_monitor`: owns the gauges of the process itself and answers for the metric tree.
 *
 *   metrics      everything under a dotted path     reset   sets one counter to 0
 *   supervision  the live supervision tree, as the supervisors see it
 */
import { getHeapCodeStatistics } from 'node:v8';
import { Actor } from '../kernel/actor.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Call, From } from '../kernel/types.ts';
import type { Metrics, MetricTree } from '../observe/metrics.ts';
import type { MonitorHost } from '../web/monitor.ts';

/** The name under which every node's monitor is registered. */
export const monitorName = 'hive_monitor';

export interface TreeOptions {
  /** How many levels of supervisors; all without. */
  readonly depth?: number | undefined;
  /** How many children are listed per supervisor. */
  readonly limit?: number | undefined;
}

export type MonitorMessage =
  | ({ readonly type: 'metrics'; readonly section: string } & Call<MetricTree | undefined>)
  | ({ readonly type: 'reset'; readonly path: string } & Call<boolean>)
  | ({ readonly type: 'supervision'; readonly options: TreeOptions } & Call<unknown>);

export class Monitor extends Actor<MonitorMessage> {
  readonly #metrics: Metrics;
  readonly #tree: (options: TreeOptions) => unknown;

  constructor(metrics: Metrics, tree: (options: TreeOptions) => unknown) {
    super();
    this.#metrics = metrics;
    this.#tree = tree;
  }

  override init(): void {
    const metrics = this.#metrics;
    metrics.gauge('hive.uptime', () => Math.round(process.uptime() * 1000));
    metrics.gauge('hive.memory.total', () => process.memoryUsage.rss());
    metrics.gauge('hive.memory.processes', () => process.memoryUsage().heapUsed);
    metrics.gauge('hive.memory.system', () => process.memoryUsage.rss() - process.memoryUsage().heapUsed);
    metrics.gauge('hive.memory.binary', () => process.memoryUsage().arrayBuffers);
    metrics.gauge('hive.memory.code', () => getHeapCodeStatistics().code_and_metadata_size);
  }

  receive(message: MonitorMessage, from: From | undefined): void {
    switch (message.type) {
      case 'metrics':
        return from?.reply(this.#metrics.tree(message.section));
      case 'reset':
        return from?.reply(this.#metrics.reset(message.path));
      case 'supervision':
        return from?.reply(this.#tree(message.options));
    }
  }
}

/** The monitor's actor as the monitor's server asks it. */
export function monitorHost(kernel: Kernel): MonitorHost {
  const monitor = kernel.remote<MonitorMessage>(kernel.node, monitorName);
  return {
    metrics: (section) => kernel.ask(monitor, { type: 'metrics', section }),
    reset: (path) => kernel.ask(monitor, { type: 'reset', path }),
    supervision: (options) => kernel.ask(monitor, { type: 'supervision', options }),
  };
}
