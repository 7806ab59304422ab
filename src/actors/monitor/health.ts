/** How a node is, for probes of load balancers and orchestrators: read from its tables, without asking any actor. */
import type { Kernel } from '../../kernel/kernel.ts';
import type { HiveError } from '../../observe/errors.ts';
import type { Health, NodeHealth } from '../../web/monitor/monitor-host.ts';
import type { ClusterView } from '../contracts.ts';
import type { PoolTable } from '../pools/pool-table.ts';

export interface HealthSetup {
  readonly kernel: Kernel;
  readonly cluster: ClusterView;
  readonly pools: PoolTable;
  /** Why new clients are refused now. */
  readonly refusal: () => HiveError | undefined;
  /** What the machine lacks for further clients. */
  readonly obstacle: () => string | undefined;
  /** What else does not work: the log, the state of sessions. */
  readonly problems: () => readonly string[];
  readonly version: string;
  /** What holds its sockets. */
  readonly sockets: string;
}

/** Without which a node does not do all it should. */
const vital = [
  'hive_cluster',
  'hive_connectors',
  'hive_router',
  'hive_departures',
  'hive_relay',
  'hive_pubsub',
  'hive_api',
  'hive_web',
];

/** With whose it is. */
export function nodeHealth(setup: HealthSetup): NodeHealth {
  return { ...health(setup), node: setup.kernel.node, version: setup.version, sockets: setup.sockets };
}

type Looked = Omit<HealthSetup, 'version' | 'sockets'>;

export function health({ kernel, cluster, pools, refusal, obstacle, problems }: Looked): Health {
  const refused = refusal();
  const draining = refused?.code === 'router_error';
  const reasons = vital.filter((name) => !kernel.whereis(name)).map((name) => `${name} is not running`);
  for (const node of cluster.missing()) reasons.push(`${node} is not connected`);
  for (const pool of pools.pools.values()) {
    const problem = pool.stopping ? undefined : pool.problem;
    if (problem !== undefined) reasons.push(`pool ${pool.name}: ${problem}`);
  }
  reasons.push(...problems());
  if (refused) {
    reasons.unshift(draining ? 'new clients are refused' : (obstacle() ?? 'no slot is free for a further client'));
  }
  if (draining) return { status: 'draining', reasons };
  return { status: reasons.length > 0 ? 'degraded' : 'ready', reasons };
}
