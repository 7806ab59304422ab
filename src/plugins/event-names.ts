/**
 * The names of events in metrics. Back ends may add hooks to events of ever new names, and a metric is there for good: the first
 * names have metrics of their own, those of the configuration before all others; the rest share one.
 */
import type { PluginMetrics } from './types.ts';

/** Of one node. */
const maxNames = 1000;
const others = 'others';

const namesOf = new WeakMap<PluginMetrics, Set<string>>();

/** What stands for the event in paths of these metrics. */
export function nameInMetrics(event: string, metrics: PluginMetrics): string {
  let names = namesOf.get(metrics);
  if (!names) {
    names = new Set();
    namesOf.set(metrics, names);
  }
  if (names.has(event)) return event;
  if (names.size >= maxNames) return others;
  names.add(event);
  return event;
}
