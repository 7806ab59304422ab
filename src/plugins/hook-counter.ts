/** Counts the runs of one kind of hook: all of them, and those for each event. */
import type { Counter } from '../observe/metrics.ts';
import { nameInMetrics } from './event-names.ts';
import type { PluginMetrics } from './types.ts';

export const countedHooks = [
  'hp.get',
  'hp.put',
  'hp.post',
  'pubsub.history',
  'pubsub.presence',
  'pubsub.publish',
  'pubsub.subscribe',
  'pubsub.unsubscribe',
] as const;

export type CountedHook = (typeof countedHooks)[number];

export class HookCounter {
  readonly #metrics: PluginMetrics;
  readonly #name: CountedHook;
  readonly #total: Counter;
  /** A hook runs for the event that it was configured for, or added to. */
  readonly #byEvent = new Map<string, Counter>();

  constructor(metrics: PluginMetrics, name: CountedHook) {
    this.#metrics = metrics;
    this.#name = name;
    this.#total = metrics.counter(`clients.hooks.${name}`);
  }

  count(event: string): void {
    this.#total.value += 1;
    let counter = this.#byEvent.get(event);
    if (!counter) {
      counter = this.#metrics.counter(`clients.hooks.${nameInMetrics(event, this.#metrics)}.${this.#name}`);
      this.#byEvent.set(event, counter);
    }
    counter.value += 1;
  }
}
