/** Which plugins there are: the built-in ones and the user's, by kind and name. */
import type { PluginCatalogue, PluginContract, PluginKind } from '../config/catalogue.ts';
import { suggest } from '../config/suggest.ts';
import type { Config } from '../config/types.ts';
import { HiveError, toHiveError } from '../observe/errors.ts';
import { builtIn } from './built-in.ts';
import { type Plugin, sectionOf } from './define-plugin.ts';
import type { ActionPlugin, ConnectorPlugin, HookPlugin, StateManagerPlugin } from './types.ts';

const kinds = Object.keys(sectionOf) as PluginKind[];

/** A part of a plugin, and where the plugin comes from. */
interface Owned<Part> {
  readonly part: Part;
  readonly origin: string;
}

interface PartsByKind {
  readonly hook: Map<string, Owned<HookPlugin>>;
  readonly action: Map<string, Owned<ActionPlugin>>;
  readonly connector: Map<string, Owned<ConnectorPlugin>>;
  readonly state_manager: Map<string, Owned<StateManagerPlugin>>;
}

export class PluginRegistry implements PluginCatalogue {
  readonly #parts: PartsByKind = {
    hook: new Map(),
    action: new Map(),
    connector: new Map(),
    state_manager: new Map(),
  };

  /** With the built-in plugins. */
  constructor() {
    this.add(builtIn, 'Hive');
  }

  /**
   * Adds all parts of a plugin, or none.
   * @param origin where it comes from, for error texts
   * @throws HiveError `plugins_error` if there is a part of the same kind and name already
   */
  add(plugin: Plugin, origin: string): void {
    for (const kind of kinds) {
      for (const name of Object.keys(plugin[sectionOf[kind]])) {
        const present = this.#parts[kind].get(name);
        if (present) throw new HiveError('plugins_error', `the ${words(kind)} ${name} is in ${present.origin} already`);
      }
    }
    for (const kind of kinds) {
      const parts = this.#parts[kind] as Map<string, Owned<unknown>>;
      for (const [name, part] of Object.entries(plugin[sectionOf[kind]])) parts.set(name, { part, origin });
    }
  }

  find(kind: PluginKind, name: string): PluginContract | undefined {
    const plugin = this.#parts[kind].get(name)?.part;
    if (!plugin) return undefined;
    return {
      args: plugin.args,
      argsCode: plugin.argsCode ?? 'bad_config',
      check: (args, config) => plugin.check?.(args, config),
    };
  }

  /** How many plugins there are, of all kinds. */
  get size(): number {
    return kinds.reduce((sum, kind) => sum + this.#parts[kind].size, 0);
  }

  names(kind: PluginKind): string[] {
    return [...this.#parts[kind].keys()];
  }

  /** @throws HiveError `plugins_error` if there is none of that name; so do the next three */
  hook(name: string): HookPlugin {
    return this.#parts.hook.get(name)?.part ?? this.#missing('hook', name);
  }

  action(name: string): ActionPlugin {
    return this.#parts.action.get(name)?.part ?? this.#missing('action', name);
  }

  connector(name: string): ConnectorPlugin {
    return this.#parts.connector.get(name)?.part ?? this.#missing('connector', name);
  }

  stateManager(name: string): StateManagerPlugin {
    return this.#parts.state_manager.get(name)?.part ?? this.#missing('state_manager', name);
  }

  #missing(kind: PluginKind, name: string): never {
    const meant = suggest(name, this.names(kind));
    const hint = meant === undefined ? '' : ` Did you mean ${meant}?`;
    const summary = `There is no such ${words(kind)}.`;
    throw new HiveError('plugins_error', `There is no ${words(kind)} named ${name}.${hint}`, { summary });
  }
}

function words(kind: PluginKind): string {
  return kind.replace('_', ' ');
}

export interface ProbedPool {
  readonly pool: string;
  /** Why its back end cannot be reached. */
  readonly error: HiveError | undefined;
}

/** Tries to reach the back end of every configured pool. The configuration must have been checked. */
export function probePools(config: Config, registry: PluginRegistry): Promise<ProbedPool[]> {
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
