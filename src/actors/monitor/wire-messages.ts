/** What nodes ask the monitors of others. Other nodes may send anything: `isMonitorMessage` looks at it first. */
import type { BusiestOptions, BusyActor } from '../../kernel/busiest.ts';
import type { Call } from '../../kernel/types.ts';
import type { Alarm } from '../../observe/alarms.ts';
import type { MetricValues } from '../../observe/metrics.ts';
import type { TreeNode, TreeOptions } from '../../supervisors/tree.ts';
import type { NodeHealth } from '../../web/monitor/monitor-host.ts';

/** The name under which every node's monitor is registered. */
export const monitorName = 'hive_monitor';

export type MonitorMessage =
  | ({ readonly type: 'metrics'; readonly section: string } & Call<MetricValues>)
  | ({ readonly type: 'reset'; readonly path: string } & Call<boolean>)
  | ({ readonly type: 'supervision'; readonly options: TreeOptions } & Call<TreeNode | undefined>)
  | ({ readonly type: 'health' } & Call<NodeHealth>)
  | ({ readonly type: 'alarms' } & Call<readonly Alarm[]>)
  | ({ readonly type: 'crashes' | 'abandoned' } & Call<readonly object[]>)
  | ({ readonly type: 'actor'; readonly pid: string } & Call<object | undefined>)
  | ({ readonly type: 'busiest'; readonly options: BusiestOptions } & Call<readonly BusyActor[]>);

/** Whether it has the form of one. */
export function isMonitorMessage(message: unknown): message is MonitorMessage {
  const { type, section, path, pid, options } = Object(message) as Record<string, unknown>;
  switch (type) {
    case 'metrics':
      return typeof section === 'string';
    case 'reset':
      return typeof path === 'string';
    case 'actor':
      return typeof pid === 'string';
    case 'supervision':
      return isTreeOptions(options);
    case 'busiest':
      return isBusiestOptions(options);
    default:
      return type === 'health' || type === 'alarms' || type === 'crashes' || type === 'abandoned';
  }
}

function isTreeOptions(options: unknown): options is TreeOptions {
  if (typeof options !== 'object' || options === null) return false;
  const { depth, limit, path, sort, flat } = options as Record<string, unknown>;
  if (path !== undefined && typeof path !== 'string') return false;
  if (flat !== undefined && typeof flat !== 'boolean') return false;
  if (sort !== undefined && sort !== 'mailbox') return false;
  return (depth === undefined || isCount(depth)) && (limit === undefined || isCount(limit));
}

/** At most as much as the monitor's pages let people ask for. */
function isBusiestOptions(options: unknown): options is BusiestOptions {
  const { sort, limit, overMs } = Object(options) as Record<string, unknown>;
  return (sort === 'mailbox' || sort === 'rate') && isCount(limit, 1000) && isCount(overMs, 3000);
}

function isCount(value: unknown, max = Number.POSITIVE_INFINITY): boolean {
  return typeof value === 'number' && value >= 0 && value <= max;
}
