/** How nodes are, and their metrics, as the monitor tells them: of the node that is asked, or of all of its cluster. */
import type { NodeHealth } from '../../web/monitor-host.ts';
import type { Operator } from './operator.ts';

/** One node or several, by name. */
export interface Nodes {
  /** Known members of the cluster without an answer. */
  readonly missing: readonly string[];
  readonly health: Readonly<Record<string, NodeHealth>>;
  /** The metric tree of each of these. */
  readonly metrics: Readonly<Record<string, unknown>>;
}

/** @throws Failure (rejection) */
export async function askedNode(operator: Operator, signal?: AbortSignal): Promise<Nodes> {
  // A node that drains says so with 503.
  const health = await operator.json<NodeHealth>('health', { also: [503], signal });
  const metrics = await operator.json<unknown>('', { signal });
  return { missing: [], health: { [health.node]: health }, metrics: { [health.node]: metrics } };
}

/** Those that have answered twice. @throws Failure (rejection) */
export async function allNodes(operator: Operator, signal?: AbortSignal): Promise<Nodes> {
  const { health, missing } = await operator.json<Omit<Nodes, 'metrics'>>('health?cluster=true', { signal });
  const { nodes } = await operator.json<{ nodes: Nodes['metrics'] }>('nodes', { signal });
  const metrics = Object.fromEntries(Object.entries(nodes).filter(([node]) => Object.hasOwn(health, node)));
  return { missing, health, metrics };
}
