/** The query of a call, read by its schema: whole numbers, flags, choices and texts. */
import type { TObject } from 'typebox';
import { HiveError } from '../../observe/errors.ts';

/** The parts of JSON Schema that the parameters use. */
interface Parameter {
  readonly type?: 'integer' | 'boolean' | 'string';
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
}

const code = 'bad_api_request';

/**
 * The parameters with their defaults; one without a value counts as absent.
 * @param what the call, for errors
 * @throws HiveError `bad_api_request` for a parameter that the call has not, or another value than it may have
 */
export function readQuery({ properties }: TObject, text: string, what: string): Record<string, unknown> {
  const parameters = Object.entries(properties as Readonly<Record<string, Parameter>>);
  const given = new URLSearchParams(text);
  for (const name of given.keys()) if (!Object.hasOwn(properties, name)) throw unknown(name, parameters, what);
  return Object.fromEntries(
    parameters.map(([name, parameter]) => {
      const value = given.get(name);
      return [name, value ? read(name, value, parameter) : parameter.default];
    }),
  );
}

function unknown(name: string, parameters: readonly (readonly [string, Parameter])[], what: string): HiveError {
  const known = parameters.map(([one]) => one).join(', ');
  return new HiveError(code, `${what} has no parameter ${name}${known && `; it has ${known}`}.`);
}

function read(name: string, text: string, { type, enum: choices, minimum = 0, maximum }: Parameter): unknown {
  if (type === 'boolean') return choiceOf(name, text, ['true', 'false']) === 'true';
  if (choices) return choiceOf(name, text, choices);
  if (type !== 'integer') return text;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= minimum && value <= (maximum ?? value)) return value;
  const range = maximum === undefined ? `of at least ${minimum}` : `from ${minimum} to ${maximum}`;
  throw new HiveError(code, `${name} must be a whole number ${range}, not ${text}.`);
}

function choiceOf(name: string, text: string, choices: readonly string[]): string {
  if (choices.includes(text)) return text;
  throw new HiveError(code, `${name} must be ${choices.join(' or ')}, not ${text}.`);
}
