/** Nodes with the cluster actor, over real sockets on the loopback interface. */
import type { TestContext } from 'node:test';
import { Cluster, type ClusterSetup, clusterName } from '../../src/actors/cluster/cluster.ts';
import { Kernel } from '../../src/kernel/kernel.ts';
import type { Log } from '../../src/observe/logger.ts';
import { silent } from '../../src/observe/logger.ts';
import { Metrics } from '../../src/observe/metrics.ts';
import { Supervisor } from '../../src/supervisors/supervisor.ts';
import { eventually } from './eventually.ts';
import { type PubSubNode, startPubSub } from './pubsub.ts';

export interface ClusterOptions extends Partial<ClusterSetup['config']> {
  readonly epmd_port: number;
  readonly log?: Log;
}

/** A node with pub-sub and the cluster actor under a supervisor; it ends with the test. Rejects if the cluster actor cannot start. */
export async function startClusterNode(t: TestContext, name: string, options: ClusterOptions): Promise<PubSubNode> {
  const metrics = new Metrics();
  const { log = silent, ...config } = options;
  const kernel = new Kernel({ node: name, log: silent, metrics });
  t.after(() => kernel.halt());
  const node = await startPubSub(kernel, metrics);
  const start = () =>
    new Cluster({
      config: {
        cluster_cookie: 'a secret of tests',
        cluster_nodes: [],
        cluster_port_min: 0,
        cluster_port_max: 0,
        cluster_max_queue: 1024 * 1024,
        cluster_max_frame: 128 * 1024 * 1024,
        cluster_max_depth: 512,
        cluster_max_elements: 4_194_304,
        cluster_max_atoms: 4096,
        net_ticktime: 60,
        ...config,
      },
      table: node.table,
      version: '1.2.3',
      log,
      metrics,
    });
  const root = new Supervisor({ intensity: 5, children: [{ id: clusterName, name: clusterName, start }] });
  await kernel.spawn(root, { label: 'env_sup' });
  return node;
}

/** Waits until each of these nodes sees all others. */
export async function meshed(...nodes: PubSubNode[]): Promise<void> {
  await eventually(() => nodes.every(({ table }) => table.nodes().length === nodes.length), 'a full mesh');
}
