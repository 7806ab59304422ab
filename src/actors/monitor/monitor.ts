/**
 * `hive_monitor`: owns the gauges of the process itself and answers for the metric tree.
 *
 *   metrics      everything under a dotted path     reset   sets one counter to 0, empties one histogram
 *   supervision  the live supervision tree, as the supervisors see it
 *   health       whether the node serves
 *   busiest      the busiest actors, after a while of looking
 *   alarms       those that are set
 *   crashes, abandoned, actor   what monitors of other nodes show of this one
 */
import { getHeapSpaceStatistics } from 'node:v8';
import { Actor } from '../../kernel/actor.ts';
import { busiest } from '../../kernel/busiest.ts';
import type { From } from '../../kernel/types.ts';
import type { Alarms } from '../../observe/alarms.ts';
import { watchEventLoop } from '../../observe/event-loop.ts';
import type { Log } from '../../observe/logger.ts';
import type { Metrics } from '../../observe/metrics.ts';
import type { TreeNode, TreeOptions } from '../../supervisors/tree.ts';
import { type GenServerApi, type GenServerRequest, isGenServerRequest } from '../gen-server/gen-server-api.ts';
import { monitorApi } from '../gen-server/handlers.ts';
import { type HealthSetup, nodeHealth } from './health.ts';
import { inspectActor } from './inspect-actor.ts';
import { isMonitorMessage, type MonitorMessage } from './wire-messages.ts';

export interface MonitorSetup extends HealthSetup {
  readonly metrics: Metrics;
  readonly log: Log;
  /** They belong to the node: a monitor that is restarted neither clears nor sets them anew. */
  readonly alarms: Alarms;
  /** Between two looks at them, ms. */
  readonly alarmsIntervalMs: number;
}

/** Time for a look at the alarms: what the monitor sends to itself. */
interface Look {
  readonly type: 'look';
}

export class Monitor extends Actor<MonitorMessage | Look | GenServerRequest> {
  readonly #metrics: Metrics;
  readonly #tree: (options: TreeOptions) => TreeNode | undefined;
  readonly #health: HealthSetup;
  readonly #erlang: GenServerApi;
  readonly #alarms: Alarms;
  readonly #alarmsIntervalMs: number;

  constructor(
    { metrics, log, alarms, alarmsIntervalMs, ...health }: MonitorSetup,
    tree: (options: TreeOptions) => TreeNode | undefined,
  ) {
    super();
    this.#alarms = alarms;
    this.#alarmsIntervalMs = alarmsIntervalMs;
    this.#metrics = metrics;
    this.#tree = tree;
    this.#health = health;
    this.#erlang = monitorApi(metrics, tree, log);
  }

  /** The memory of an Erlang VM as far as this one has the like; `atom` has none and is always 0. */
  override init(): void {
    const metrics = this.#metrics;
    metrics.gauge('hive.uptime', () => Math.round(process.uptime() * 1000), 'max');
    metrics.gauge('hive.cpu.user', () => Math.round(process.cpuUsage().user / 1000));
    metrics.gauge('hive.cpu.system', () => Math.round(process.cpuUsage().system / 1000));
    metrics.gauge('hive.memory.total', () => process.memoryUsage.rss());
    metrics.gauge('hive.memory.processes', () => process.memoryUsage().heapUsed);
    metrics.gauge('hive.memory.system', () => Math.max(0, process.memoryUsage.rss() - process.memoryUsage().heapUsed));
    metrics.gauge('hive.memory.atom', () => 0);
    metrics.gauge('hive.memory.binary', () => process.memoryUsage().arrayBuffers);
    metrics.gauge('hive.memory.code', codeBytes);
    metrics.gauge('hive.memory.ets', () => process.memoryUsage().external);
    const watch = watchEventLoop(metrics);
    this.kernel.onExit(this.self, () => watch[Symbol.dispose]());
    this.#lookLater();
  }

  #lookLater(): void {
    this.after(this.#alarmsIntervalMs, { type: 'look' });
  }

  override admits(message: unknown): boolean {
    return isMonitorMessage(message) || isGenServerRequest(message);
  }

  receive(message: MonitorMessage | Look | GenServerRequest, from: From | undefined): void {
    switch (message.type) {
      case 'metrics':
        return from?.reply(this.#metrics.values(message.section));
      case 'reset':
        return from?.reply(this.#metrics.reset(message.path));
      case 'supervision':
        return from?.reply(this.#tree(message.options));
      case 'health':
        return from?.reply(nodeHealth(this.#health));
      case 'alarms':
        return from?.reply(this.#alarms.list());
      case 'look':
        // Others are answered meanwhile.
        void this.#alarms.look().then(() => this.#lookLater());
        return;
      case 'crashes':
        return from?.reply(this.kernel.crashReports());
      case 'abandoned':
        return from?.reply(this.kernel.abandoned());
      case 'actor':
        return from?.reply(inspectActor(this.kernel, message.pid));
      case 'busiest':
        // Others are answered meanwhile.
        void busiest(this.kernel, message.options).then((actors) => from?.reply(actors));
        return;
      default:
        return this.#erlang.serve(message, from);
    }
  }
}

/** Of the heap's spaces for code: V8's own statistics of code walk through all of it, which takes milliseconds. */
function codeBytes(): number {
  return getHeapSpaceStatistics()
    .filter(({ space_name: name }) => name.includes('code'))
    .reduce((bytes, { space_used_size: used }) => bytes + used, 0);
}
