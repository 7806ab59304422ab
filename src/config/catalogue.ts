/**
 * What the configuration must know of plugins to check the arguments given to them. Plugins live in a higher layer; they
 * hand their knowledge in through this interface.
 */
import type { TSchema } from 'typebox';
import type { ErrorCode } from '../observe/errors.ts';
import { type Problem, problemAt } from './problem.ts';
import type { Config } from './types.ts';
import { type Violation, validate } from './validate.ts';

export type PluginKind = 'hook' | 'action' | 'connector' | 'state_manager';

/** Why a plugin refuses its args. */
export interface Refusal {
  readonly code: ErrorCode;
  /** Dotted path inside the args. */
  readonly path?: string;
  /** It must not quote secrets. */
  readonly reason: string;
  /** The known word that is most like the one that is wrong. */
  readonly suggestion?: string;
}

export interface PluginContract {
  /**
   * Schema of `args`. Its defaults are filled in, so a property with a default need not be `Type.Optional`. Inside unions
   * there can be no defaults: the schema is then refused when it is first used.
   */
  readonly args: TSchema;
  /** Code of a violation of that schema. */
  readonly argsCode: ErrorCode;
  /**
   * What a schema cannot say, e.g. that the named pool exists. Called with args that fit the schema.
   */
  check?(args: unknown, config: Config): Refusal | undefined;
}

export interface PluginCatalogue {
  find(kind: PluginKind, name: string): PluginContract | undefined;
  names(kind: PluginKind): string[];
}

/** What the modules of section `plugins` make of the catalogue. */
export interface Imported<Catalogue extends PluginCatalogue> {
  /** The plugins that come with Hive and those of all modules that could be used. */
  readonly catalogue: Catalogue;
  /** The modules that cannot be used. */
  readonly faults: readonly { readonly index: number; readonly reason: string }[];
}

/**
 * Imports modules with plugins. Names that start with `/` are files, others are packages.
 * @param directory where packages are looked for first
 */
export type ImportPlugins<Catalogue extends PluginCatalogue> = (
  modules: readonly string[],
  directory: string,
) => Promise<Imported<Catalogue>>;

/**
 * Checks args against a contract's schema. Returns a copy that is completed with the schema's defaults, and what does not
 * fit, with pointers relative to the args.
 */
export function checkArgs(contract: PluginContract, args: unknown): { args: unknown; violations: Violation[] } {
  const copy = structuredClone(args);
  return { args: copy, violations: validate(contract.args, copy) };
}

/**
 * The same for a descriptor that arrives at run time (`action.add_hooks`, `action.start_connectors`). `path` is what
 * problems call the descriptor; `.args` and the key are appended.
 */
export function validateArgs(
  contract: PluginContract,
  args: unknown,
  path: string,
): { args: unknown; problems: Problem[] } {
  const checked = checkArgs(contract, args);
  const place = { path: `${path}.args`, root: args };
  return {
    args: checked.args,
    problems: checked.violations.map((violation) => problemAt(place, contract.argsCode, violation)),
  };
}
