/**
 * `definePlugin`: what the default export of a plugin's module is made with, and what the built-in plugins are made with.
 *
 * Hooks, actions, connectors and state managers stand under the names by which configurations call them. What TypeScript finds
 * in a misshapen one is found at run time too, for plugins that are written in JavaScript.
 */
import type { Static, TSchema } from 'typebox';
import type { PluginKind } from '../config/catalogue.ts';
import { suggest } from '../config/suggest.ts';
import { catalogue, HiveError } from '../observe/errors.ts';
import type { ActionPlugin, ConnectorPlugin, HookPlugin, StateManagerPlugin } from './types.ts';

type Schemas = Record<string, TSchema>;

/** All by name. The parameters are the schemas of the args, by the same names. */
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

/** What `definePlugin` returns: parts of good shape. */
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
 * @throws HiveError `plugins_error` that names the part which has not the shape that its type says
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

/** The functions that each part must have. */
const functions: Record<keyof PluginParts, readonly string[]> = {
  hooks: ['create'],
  actions: ['create'],
  connectors: ['create', 'probe'],
  stateManagers: ['create'],
};

function checkParts(parts: unknown): void {
  if (!isObject(parts)) throw misshapen('its parts', 'must be an object');
  for (const [key, section] of Object.entries(parts)) {
    if (!Object.hasOwn(functions, key)) {
      const meant = suggest(key, Object.keys(functions));
      throw misshapen(key, `unknown key${meant === undefined ? '' : ` (did you mean "${meant}"?)`}`);
    }
    if (!isObject(section)) throw misshapen(key, 'must be an object with names as keys');
    for (const [name, part] of Object.entries(section)) {
      checkPart(`${key}["${name}"]`, part, functions[key as keyof PluginParts]);
    }
  }
}

function checkPart(path: string, part: unknown, required: readonly string[]): void {
  if (!isObject(part)) throw misshapen(path, 'must be an object');
  if (!isObject(part.args)) throw misshapen(`${path}.args`, 'must be a schema');
  for (const name of required) {
    if (typeof part[name] !== 'function') throw misshapen(`${path}.${name}`, 'must be a function');
  }
  if (part.check !== undefined && typeof part.check !== 'function') {
    throw misshapen(`${path}.check`, 'must be a function');
  }
  if (part.argsCode !== undefined && !Object.hasOwn(catalogue, String(part.argsCode))) {
    throw misshapen(`${path}.argsCode`, 'must be a code of the error catalogue');
  }
}

function misshapen(path: string, reason: string): HiveError {
  return new HiveError('plugins_error', `definePlugin: ${path}: ${reason}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
