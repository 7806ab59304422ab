/**
 * The pools of a node by name. It belongs to the node, not to the manager: when the manager and the pools' supervisors are
 * restarted, the pools are still there and get new workers, those included that were started at run time.
 */
import type { Kernel } from '../../kernel/kernel.ts';
import { HiveError } from '../../observe/errors.ts';
import type { Metrics } from '../../observe/metrics.ts';
import type { Pool, PoolDescriptor, Pools } from '../../plugins/types.ts';
import { type ConnectorCounters, connectorCounters } from './counters.ts';
import { connectorsName, type ManagerMessage } from './messages.ts';
import type { WorkerPool } from './pool.ts';

export class PoolTable implements Pools {
  /** Running pools, and those that are being stopped: their names are not free yet. */
  readonly pools = new Map<string, WorkerPool>();
  /** The configured pools have been started: a restarted manager takes what is here. */
  booted = false;
  readonly counters: ConnectorCounters;
  readonly #kernel: Kernel;

  constructor(kernel: Kernel, metrics: Metrics) {
    this.#kernel = kernel;
    this.counters = connectorCounters(metrics);
    metrics.gauge('connectors.pools', () => this.pools.size);
  }

  /** What requests and replies are is the connector's matter; the asker says what it expects. */
  get<Request, Reply>(name: string): Pool<Request, Reply> {
    this.counters.requests.value += 1;
    this.counters.uses.value += 1;
    const pool = this.pools.get(name);
    if (pool && !pool.stopping) return pool as Pool<Request, unknown> as Pool<Request, Reply>;
    this.counters.errors.value += 1;
    throw new HiveError('bad_connector_id', `There is no connector pool named ${name}.`);
  }

  start(name: string, descriptor: PoolDescriptor): Promise<void> {
    return this.#ask({ type: 'start', name, descriptor });
  }

  stop(name: string): Promise<void> {
    return this.#ask({ type: 'stop', name });
  }

  running(): Record<string, PoolDescriptor> {
    const running = [...this.pools.values()].filter((pool) => !pool.stopping);
    return Object.fromEntries(running.map(({ name, descriptor }) => [name, descriptor]));
  }

  #ask(message: ManagerMessage): Promise<void> {
    const manager = this.#kernel.remote<ManagerMessage>(this.#kernel.node, connectorsName);
    return this.#kernel.ask<ManagerMessage, void>(manager, message, Number.POSITIVE_INFINITY);
  }
}
