/** How nodes are, and their metrics, as the monitor tells them: of the node that is asked, or of all of its cluster. */
import type { Alarm } from '../../observe/alarms.ts';
import type { NodeHealth } from '../../web/monitor/monitor-host.ts';
import type { Operator } from './operator.ts';
import { isNumber, isRecord, isText, listOf, oneOf, recordOf, withMembers } from './shapes.ts';

/** One node or several, by name. */
export interface Nodes {
  /** Known members of the cluster without an answer. */
  readonly missing: readonly string[];
  readonly health: Readonly<Record<string, NodeHealth>>;
  /** The metric tree of each of these. */
  readonly metrics: Readonly<Record<string, unknown>>;
  /** Those that are set on each of these. */
  readonly alarms: Readonly<Record<string, readonly Alarm[]>>;
}

const isHealth = withMembers<NodeHealth>({
  node: isText,
  status: oneOf('ready', 'draining', 'degraded'),
  reasons: listOf(isText),
  version: isText,
  sockets: isText,
});
const areAlarms = listOf(
  withMembers<Alarm>({
    alarm: isText,
    unit: oneOf('share', 'ms', 'messages', 'number'),
    value: isNumber,
    threshold: isNumber,
    clear: isNumber,
    at: isNumber,
    agoMs: isNumber,
  }),
);
const hasAlarms = withMembers<{ alarms: readonly Alarm[] }>({ alarms: areAlarms });
const hasClusterAlarms = withMembers<Pick<Nodes, 'alarms'>>({ alarms: recordOf(areAlarms) });
const isClusterHealth = withMembers<Pick<Nodes, 'health' | 'missing'>>({
  health: recordOf(isHealth),
  missing: listOf(isText),
});
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
  const { alarms } = await operator.json('alarms', hasAlarms, { signal });
  const of = <Value>(value: Value): Record<string, Value> => ({ [health.node]: value });
  return { missing: [], health: of(health), metrics: of(metrics), alarms: of(alarms) };
}

/** Those that have answered twice. @throws Failure (rejection) */
export async function allNodes(operator: Operator, signal?: AbortSignal): Promise<Nodes> {
  const { health, missing } = await operator.json('health?cluster=true', isClusterHealth, { signal });
  const { nodes } = await operator.json('nodes', isNodeMetrics, { signal });
  const metrics = Object.fromEntries(Object.entries(nodes).filter(([node]) => Object.hasOwn(health, node)));
  const { alarms } = await operator.json('alarms?cluster=true', hasClusterAlarms, { signal });
  return { missing, health, metrics, alarms };
}
