/** The monitors of this node and of all nodes as the monitor's server asks them. */
import { type BusyActor, busiest } from '../kernel/busiest.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Call, NodeName } from '../kernel/types.ts';
import type { MetricValues } from '../observe/metrics.ts';
import { prometheusText } from '../observe/prometheus.ts';
import type { Reached } from '../web/api-host.ts';
import type { MonitorHost, NodeHealth } from '../web/monitor-host.ts';
import type { TreeNode } from '../web/tree-text.ts';
import { everywhere } from './cluster/everywhere.ts';
import { nodeHealth } from './health.ts';
import { checkedOptions, type MonitorMessage, type MonitorSetup, monitorName } from './monitor.ts';

/** The address of an actor as it is shown, `<node.id.serial>`, or only `id.serial`. */
const pidPattern = /^(?:<(.+)\.(\d+)\.(\d+)>|(\d+)\.(\d+))$/;

function inspect(kernel: Kernel, pid: string): object | undefined {
  const [, node, id, serial, shortId, shortSerial] = pidPattern.exec(pid) ?? [];
  if (node !== undefined && node !== kernel.node) return undefined;
  const ref = kernel.local(Number(id ?? shortId), Number(serial ?? shortSerial), kernel.creation);
  return ref && kernel.inspect(ref);
}

export interface MonitorHostSetup extends MonitorSetup {
  /** JSON text about a client of any node. */
  readonly client: (sid: string) => Promise<string>;
}

/** The monitors of this node and of all nodes as the monitor's server asks them. */
export function monitorHost(setup: MonitorHostSetup): MonitorHost {
  const { kernel, metrics } = setup;
  const monitor = kernel.remote<MonitorMessage>(kernel.node, monitorName);
  return {
    metrics: async (section) => metrics.together([await kernel.ask(monitor, { type: 'metrics', section })]),
    reset: (path) => kernel.ask(monitor, { type: 'reset', path }),
    prometheus: () => prometheusText(metrics),
    health: () => nodeHealth(setup),
    crashes: () => kernel.crashReports(),
    abandoned: () => kernel.abandoned(),
    supervision: (options) => kernel.ask(monitor, { type: 'supervision', options }),
    client: (sid) => setup.client(sid),
    actor: (pid) => inspect(kernel, pid),
    busiest: (options) => busiest(kernel, options),
    cluster: {
      health: async () => {
        const { each, ...reached } = await ofEach<NodeHealth>(setup, { type: 'health' });
        return { ...reached, health: each };
      },
      busiest: async (options) => {
        const { each, ...reached } = await ofEach<readonly BusyActor[]>(setup, { type: 'busiest', options });
        return { ...reached, actors: each };
      },
      supervision: async (options) => {
        const message = { type: 'supervision', options: checkedOptions(options) } as const;
        const answers = await everywhere<MonitorMessage, TreeNode | undefined>(setup, monitorName, message);
        const trees = [...answers.replies].filter((reply): reply is [NodeName, TreeNode] => Boolean(reply[1]));
        return {
          nodes: [...answers.replies.keys()].sort(),
          missing: [...answers.missing].sort(),
          trees: Object.fromEntries(trees.sort(([a], [b]) => (a < b ? -1 : 1))),
        };
      },
      metrics: async (section) => {
        const { each, ...reached } = await ofEach<MetricValues>(setup, { type: 'metrics', section });
        return { ...reached, metrics: metrics.together(Object.values(each)) };
      },
      nodes: async (section) => {
        const { each, missing } = await ofEach<MetricValues>(setup, { type: 'metrics', section });
        const trees = Object.entries(each).map(([node, values]) => [node, metrics.together([values]) ?? {}] as const);
        return { nodes: Object.fromEntries(trees), missing };
      },
      reset: async (path) => {
        const { replies, missing } = await everywhere<MonitorMessage, boolean>(setup, monitorName, {
          type: 'reset',
          path,
        });
        const found = [...replies.values()].includes(true);
        return { nodes: [...replies.keys()].sort(), missing: [...missing].sort(), found };
      },
    },
  };
}

/** What each node's monitor answers. */
async function ofEach<Reply>(
  setup: MonitorSetup,
  message: MonitorMessage & Call<Reply>,
): Promise<Reached & { readonly each: Readonly<Record<string, Reply>> }> {
  const { replies, missing } = await everywhere<MonitorMessage, Reply>(setup, monitorName, message);
  const nodes = [...replies.keys()].sort();
  return {
    nodes,
    missing: [...missing].sort(),
    each: Object.fromEntries(nodes.map((node) => [node, replies.get(node)!])),
  };
}
