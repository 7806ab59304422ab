/** Argument schemas that several plugins share. */
import { Type } from 'typebox';
import { suggest } from '../config/suggest.ts';
import type { Config } from '../config/types.ts';
import type { Privilege, Refusal } from './types.ts';

/** For plugins without arguments: `null`, as in 2014 configurations; empty arrays and objects say the same. */
export const noArgs = Type.Union([
  Type.Null(),
  Type.Array(Type.Unknown(), { maxItems: 0 }),
  Type.Object({}, { additionalProperties: false }),
]);

/** A privilege; `null` means `public`. */
export const privilegeArg = Type.Unsafe<Privilege | null>({
  enum: ['public', 'private', null],
  description: 'Privilege of the caller: `private` opens every channel, `public` and null only public ones.',
});

/** The privilege that an argument means: the lower one, unless the higher one is written out. */
export function privilegeOf(arg: Privilege | null | undefined): Privilege {
  return arg === 'private' ? 'private' : 'public';
}

/** Refuses the name of a pool that is not configured, or is of another kind than the plugin can use. */
export function checkPool(
  args: { readonly connector: string },
  config: Config,
  connectors: readonly string[],
): Refusal | undefined {
  const { pools } = config.connectors;
  const pool = Object.hasOwn(pools, args.connector) ? pools[args.connector] : undefined;
  if (!pool) {
    const suggestion = suggest(args.connector, Object.keys(pools));
    const hint = suggestion === undefined ? {} : { suggestion };
    return { code: 'no_config', path: 'connector', reason: 'there is no pool of that name', ...hint };
  }
  if (connectors.includes(pool.connector)) return undefined;
  const kinds = connectors.join(' or ');
  return { code: 'bad_config', path: 'connector', reason: `the pool is a ${pool.connector}, not a ${kinds}` };
}
