/** What the alarms of a node look at. Each is a share of a limit of the node's, or a plain number; one whose threshold is 0 is off. */
import { getHeapStatistics } from 'node:v8';
import type { Config } from '../../config/types.ts';
import { fullestMailbox } from '../../kernel/fullest-mailbox.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { AlarmSpec, AlarmUnit, Reading } from '../../observe/alarms.ts';
import { type Histogram, type HistogramValue, recordedSince, summary } from '../../observe/histogram.ts';
import type { Metrics } from '../../observe/metrics.ts';

export interface AlarmSources {
  readonly config: Config;
  readonly kernel: Kernel;
  readonly metrics: Metrics;
}

export function alarmSpecs({ config, kernel, metrics }: AlarmSources): AlarmSpec[] {
  const { gauges, clear: _, interval: __, journal_delay: journalDelay, ...thresholds } = config.monitor.alarms;
  const shareOf = (path: string, limit: () => number | undefined) => (): Reading | undefined => {
    const value = metrics.number(path);
    const all = limit();
    return value === undefined || !all ? undefined : { value: value / all };
  };
  const { max_client_slots: slots, cluster_max_queue: maxQueue } = config.hive;
  const readers: Readonly<Record<keyof typeof thresholds, readonly [AlarmUnit, AlarmSpec['read']]>> = {
    clients: ['share', shareOf('hive.router.current_clients', () => slots)],
    mailbox: ['messages', () => mailbox(kernel)],
    event_loop_delay: ['ms', recentDelay(metrics.histogram('hive.event_loop.delay'))],
    queue: ['share', shareOf('hive.distribution.max_queued_bytes', () => maxQueue)],
    memory: ['share', memory],
    open_files: ['share', shareOf('hive.open_files.open', () => metrics.number('hive.open_files.limit'))],
  };
  const specs: AlarmSpec[] = Object.entries(readers).map(([alarm, [unit, read]]) => {
    return { alarm, unit, threshold: thresholds[alarm as keyof typeof thresholds], read };
  });
  if (config.clients.durable) {
    specs.push({ alarm: 'journal_delay', unit: 'ms', threshold: journalDelay, read: storing(metrics) });
  }
  for (const [path, threshold] of Object.entries(gauges)) {
    const read = (): Reading => {
      const value = metrics.number(path);
      if (value === undefined) throw new Error('no gauge or counter has that path');
      return { value };
    };
    specs.push({ alarm: path, unit: 'number', threshold, read });
  }
  return specs.filter(({ threshold }) => threshold > 0);
}

async function mailbox(kernel: Kernel): Promise<Reading> {
  const fullest = await fullestMailbox(kernel);
  return fullest ? { value: fullest.length, of: `${fullest.path} ${fullest.pid}` } : { value: 0 };
}

/** p99 of what was recorded since the last look. The first one has nothing to compare with, and the start of a node is always slow. */
function recentDelay(delay: Histogram): AlarmSpec['read'] {
  let before: HistogramValue | undefined;
  return () => {
    const now = delay.value();
    const recent = before && recordedSince(now, before);
    before = now;
    return recent && { value: summary(recent).p99 };
  };
}

/** What is still waited for counts as well: a Redis that hangs completes nothing. */
function storing(metrics: Metrics): AlarmSpec['read'] {
  const completed = recentDelay(metrics.histogram('clients.durable.journal.latency'));
  return async () => {
    const { value = 0 } = (await completed()) ?? {};
    return { value: Math.max(value, metrics.number('clients.durable.journal.waiting_ms') ?? 0) };
  };
}

/** The heap has a limit of its own; the process may have one, too: that of its container (cgroup). The fuller one counts. */
function memory(): Reading {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
  const heap = used / limit;
  // Without a limit it is 0, or more than any machine has.
  const allowed = process.constrainedMemory();
  const resident = allowed > 0 ? process.memoryUsage.rss() / allowed : 0;
  return heap >= resident ? { value: heap, of: 'JavaScript heap' } : { value: resident, of: 'resident memory' };
}
