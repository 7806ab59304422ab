/** What `hive top` knows at one time, of the node that is asked, another one, or all nodes of the cluster. */
import type { Alarm } from '../../observe/alarms.ts';
import type { NodeHealth } from '../../web/monitor/monitor-host.ts';
import { Failure } from '../operator/failure.ts';
import { allNodes, askedNode } from '../operator/nodes.ts';
import type { Operator } from '../operator/operator.ts';
import { Readings } from '../operator/readings.ts';
import { isRecord, withMembers } from '../operator/shapes.ts';

export type Scope = 'asked' | 'cluster' | { readonly node: string };

export interface NodeSample extends NodeHealth {
  readonly readings: Readings;
  readonly alarms: readonly Alarm[];
}

export interface Sample {
  readonly scope: Scope;
  /** One, or for a cluster all that answered. */
  readonly nodes: readonly NodeSample[];
  /** Of all these nodes together. */
  readonly total: Readings;
  readonly missing: readonly string[];
}

const isTotal = withMembers<{ metrics: Readonly<Record<string, unknown>> }>({ metrics: isRecord });

/** @throws Failure (rejection) */
export async function takeSample(operator: Operator, scope: Scope, signal: AbortSignal): Promise<Sample> {
  const found = await (scope === 'asked' ? askedNode : allNodes)(operator, signal);
  const nodes = Object.values(found.health)
    .filter(({ node }) => Object.hasOwn(found.metrics, node))
    .map((health) => ({
      ...health,
      readings: new Readings(found.metrics[health.node]),
      alarms: found.alarms[health.node] ?? [],
    }));
  if (scope === 'cluster') {
    const { metrics } = await operator.json('?cluster=true', isTotal, { signal });
    return { scope, nodes, total: new Readings(metrics), missing: found.missing };
  }
  const shown = scope === 'asked' ? nodes[0] : nodes.find(({ node }) => node === scope.node);
  if (!shown) throw new Failure(`${scope === 'asked' ? 'The node' : scope.node} does not answer.`);
  return { scope, nodes: [shown], total: shown.readings, missing: [] };
}

/**
 * How much a counter grows per second, over all nodes that are in both samples, by their own clocks; undefined if there is
 * none, or it was started anew meanwhile.
 */
export function perSecond(now: readonly NodeSample[], before: readonly NodeSample[], path: string): number | undefined {
  let sum: number | undefined;
  for (const { node, readings } of now) {
    const earlier = before.find((one) => one.node === node)?.readings;
    if (!earlier) continue;
    const ms = readings.number('hive.uptime') - earlier.number('hive.uptime');
    if (ms <= 0) continue;
    // A counter may have been reset, and a pool's are new when the pool is.
    const growth = Math.max(0, readings.number(path) - earlier.number(path));
    sum = (sum ?? 0) + (growth / ms) * 1000;
  }
  return sum;
}
