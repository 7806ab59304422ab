/** A kernel with a connectors' branch of the supervision tree in it, and nothing else of a node. */
import { ConnectorsManager } from '../../src/actors/pools/manager.ts';
import type { NodeServices } from '../../src/actors/pools/pool.ts';
import { PoolTable } from '../../src/actors/pools/pool-table.ts';
import type { Config } from '../../src/config/types.ts';
import { Kernel } from '../../src/kernel/kernel.ts';
import type { SupervisorMessage } from '../../src/kernel/supervision.ts';
import { HiveError } from '../../src/observe/errors.ts';
import { type Log, silent } from '../../src/observe/logger.ts';
import { Metrics, type MetricTree } from '../../src/observe/metrics.ts';
import { httpConnector } from '../../src/plugins/connectors/http/http.ts';
import { redisConnector } from '../../src/plugins/connectors/redis/redis.ts';
import type { ConnectorPlugin, PoolDescriptor, PubSub } from '../../src/plugins/types.ts';
import { DynamicSupervisor } from '../../src/supervisors/dynamic-supervisor.ts';
import { Supervisor } from '../../src/supervisors/supervisor.ts';

export interface ConnectorsOptions {
  pools?: Record<string, PoolDescriptor>;
  rentTimeout?: number;
  backoffNum?: number;
  backoffTime?: number;
  overflowIdle?: number;
  /** Besides the built-in ones. */
  plugins?: readonly (ConnectorPlugin<never> & { readonly name: string })[];
}

export interface Connectors {
  readonly kernel: Kernel;
  readonly metrics: Metrics;
  readonly services: NodeServices;
  readonly pools: PoolTable;
  /** Warnings that were logged. */
  readonly warnings: string[];
  /** What crashed, as the log says it. */
  readonly crashes: string[];
  counter(path: string): unknown;
  close(): Promise<void>;
}

const limits = { intensity: 10, periodMs: 10_000 };

export async function startConnectors(options: ConnectorsOptions = {}): Promise<Connectors> {
  const warnings: string[] = [];
  const crashes: string[] = [];
  const log: Log = {
    ...silent,
    warning: (message) => void warnings.push(message),
    crash: (message) => void crashes.push(message),
    child: () => log,
  };
  const metrics = new Metrics();
  const kernel = new Kernel({ node: 'test@127.0.0.1', log, metrics });
  const config = {
    hive: { cluster_name: 'test' },
    connectors: {
      rent_timeout: options.rentTimeout ?? 2000,
      backoff_num: options.backoffNum ?? 1,
      backoff_time: options.backoffTime ?? 0,
      overflow_idle: options.overflowIdle ?? 5000,
      pools: options.pools ?? {},
    },
  } as unknown as Config;
  const pools = new PoolTable(kernel, metrics);
  const services: NodeServices = { config, kernel, timers: kernel.wheel, log, metrics, pools, pubsub: {} as PubSub };
  const plugins = new Map<string, ConnectorPlugin<never>>([
    ['connector.http', httpConnector],
    ['connector.redis', redisConnector],
  ]);
  for (const plugin of options.plugins ?? []) plugins.set(plugin.name, plugin);
  const manager = (): ConnectorsManager =>
    new ConnectorsManager({
      table: pools,
      services,
      poolSupervisor: kernel.remote<SupervisorMessage>(kernel.node, 'hive_connectors_pool_sup'),
      makeSupervisor: () => new DynamicSupervisor(limits),
      connector(name) {
        const plugin = plugins.get(name);
        if (!plugin) throw new HiveError('plugins_error', `There is no connector named ${name}.`);
        return plugin as ConnectorPlugin;
      },
    });
  const root = new Supervisor({
    strategy: 'rest_for_one',
    intensity: 5,
    periodMs: 10_000,
    children: [
      {
        id: 'hive_connectors_pool_sup',
        name: 'hive_connectors_pool_sup',
        start: () => new DynamicSupervisor(limits),
        type: 'supervisor',
      },
      { id: 'hive_connectors', name: 'hive_connectors', start: manager },
    ],
  });
  const ref = await kernel.spawn(root, { name: 'hive_connectors_sup' });
  return {
    kernel,
    metrics,
    services,
    pools,
    warnings,
    crashes,
    counter: (path) =>
      path.split('.').reduce<unknown>((node, segment) => (node as MetricTree | undefined)?.[segment], metrics.tree()),
    async close() {
      const ended = new Promise((resolve) => kernel.onExit(ref!, resolve));
      root.cell.requestStop('shutdown');
      await ended;
      kernel.halt();
    },
  };
}
