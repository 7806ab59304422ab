/** What `hive top` knows at one time, of the node that is asked, another one, or all nodes of the cluster. */
import { Failure } from '../operator/failure.ts';
import type { Operator } from '../operator/operator.ts';
import { Readings } from '../operator/readings.ts';

export type Scope = 'asked' | 'cluster' | { readonly node: string };

export interface NodeSample {
  readonly name: string;
  readonly status: string;
  readonly reasons: readonly string[];
  readonly version: string;
  readonly readings: Readings;
}

export interface Sample {
  readonly scope: Scope;
  /** One, or for a cluster all that answered. */
  readonly nodes: readonly NodeSample[];
  /** Of all these nodes together. */
  readonly total: Readings;
  readonly missing: readonly string[];
}

interface Health {
  readonly node: string;
  readonly status: string;
  readonly reasons: readonly string[];
  readonly version: string;
}

/** @throws Failure (rejection) */
export async function takeSample(operator: Operator, scope: Scope, signal: AbortSignal): Promise<Sample> {
  if (scope === 'asked') {
    const health = await operator.json<Health>('health', { also: [503], signal });
    const readings = new Readings(await operator.json('', { signal }));
    return { scope, nodes: [nodeSample(health, readings)], total: readings, missing: [] };
  }
  const { health, missing } = await operator.json<{ health: Record<string, Health>; missing: string[] }>(
    'health?cluster=true',
    { signal },
  );
  const { nodes: trees } = await operator.json<{ nodes: Record<string, unknown> }>('nodes', { signal });
  const nodes = Object.values(health)
    .filter(({ node }) => Object.hasOwn(trees, node))
    .map((one) => nodeSample(one, new Readings(trees[one.node])));
  if (scope === 'cluster') {
    const { metrics } = await operator.json<{ metrics: unknown }>('?cluster=true', { signal });
    return { scope, nodes, total: new Readings(metrics), missing };
  }
  const chosen = nodes.find(({ name }) => name === scope.node);
  if (!chosen) throw new Failure(`${scope.node} does not answer.`);
  return { scope, nodes: [chosen], total: chosen.readings, missing: [] };
}

function nodeSample({ node, status, reasons, version }: Health, readings: Readings): NodeSample {
  return { name: node, status, reasons, version, readings };
}

/**
 * How much a counter grows per second, over all nodes that are in both samples, by their own clocks; undefined if there is
 * none, or it was started anew meanwhile.
 */
export function perSecond(now: readonly NodeSample[], before: readonly NodeSample[], path: string): number | undefined {
  let sum: number | undefined;
  for (const { name, readings } of now) {
    const earlier = before.find((node) => node.name === name)?.readings;
    if (!earlier) continue;
    const ms = readings.number('hive.uptime') - earlier.number('hive.uptime');
    if (ms <= 0) continue;
    // A counter may have been reset, and a pool's are new when the pool is.
    const growth = Math.max(0, readings.number(path) - earlier.number(path));
    sum = (sum ?? 0) + (growth / ms) * 1000;
  }
  return sum;
}
