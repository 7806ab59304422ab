/** Loads a configuration together with its plugins: imports the modules that section `plugins` names. */
import { createRequire } from 'node:module';
import { isAbsolute, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Imported } from '../config/catalogue.ts';
import { type LoadedConfig, type LoadOptions, loadConfig } from '../config/load.ts';
import { schemaFault } from '../config/validate.ts';
import { HiveError } from '../observe/errors.ts';
import { asError, stackOf, titleOf } from '../observe/thrown.ts';
import { Plugin, pluginMark } from './define-plugin.ts';
import { PluginRegistry } from './registry.ts';

/**
 * Reads and checks a configuration and imports its plugins.
 * @throws ConfigError (rejection) with every problem
 */
export function loadWithPlugins(
  file: string,
  options: Omit<LoadOptions<PluginRegistry>, 'importPlugins'> = {},
): Promise<LoadedConfig<PluginRegistry>> {
  return loadConfig(file, { ...options, importPlugins });
}

/** Never rejects: a module that cannot be used is a fault, and nothing of it is in the catalogue. */
async function importPlugins(modules: readonly string[], directory: string): Promise<Imported<PluginRegistry>> {
  const catalogue = new PluginRegistry();
  const faults: Imported<PluginRegistry>['faults'][number][] = [];
  for (const [index, name] of modules.entries()) {
    try {
      const plugin = pluginOf(await importModule(name, directory));
      checkSchemas(plugin);
      catalogue.add(plugin, name);
    } catch (error) {
      faults.push({ index, reason: describe(error) });
    }
  }
  return { catalogue, faults };
}

/** Packages are found as by a program in that directory. */
async function importModule(name: string, directory: string): Promise<{ readonly default?: unknown }> {
  const file = isAbsolute(name) ? name : packageFile(name, directory);
  return import(pathToFileURL(file).href);
}

function packageFile(name: string, directory: string): string {
  try {
    return createRequire(join(directory, 'config.json')).resolve(name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    throw new HiveError('plugins_error', 'there is no such package, and names of files start with `./`, `../` or `/`');
  }
}

function pluginOf(module: { readonly default?: unknown }): Plugin {
  const plugin = module.default;
  if (plugin instanceof Plugin) return plugin;
  const isForeign = typeof plugin === 'object' && plugin !== null && pluginMark in plugin;
  // It would have classes of its own: its HiveErrors, for one, would pass for crashes here.
  if (isForeign) throw new HiveError('plugins_error', 'its default export was made by another installation of Hive');
  throw new HiveError('plugins_error', 'it has no default export that definePlugin has made');
}

function checkSchemas(plugin: Plugin): void {
  for (const parts of [plugin.hooks, plugin.actions, plugin.connectors, plugin.stateManagers]) {
    for (const [name, { args }] of Object.entries(parts)) {
      const fault = schemaFault(args);
      if (fault !== undefined)
        throw new HiveError('plugins_error', `the schema of the args of ${name} is wrong: ${fault}`);
    }
  }
}

/** Our own refusals as they are; of what the module threw, what its author needs to find the place. */
function describe(error: unknown): string {
  const cause = asError(error);
  if (cause instanceof HiveError) return cause.message;
  const place = /(?:file:\/\/)?(\/[^\s()]+:\d+)/.exec(stackOf(error).slice(cause.message.length))?.[1];
  return `importing it failed: ${titleOf(error).split('\n')[0]}${place === undefined ? '' : ` (${place})`}`;
}
