/** Loading a configuration file for a command, and telling the operator what is wrong with it. */
import type { LoadedConfig } from '../config/load.ts';
import type { Override } from '../config/overrides.ts';
import { ConfigError, formatProblem } from '../config/problem.ts';
import { printable } from '../observe/printable.ts';
import { loadWithPlugins } from '../plugins/load-with-plugins.ts';
import type { PluginRegistry } from '../plugins/registry.ts';

/** The loaded configuration; undefined after every problem has been told on stderr. */
export async function loadOrExplain(
  file: string,
  overrides: readonly Override[],
): Promise<LoadedConfig<PluginRegistry> | undefined> {
  try {
    const loaded = await loadWithPlugins(file, { overrides });
    for (const warning of loaded.warnings) console.error(printable(`warning: ${formatProblem(warning)}`));
    return loaded;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) console.error(printable(`${problem.code}: ${formatProblem(problem)}`));
    const count = error.problems.length;
    console.error(`${file} cannot be used: ${count} problem${count === 1 ? '' : 's'}.`);
    return undefined;
  }
}
