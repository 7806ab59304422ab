/**
 * Checks values against schemas with ajv, fills in defaults, and says in words what does not fit. All violations are
 * found, not just the first.
 */
import { Ajv, type ErrorObject } from 'ajv';
import type { TSchema } from 'typebox';
import { textOf } from '../observe/thrown.ts';
import { pointerTo } from './json.ts';
import type { Finding } from './problem.ts';
import { suggest } from './suggest.ts';

/**
 * The pointer is that of the missing or unknown property itself. There is no value for a missing property, nor for an
 * unknown one: it might be a misspelt secret.
 */
export interface Violation extends Finding {
  /** The value has another shape than its type says, so that code must not rely on it. */
  readonly misshapen: boolean;
}

const ajv = new Ajv({ allErrors: true, useDefaults: true, verbose: true, keywords: ['patternErrorMessage'] });

/** Checks `value` and writes the schema's defaults into it. Throws if the schema itself is wrong. */
export function validate(schema: TSchema, value: unknown): Violation[] {
  const check = ajv.compile(schema);
  return check(value) ? [] : condense(check.errors ?? []).map(violation);
}

/** What keeps a schema from being used, in words; undefined if nothing does. */
export function schemaFault(schema: TSchema): string | undefined {
  try {
    ajv.compile(schema);
    return undefined;
  } catch (error) {
    return textOf(error);
  }
}

/**
 * A value that fits no alternative of a union gets errors from every alternative. Keeps those of the alternative that was
 * meant (same type, fewest errors), or if none fits by type, the union's own.
 */
function condense(errors: readonly ErrorObject[]): ErrorObject[] {
  // a value of the wrong type is not also out of range
  const mistyped = new Set(errors.filter(({ keyword }) => keyword === 'type').map(schemaOf));
  let kept = errors.filter((error) => error.keyword === 'type' || !mistyped.has(schemaOf(error)));
  for (const union of errors) {
    if ((union.keyword !== 'anyOf' && union.keyword !== 'oneOf') || !kept.includes(union)) continue;
    const prefix = `${union.schemaPath}/`;
    const branches = new Map<string, ErrorObject[]>();
    for (const error of kept) {
      if (!isWithin(error.instancePath, union.instancePath) || !error.schemaPath.startsWith(prefix)) continue;
      const branch = error.schemaPath.slice(prefix.length).split('/')[0]!;
      branches.set(branch, [...(branches.get(branch) ?? []), error]);
    }
    const meant = [...branches.values()]
      .filter(
        (branch) => !branch.some((error) => error.keyword === 'type' && error.instancePath === union.instancePath),
      )
      .sort((a, b) => a.length - b.length)[0];
    const dropped = new Set([...branches.values()].flat().filter((error) => !meant?.includes(error)));
    if (meant) dropped.add(union);
    kept = kept.filter((error) => !dropped.has(error));
  }
  return kept;
}

/** Identifies the value and the schema that it fails, whatever the keyword. */
function schemaOf({ instancePath, schemaPath }: ErrorObject): string {
  return `${instancePath} ${schemaPath.slice(0, schemaPath.lastIndexOf('/'))}`;
}

function isWithin(pointer: string, parent: string): boolean {
  return pointer === parent || pointer.startsWith(`${parent}/`);
}

function violation(error: ErrorObject): Violation {
  const { instancePath: pointer, keyword, params, parentSchema } = error;
  switch (keyword) {
    case 'required':
      return { pointer: pointerTo(pointer, params.missingProperty), reason: 'is missing', misshapen: true };
    case 'additionalProperties': {
      const key: string = params.additionalProperty;
      const suggestion = suggest(key, Object.keys(parentSchema?.properties ?? {}));
      return { pointer: pointerTo(pointer, key), reason: 'unknown key', suggestion, misshapen: false };
    }
    case 'uniqueItems': {
      const [first, again] = [Math.min(params.i, params.j), Math.max(params.i, params.j)];
      const reason = `repeats element ${first}`;
      return { pointer: pointerTo(pointer, again), reason, value: (error.data as unknown[])[again], misshapen: false };
    }
    case 'enum': {
      const allowed: unknown[] = params.allowedValues;
      const words = allowed.filter((word) => typeof word === 'string');
      const suggestion = typeof error.data === 'string' ? suggest(error.data, words) : undefined;
      const reason = `must be one of ${allowed.map((word) => JSON.stringify(word)).join(', ')}`;
      return { pointer, reason, value: error.data, suggestion, misshapen: typeof error.data !== 'string' };
    }
    default: {
      const misshapen = ['type', 'anyOf', 'oneOf'].includes(keyword);
      return { pointer, reason: reasonFor(error), value: error.data, misshapen };
    }
  }
}

function reasonFor({ keyword, params, schema, parentSchema, message }: ErrorObject): string {
  switch (keyword) {
    case 'type':
      return `must be ${typeWords([params.type].flat())}`;
    case 'anyOf':
    case 'oneOf':
      return `must be ${typeWords((schema as { type?: string }[]).map((branch) => branch.type ?? 'one of the alternatives'))}`;
    case 'const':
      return `must be ${JSON.stringify(params.allowedValue)}`;
    case 'minimum':
      return `must be at least ${params.limit}`;
    case 'maximum':
      return `must be at most ${params.limit}`;
    case 'minLength':
    case 'minItems':
    case 'minProperties':
      return params.limit === 1 ? 'must not be empty' : `must have at least ${params.limit} ${partsOf(keyword)}`;
    case 'maxLength':
    case 'maxItems':
    case 'maxProperties':
      return `must have at most ${params.limit} ${partsOf(keyword)}`;
    case 'pattern':
      return parentSchema?.patternErrorMessage ?? `must match ${params.pattern}`;
    default:
      return message ?? `fails ${keyword}`;
  }
}

function partsOf(keyword: string): string {
  if (keyword.endsWith('Length')) return 'characters';
  return keyword.endsWith('Items') ? 'elements' : 'members';
}

const words: Record<string, string> = {
  array: 'an array',
  boolean: 'true or false',
  integer: 'an integer',
  null: 'null',
  number: 'a number',
  object: 'an object',
  string: 'a string',
};

function typeWords(types: readonly string[]): string {
  return [...new Set(types.map((type) => words[type] ?? type))].join(' or ');
}
