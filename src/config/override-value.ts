/** What the text of a variable or an option is as a value: what the schema of its place says. */
import { JsonSyntaxError, parseJson } from './json.ts';

/** The parts of JSON Schema that matter here; plugins may use more. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema | boolean;
}

/** The schemas that a union is made of, or the schema itself. */
export function alternatives(schema: Schema): readonly Schema[] {
  const parts = [schema.anyOf, schema.oneOf, schema.allOf].flatMap((list) => list ?? []);
  return parts.length === 0 ? [schema] : parts.flatMap(alternatives);
}

/** A value, or why the text is none. */
export type Parsed = { readonly value: unknown } | { readonly fault: string };

const numberForm = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * Text is a number, true, false or null where the schema has these; an array or object is written as JSON. What fits nothing
 * is the text itself, of which the schema's check then says what is wrong with it. Where the schema takes anything, text
 * stays text in the place of text, and else is read as JSON if it is that.
 */
export function parseValue(text: string, schema: Schema, present: unknown): Parsed {
  const types = typesOf(schema);
  if (types === undefined) return typeof present === 'string' ? { value: text } : anyValue(text);
  if (types.has('null') && text === 'null') return { value: null };
  if (types.has('boolean') && (text === 'true' || text === 'false')) return { value: text === 'true' };
  if ((types.has('number') || types.has('integer')) && numberForm.test(text)) return { value: Number(text) };
  const wantsJson = types.has('array') || types.has('object');
  if (wantsJson && /^\s*[[{]/.test(text)) return parsed(text);
  const wantsOther = types.has('string') || types.has('number') || types.has('integer') || types.has('boolean');
  if (wantsJson && !wantsOther) return { fault: `must be ${types.has('array') ? 'an array' : 'an object'}, as JSON` };
  return { value: text };
}

/** Undefined if it takes anything. */
function typesOf(schema: Schema): ReadonlySet<string> | undefined {
  const types = new Set<string>();
  for (const { type, enum: allowed, const: only } of alternatives(schema)) {
    const values = allowed ?? (only === undefined ? [] : [only]);
    const named = type === undefined ? values.map((value) => (value === null ? 'null' : typeof value)) : [type].flat();
    if (named.length === 0) return undefined;
    for (const name of named) types.add(name);
  }
  return types;
}

function anyValue(text: string): Parsed {
  const result = parsed(text);
  return 'fault' in result ? { value: text } : result;
}

/** The fault does not quote the text, which may be a secret. */
function parsed(text: string): Parsed {
  try {
    const { value, duplicates } = parseJson(text);
    return duplicates.length === 0 ? { value } : { fault: 'is JSON in which a key occurs twice' };
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    const { line, column } = error.position;
    return { fault: `is not JSON (line ${line}, column ${column})` };
  }
}
