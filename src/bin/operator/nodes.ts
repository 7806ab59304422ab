/** How nodes are, and their metrics, as the monitor tells them: of the node that is asked, or of all of its cluster. */
import type { NodeHealth } from '../../web/monitor/monitor-host.ts';
import type { Operator } from './operator.ts';
import { isRecord, isText, listOf, oneOf, recordOf, withMembers } from './shapes.ts';

/** One node or several, by name. */
export interface Nodes {
  /** Known members of the cluster without an answer. */
  readonly missing: readonly string[];
  readonly health: Readonly<Record<string, NodeHealth>>;
  /** The metric tree of each of these. */
  readonly metrics: Readonly<Record<string, unknown>>;
}

const isHealth = withMembers<NodeHealth>({
  node: isText,
  status: oneOf('ready', 'draining', 'degraded'),
  reasons: listOf(isText),
  version: isText,
  sockets: isText,
});
const isClusterHealth = withMembers<Omit<Nodes, 'metrics'>>({ health: recordOf(isHealth), missing: listOf(isText) });
const isNodeMetrics = withMembers<{ nodes: Nodes['metrics'] }>({ nodes: recordOf(isRecord) });

/** How the node is: only a Hive answers like that. @throws Failure (rejection) */
export function askedHealth(operator: Operator, signal?: AbortSignal): Promise<NodeHealth> {
  // A node that drains says so with 503.
  return operator.json('health', isHealth, { also: [503], signal });
}

/** @throws Failure (rejection) */
export async function askedNode(operator: Operator, signal?: AbortSignal): Promise<Nodes> {
  const health = await askedHealth(operator, signal);
  const metrics = await operator.json('', isRecord, { signal });
  return { missing: [], health: { [health.node]: health }, metrics: { [health.node]: metrics } };
}

/** Those that have answered twice. @throws Failure (rejection) */
export async function allNodes(operator: Operator, signal?: AbortSignal): Promise<Nodes> {
  const { health, missing } = await operator.json('health?cluster=true', isClusterHealth, { signal });
  const { nodes } = await operator.json('nodes', isNodeMetrics, { signal });
  const metrics = Object.fromEntries(Object.entries(nodes).filter(([node]) => Object.hasOwn(health, node)));
  return { missing, health, metrics };
}
