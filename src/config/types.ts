/** The configuration as the rest of the server sees it: complete, valid and frozen. */
import type { Static } from 'typebox';
import type { sections } from './schema/sections.ts';

/** The sections as the schemas describe them; defaults are filled in, so only what truly may be absent is optional. */
export type Sections = { [Name in keyof typeof sections]: Static<(typeof sections)[Name]> };

/** What the loader computes from other values, so that it is always there. */
interface Completed {
  hive: {
    /** Full node name, `id@host`. */
    name: string;
    /** `hive.cluster_name` if not configured. */
    cluster_cookie: string;
  };
}

type DeepReadonly<Value> = Value extends object ? { readonly [Key in keyof Value]: DeepReadonly<Value[Key]> } : Value;

/** Times are milliseconds and sizes bytes unless a key's description says otherwise. File names are absolute. */
export type Config = DeepReadonly<Sections & Completed>;

export type SectionName = keyof Sections;
export type PoolDescriptor = Config['connectors']['pools'][string];
export type HookDescriptor = Config['clients']['hooks'][string][number];
