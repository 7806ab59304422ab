/**
 * `definePlugin` makes the default export of a plugin's module, and the built-in plugins.
 *
 * The keys of hooks, actions, connectors and state managers are the names that configurations use. Mistakes that TypeScript
 * would report are reported at run time too, for plugins that are written in JavaScript.
 */
import type { Static, TSchema } from 'typebox';
import type { PluginKind } from '../config/catalogue.ts';
import { suggest } from '../config/suggest.ts';
import { catalogue, HiveError } from '../observe/errors.ts';
import type { ActionPlugin, ConnectorPlugin, HookPlugin, StateManagerPlugin } from './types.ts';

type Schemas = Record<string, TSchema>;

/** The parts of a plugin by name. The type parameters are the schemas of their args, by the same names. */
export interface PluginParts<
  Hooks extends Schemas = Schemas,
  Actions extends Schemas = Schemas,
  Connectors extends Schemas = Schemas,
  StateManagers extends Schemas = Schemas,
> {
  readonly hooks?: { readonly [Name in keyof Hooks]: HookPlugin<Static<Hooks[Name]>, Hooks[Name]> };
  readonly actions?: { readonly [Name in keyof Actions]: ActionPlugin<Static<Actions[Name]>, Actions[Name]> };
  readonly connectors?: {
    readonly [Name in keyof Connectors]: ConnectorPlugin<Static<Connectors[Name]>, Connectors[Name]>;
  };
  readonly stateManagers?: {
    readonly [Name in keyof StateManagers]: StateManagerPlugin<Static<StateManagers[Name]>, StateManagers[Name]>;
  };
}

/** Tells plugins apart from other objects, also those that another copy of this module made. */
export const pluginMark = Symbol.for('hive.plugin');

/** What `definePlugin` returns: parts whose shape has been checked. */
export class Plugin {
  readonly [pluginMark] = true;
  readonly hooks: Readonly<Record<string, HookPlugin>>;
  readonly actions: Readonly<Record<string, ActionPlugin>>;
  readonly connectors: Readonly<Record<string, ConnectorPlugin>>;
  readonly stateManagers: Readonly<Record<string, StateManagerPlugin>>;

  constructor({ hooks = {}, actions = {}, connectors = {}, stateManagers = {} }: PluginParts) {
    this.hooks = hooks;
    this.actions = actions;
    this.connectors = connectors;
    this.stateManagers = stateManagers;
  }
}

/**
 * Makes a plugin.
 * @throws HiveError `plugins_error` that names the part with the wrong shape
 */
export function definePlugin<
  Hooks extends Schemas = Record<never, TSchema>,
  Actions extends Schemas = Record<never, TSchema>,
  Connectors extends Schemas = Record<never, TSchema>,
  StateManagers extends Schemas = Record<never, TSchema>,
>(parts: PluginParts<Hooks, Actions, Connectors, StateManagers>): Plugin {
  checkParts(parts);
  return new Plugin(parts as PluginParts);
}

/** Where the parts of each kind are. */
export const sectionOf = {
  hook: 'hooks',
  action: 'actions',
  connector: 'connectors',
  state_manager: 'stateManagers',
} as const satisfies Record<PluginKind, keyof PluginParts>;

/** The functions that each part must have, with a part of the right shape to begin with. */
const shapes: Record<keyof PluginParts, { readonly functions: readonly string[]; readonly example: string }> = {
  hooks: {
    functions: ['create'],
    example: `hooks: {
  'my.hook': {
    args: Type.Null(),
    create: (args, services) => async (client, trigger) => {},
  },
},`,
  },
  actions: {
    functions: ['create'],
    example: `actions: {
  'action.mine': {
    args: Type.Null(),
    create: (args, services) => ({ async run(client, call) {} }),
  },
},`,
  },
  connectors: {
    functions: ['create', 'probe'],
    example: `connectors: {
  'connector.mine': {
    args: Type.Object({}),
    async probe(args) {},
    create: ({ args, services }) => ({ worker: () => new MyWorker(args), close() {} }),
  },
},`,
  },
  stateManagers: {
    functions: ['create'],
    example: `stateManagers: {
  'sm.mine': {
    args: Type.Null(),
    create: (args, services) => ({ open: (sid, initial) => new MyStore(sid, initial) }),
  },
},`,
  },
};

function checkParts(parts: unknown): void {
  if (!isObject(parts)) throw misshapen('its parts', 'must be an object', 'hooks');
  for (const [key, section] of Object.entries(parts)) {
    if (!Object.hasOwn(shapes, key)) {
      const meant = suggest(key, Object.keys(shapes));
      throw misshapen(key, `unknown key${meant === undefined ? '' : ` (did you mean "${meant}"?)`}`);
    }
    const kind = key as keyof PluginParts;
    if (!isObject(section)) throw misshapen(key, 'must be an object with names as keys', kind);
    for (const [name, part] of Object.entries(section)) checkPart(`${key}["${name}"]`, part, kind);
  }
}

function checkPart(path: string, part: unknown, kind: keyof PluginParts): void {
  if (!isObject(part)) throw misshapen(path, 'must be an object', kind);
  if (!isObject(part.args)) throw misshapen(`${path}.args`, 'must be a schema', kind);
  for (const name of shapes[kind].functions) {
    if (typeof part[name] !== 'function') throw misshapen(`${path}.${name}`, 'must be a function', kind);
  }
  if (part.check !== undefined && typeof part.check !== 'function') {
    throw misshapen(`${path}.check`, 'must be a function');
  }
  if (part.argsCode !== undefined && !Object.hasOwn(catalogue, String(part.argsCode))) {
    throw misshapen(`${path}.argsCode`, 'must be a code of the error catalogue');
  }
}

/** @param kind whose shape is shown */
function misshapen(path: string, reason: string, kind?: keyof PluginParts): HiveError {
  const text = `definePlugin: ${path}: ${reason}`;
  if (!kind) return new HiveError('plugins_error', text);
  const example = `definePlugin({\n${shapes[kind].example}\n})`.replaceAll('\n', '\n  ').replace(/\n {2}\}\)$/, '\n})');
  return new HiveError('plugins_error', `${text}. The shape is:\n\n${example}\n`, { summary: text });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
