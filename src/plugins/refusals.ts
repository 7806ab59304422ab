/** Counts descriptors that are refused at run time: for an unknown plugin, or for what the plugin is given. */
import { HiveError } from '../observe/errors.ts';
import type { Counter } from '../observe/metrics.ts';
import type { PluginMetrics } from './types.ts';

export class Refusals {
  readonly #pluginErrors: Counter;
  readonly #configErrors: Counter;

  constructor(metrics: PluginMetrics) {
    this.#pluginErrors = metrics.counter('hive.plugin_errors');
    this.#configErrors = metrics.counter('hive.config_errors');
  }

  /** Runs `check` and counts what it throws. */
  counted<Result>(check: () => Result): Result {
    try {
      return check();
    } catch (error) {
      const isUnknown = error instanceof HiveError && error.code === 'plugins_error';
      (isUnknown ? this.#pluginErrors : this.#configErrors).value += 1;
      throw error;
    }
  }
}
