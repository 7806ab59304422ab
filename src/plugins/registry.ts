/** Which plugins there are: the built-in ones and the user's, by kind and name. */
import type { PluginCatalogue, PluginContract, PluginKind } from '../config/catalogue.ts';
import { suggest } from '../config/suggest.ts';
import type { Config } from '../config/types.ts';
import { HiveError, toHiveError } from '../observe/errors.ts';
import { builtInPlugins } from './built-in.ts';
import type { ActionPlugin, ConnectorPlugin, HookPlugin, Plugin, StateManagerPlugin } from './types.ts';

interface PluginsByKind {
  readonly hook: Map<string, HookPlugin>;
  readonly action: Map<string, ActionPlugin>;
  readonly connector: Map<string, ConnectorPlugin>;
  readonly state_manager: Map<string, StateManagerPlugin>;
}

export class PluginRegistry implements PluginCatalogue {
  readonly #plugins: PluginsByKind = {
    hook: new Map(),
    action: new Map(),
    connector: new Map(),
    state_manager: new Map(),
  };

  /** A later plugin replaces an earlier one of the same kind and name. */
  constructor(plugins: Iterable<Plugin>) {
    for (const plugin of plugins) {
      switch (plugin.kind) {
        case 'hook':
          this.#plugins.hook.set(plugin.name, plugin);
          break;
        case 'action':
          this.#plugins.action.set(plugin.name, plugin);
          break;
        case 'connector':
          this.#plugins.connector.set(plugin.name, plugin);
          break;
        case 'state_manager':
          this.#plugins.state_manager.set(plugin.name, plugin);
          break;
      }
    }
  }

  find(kind: PluginKind, name: string): PluginContract | undefined {
    const plugin = this.#plugins[kind].get(name);
    if (!plugin) return undefined;
    return {
      args: plugin.args,
      argsCode: plugin.argsCode ?? 'bad_config',
      check: (args, config) => plugin.check?.(args, config),
    };
  }

  /** How many plugins there are, of all kinds. */
  get size(): number {
    return Object.values(this.#plugins).reduce((sum, plugins) => sum + plugins.size, 0);
  }

  names(kind: PluginKind): string[] {
    return [...this.#plugins[kind].keys()];
  }

  /** @throws HiveError `plugins_error` if there is none of that name; so do the next three */
  hook(name: string): HookPlugin {
    return this.#plugins.hook.get(name) ?? this.#missing('hook', name);
  }

  action(name: string): ActionPlugin {
    return this.#plugins.action.get(name) ?? this.#missing('action', name);
  }

  connector(name: string): ConnectorPlugin {
    return this.#plugins.connector.get(name) ?? this.#missing('connector', name);
  }

  stateManager(name: string): StateManagerPlugin {
    return this.#plugins.state_manager.get(name) ?? this.#missing('state_manager', name);
  }

  #missing(kind: PluginKind, name: string): never {
    const meant = suggest(name, this.names(kind));
    const hint = meant === undefined ? '' : ` Did you mean ${meant}?`;
    throw new HiveError('plugins_error', `There is no ${kind.replace('_', ' ')} named ${name}.${hint}`);
  }
}

export const builtInCatalogue = new PluginRegistry(builtInPlugins);

export interface ProbedPool {
  readonly pool: string;
  /** Why its back end cannot be reached. */
  readonly error: HiveError | undefined;
}

/** Tries to reach the back end of every configured pool. The configuration must have been checked. */
export function probePools(config: Config, registry: PluginRegistry = builtInCatalogue): Promise<ProbedPool[]> {
  const probe = async (pool: string, connector: string, args: unknown): Promise<ProbedPool> => {
    try {
      await registry.connector(connector).probe(args);
      return { pool, error: undefined };
    } catch (error) {
      return { pool, error: toHiveError(error, 'connectors_error') };
    }
  };
  return Promise.all(
    Object.entries(config.connectors.pools).map(([pool, { connector, args }]) => probe(pool, connector, args)),
  );
}
