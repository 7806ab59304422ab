/**
 * Values that are given outside of the files, in this order, so that later ones win:
 *
 *   HIVE__SECTION__KEY=value       variables of the environment: keys in upper case, two underscores between them
 *   --set section.key=value        options of the command line: keys as they are in the file
 *
 * In a variable's name everything in a key but letters and digits is `_`: `HIVE__CONNECTORS__POOLS__HTTP_BACKEND__SIZE` is the
 * size of the pool `http.backend`.
 */

/** One value for one key. */
export interface Override {
  /** What errors call it: `HIVE__HIVE__PORT`, `--set hive.port`. */
  readonly origin: string;
  /** Its keys, section first, as the origin writes them. */
  readonly keys: string;
  readonly notation: Notation;
  /** The value, as it was typed. */
  readonly text: string;
}

/** How keys are written. */
export interface Notation {
  readonly separator: string;
  /** A key of the configuration as it is written here. */
  written(key: string): string;
  /** What an origin with these keys is called. */
  origin(keys: string): string;
  /** Values are never shown: they may be secrets. */
  readonly isSecret: boolean;
}

const prefix = 'HIVE__';

const inVariables: Notation = {
  separator: '__',
  written: (key) => key.toUpperCase().replace(/[^A-Z0-9]/g, '_'),
  origin: (keys) => prefix + keys,
  isSecret: true,
};

const inOptions: Notation = {
  separator: '.',
  written: (key) => key,
  origin: (keys) => `--set ${keys}`,
  isSecret: false,
};

/** Those of the environment; what holds others comes first. */
export function environmentOverrides(env: NodeJS.ProcessEnv): Override[] {
  const found: Override[] = [];
  for (const [origin, text] of Object.entries(env)) {
    if (!origin.startsWith(prefix) || text === undefined) continue;
    found.push({ origin, keys: origin.slice(prefix.length), notation: inVariables, text });
  }
  const depth = ({ keys }: Override): number => keys.split(inVariables.separator).length;
  return found.sort((a, b) => depth(a) - depth(b) || (a.keys < b.keys ? -1 : 1));
}

/** One of the command line, `section.key=value`; undefined if it is not of that form. */
export function optionOverride(setting: string): Override | undefined {
  const [, keys, text] = /^([^=]+)=(.*)$/s.exec(setting) ?? [];
  if (keys === undefined || text === undefined) return undefined;
  return { origin: inOptions.origin(keys), keys, notation: inOptions, text };
}
