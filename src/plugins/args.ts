/** Argument schemas that several plugins share. */
import { type Static, Type } from 'typebox';
import { strictObject } from '../config/schema/fields.ts';
import { suggest } from '../config/suggest.ts';
import type { Config } from '../config/types.ts';
import { maxReplay } from './history-store.ts';
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

/** Of what subscribes: a privilege, or one together with how much of the channels' histories comes first. */
export const subscribeArg = Type.Union([
  privilegeArg,
  strictObject({
    privilege: Type.Optional(privilegeArg),
    replay: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: maxReplay,
        description: 'So many of the last publications of each channel with a history come first.',
      }),
    ),
  }),
]);

export type SubscribeArg = Static<typeof subscribeArg>;

export function subscribeArgOf(arg: SubscribeArg): { readonly privilege: Privilege; readonly replay: number } {
  if (typeof arg !== 'object' || arg === null) return { privilege: privilegeOf(arg), replay: 0 };
  return { privilege: privilegeOf(arg.privilege), replay: arg.replay ?? 0 };
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
