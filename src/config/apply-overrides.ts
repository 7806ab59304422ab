/** Puts overrides into the sections they are for, before these are checked like any other value. */
import type { TSchema } from 'typebox';
import type { PluginKind } from './catalogue.ts';
import { pointerTo } from './json.ts';
import { alternatives, parseValue, type Schema } from './override-value.ts';
import type { Override } from './overrides.ts';
import type { Problem } from './problem.ts';
import type { Source } from './source.ts';
import { suggest } from './suggest.ts';

/** The schema of the args of a plugin; undefined if there is no such plugin. */
export type ArgsSchema = (kind: PluginKind, name: string) => TSchema | undefined;

/** Puts in those for `source`; those that cannot be are problems. @param section name of the section */
export function applyOverrides(
  overrides: readonly Override[],
  section: string,
  schema: TSchema,
  source: Source,
  argsSchema: ArgsSchema,
): Problem[] {
  const problems: Problem[] = [];
  for (const override of overrides) {
    const step = firstKey(override, override.keys, [section]);
    if (!step.known) continue;
    const problem = new Placing(override, source, argsSchema).place(
      { value: source.value, schema: schema as Schema },
      '',
      step.rest,
    );
    if (problem) problems.push(problem);
  }
  return problems;
}

/** Those that name no section. */
export function strayOverrides(overrides: readonly Override[], sections: readonly string[]): Problem[] {
  const problems: Problem[] = [];
  for (const override of overrides) {
    const { known, segment, rest } = firstKey(override, override.keys, sections);
    if (known) continue;
    const meant = suggest(segment, sections.map(override.notation.written));
    problems.push(unknown(override, 'unknown section', meant, '', rest, 'schema_not_found'));
  }
  return problems;
}

interface Step {
  /** The keys that may be meant: several where different ones are written alike. None: an unknown one. */
  readonly candidates: readonly string[];
  readonly known: string | undefined;
  /** What stands for the key. */
  readonly segment: string;
  /** What is behind it; undefined if it is the last. */
  readonly rest: string | undefined;
}

/** Takes one key off. A key may contain the separator: the longest that fits is meant. */
function firstKey({ notation }: Override, keys: string, among: Iterable<string>): Step {
  const { separator, written } = notation;
  let candidates: string[] = [];
  let longest = -1;
  for (const key of among) {
    const text = written(key);
    if (text.length < longest || (keys !== text && !keys.startsWith(text + separator))) continue;
    if (text.length > longest) candidates = [];
    longest = text.length;
    candidates.push(key);
  }
  const known = candidates[0];
  const end = known === undefined ? keys.indexOf(separator, 1) : longest;
  const segment = end < 0 ? keys : keys.slice(0, end);
  const rest = segment.length === keys.length ? undefined : keys.slice(segment.length + separator.length);
  return { candidates, known, segment, rest };
}

function unknown(
  { notation, origin }: Override,
  reason: string,
  meant: string | undefined,
  before: string,
  rest: string | undefined,
  code: Problem['code'] = 'invalid_config',
): Problem {
  const { separator } = notation;
  const suggestion = meant && notation.origin(before + meant + (rest === undefined ? '' : separator + rest));
  return { file: origin, path: '', code, reason, ...(suggestion ? { suggestion } : {}) };
}

interface Place {
  readonly value: unknown;
  readonly schema: Schema;
}

class Placing {
  readonly #override: Override;
  readonly #source: Source;
  readonly #argsSchema: ArgsSchema;

  constructor(override: Override, source: Source, argsSchema: ArgsSchema) {
    this.#override = override;
    this.#source = source;
    this.#argsSchema = argsSchema;
  }

  /** Puts the value at `keys` below a place that is there, or at the place itself. */
  place(at: Place, pointer: string, keys: string | undefined): Problem | undefined {
    if (keys === undefined) return this.#put(at, pointer);
    const { value, schema } = at;
    const isHolder = typeof value === 'object' && value !== null;
    if (!isHolder && value !== undefined && value !== null) return this.#fault(pointer, 'has no keys of its own');
    const children = childSchemas(schema);
    const present = isHolder ? Object.keys(value) : [];
    const step = firstKey(this.#override, keys, new Set([...children.named.keys(), ...present]));
    const { candidates, known, segment, rest } = step;
    if (known === undefined) return this.#unknownKey(keys, rest, segment, [...children.named.keys(), ...present]);
    if (candidates.length > 1) return this.#fault(pointer, `may mean each of ${candidates.join(', ')}`);
    const own: unknown = isHolder && Object.hasOwn(value, known) ? Reflect.get(value, known) : undefined;
    const below = this.#schemaOf(known, value, children);
    const next = pointerTo(pointer, known);
    if (!isHolder) this.#source.put(pointer, {});
    return this.place({ value: own, schema: below }, next, rest);
  }

  /** Args are what the plugin that is named beside them takes. */
  #schemaOf(key: string, holder: unknown, { named, others }: Children): Schema {
    if (key === 'args') {
      for (const kind of ['connector', 'hook', 'action', 'state_manager'] as const) {
        if (!named.has(kind)) continue;
        const name = Reflect.get(Object(holder), kind) ?? named.get(kind)?.default;
        const schema = typeof name === 'string' ? this.#argsSchema(kind, name) : undefined;
        return (schema ?? {}) as Schema;
      }
    }
    return named.get(key) ?? others;
  }

  #put({ value, schema }: Place, pointer: string): Problem | undefined {
    const { text, notation, origin } = this.#override;
    const parsed = parseValue(text, schema, value);
    if ('fault' in parsed) return this.#fault(pointer, parsed.fault);
    this.#source.put(pointer, parsed.value, { name: origin, ...(notation.isSecret ? { secret: text } : {}) });
    return undefined;
  }

  #fault(pointer: string, reason: string): Problem {
    const { position: _, ...problem } = this.#source.problem('invalid_config', { pointer, reason });
    return { ...problem, file: this.#override.origin };
  }

  #unknownKey(keys: string, rest: string | undefined, segment: string, known: readonly string[]): Problem {
    const { keys: all, notation } = this.#override;
    const meant = suggest(segment, known.map(notation.written));
    return unknown(this.#override, 'unknown key', meant, all.slice(0, all.length - keys.length), rest);
  }
}

interface Children {
  readonly named: ReadonlyMap<string, Schema>;
  /** Of the keys that have no schema of their own. */
  readonly others: Schema;
}

function childSchemas(schema: Schema): Children {
  const named = new Map<string, Schema>();
  let others: Schema = {};
  for (const { properties, additionalProperties, items } of alternatives(schema)) {
    for (const [key, child] of Object.entries(properties ?? {})) named.set(key, child);
    for (const rest of [additionalProperties, items]) if (typeof rest === 'object') others = rest;
  }
  return { named, others };
}
