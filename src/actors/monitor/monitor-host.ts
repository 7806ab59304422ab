/** The monitors of this node and of all nodes as the monitor's server asks them. */
import { type BusyActor, busiest } from '../../kernel/busiest.ts';
import type { Call, NodeName } from '../../kernel/types.ts';
import type { Alarm } from '../../observe/alarms.ts';
import { detail, summary } from '../../observe/histogram.ts';
import type { MetricValues } from '../../observe/metrics.ts';
import { prometheusText } from '../../observe/prometheus.ts';
import type { TreeNode } from '../../supervisors/tree.ts';
import type { ClusterHost, Reached } from '../../web/api/api-host.ts';
import type { ChannelView, MonitorHost, NodeHealth } from '../../web/monitor/monitor-host.ts';
import { multiCall } from '../cluster/multi-call.ts';
import { health, nodeHealth } from './health.ts';
import { inspectActor, nodeOf } from './inspect-actor.ts';
import type { MonitorSetup } from './monitor.ts';
import { type MonitorMessage, monitorName } from './wire-messages.ts';

/**
 * So long the cluster is waited for by who looks at it again every two seconds: three such questions of the dashboard's are over
 * before it takes this node itself for silent, however many others hang.
 */
const lookTimeoutMs = 1500;

export interface MonitorHostSetup extends MonitorSetup {
  /** JSON text about a client of any node. */
  readonly client: (sid: string) => Promise<string>;
  readonly lists: Pick<ClusterHost, 'channels' | 'clients'>;
}

/** Of channels and of clients, in the view of a channel: as many as one looks through. */
const mostListed = 50;

export function monitorHost(setup: MonitorHostSetup): MonitorHost {
  const { kernel, metrics, cluster, version, sockets } = setup;
  const about = { version, node_version: process.versions.node, sockets };
  const here = kernel.node;
  const monitorOf = (node: string) => kernel.remote<MonitorMessage>(node as NodeName, monitorName);
  const monitor = monitorOf(here);
  const look = <Reply>(node: string, message: MonitorMessage & Call<Reply>) =>
    kernel.ask<MonitorMessage, Reply>(monitorOf(node), message, lookTimeoutMs);
  const isConnected = (node: string) => cluster.nodes().includes(node as NodeName);
  return {
    metrics: async (section) => metrics.together([await kernel.ask(monitor, { type: 'metrics', section })]),
    reset: (path) => kernel.ask(monitor, { type: 'reset', path }),
    prometheus: () => {
      const { status } = health(setup);
      const states = { ready: status === 'ready', degraded: status === 'degraded', draining: status === 'draining' };
      return prometheusText(metrics, about, states);
    },
    health: () => nodeHealth(setup),
    alarms: async (node) => (node === here ? setup.alarms.list() : look(node, { type: 'alarms' })),
    node: here,
    isConnected,
    crashes: async (node) => (node === here ? kernel.crashReports() : look(node, { type: 'crashes' })),
    abandoned: async (node) => (node === here ? kernel.abandoned() : look(node, { type: 'abandoned' })),
    supervision: (options, node) => look(node, { type: 'supervision', options }),
    client: (sid) => setup.client(sid),
    channel: (prefix) => channelView(setup.lists, prefix),
    actor: async (pid) => {
      const node = nodeOf(pid) ?? here;
      if (node === here) return inspectActor(kernel, pid);
      return isConnected(node) ? look(node, { type: 'actor', pid }) : undefined;
    },
    busiest: (options) => busiest(kernel, options),
    cluster: {
      health: async () => {
        const { each, ...reached } = await ofEach<NodeHealth>(setup, { type: 'health' }, lookTimeoutMs);
        return { ...reached, health: each };
      },
      alarms: async () => {
        const { each, ...reached } = await ofEach<readonly Alarm[]>(setup, { type: 'alarms' }, lookTimeoutMs);
        return { ...reached, alarms: each };
      },
      busiest: async (options) => {
        const { each, ...reached } = await ofEach<readonly BusyActor[]>(setup, { type: 'busiest', options });
        return { ...reached, actors: each };
      },
      supervision: async (options) => {
        const message = { type: 'supervision', options } as const;
        const { each, ...reached } = await ofEach<TreeNode | undefined>(setup, message, lookTimeoutMs);
        // One that has nothing at that path has no tree.
        const trees = Object.entries(each).filter((entry): entry is [string, TreeNode] => Boolean(entry[1]));
        return { ...reached, trees: Object.fromEntries(trees) };
      },
      metrics: async (section) => {
        const { each, ...reached } = await ofEach<MetricValues>(setup, { type: 'metrics', section });
        return { ...reached, metrics: metrics.together(Object.values(each)) };
      },
      nodes: async (section, withBuckets) => {
        const show = withBuckets ? detail : summary;
        const { each, missing } = await ofEach<MetricValues>(setup, { type: 'metrics', section }, lookTimeoutMs);
        const trees = Object.entries(each).map(
          ([node, values]) => [node, metrics.together([values], show) ?? {}] as const,
        );
        return { nodes: Object.fromEntries(trees), missing };
      },
      reset: async (path) => {
        const { each, ...reached } = await ofEach<boolean>(setup, { type: 'reset', path });
        return { ...reached, found: Object.values(each).includes(true) };
      },
    },
  };
}

async function channelView(lists: MonitorHostSetup['lists'], prefix: string): Promise<ChannelView> {
  const first = { after: '', limit: mostListed };
  const [listed, members] = await Promise.all([
    lists.channels(prefix, first),
    lists.clients({ channel: prefix }, first),
  ]);
  const { channels, nodes } = listed;
  const missing = [...new Set([...listed.missing, ...members.missing])].sort();
  const more = { channels: listed.cursor !== null, clients: members.cursor !== null };
  return { channels, clients: members.clients, more, nodes: nodes.filter((node) => !missing.includes(node)), missing };
}

/** What each node's monitor answers, in the order of the nodes' names. */
async function ofEach<Reply>(
  setup: MonitorSetup,
  message: MonitorMessage & Call<Reply>,
  timeoutMs?: number,
): Promise<Reached & { readonly each: Readonly<Record<string, Reply>> }> {
  const { replies, missing } = await multiCall<MonitorMessage, Reply>(setup, monitorName, message, timeoutMs);
  const nodes = [...replies.keys()].sort();
  return {
    nodes,
    missing: [...missing].sort(),
    each: Object.fromEntries(nodes.map((node) => [node, replies.get(node)!])),
  };
}
