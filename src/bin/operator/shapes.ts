/** Whether an answer has the form that Hive gives it: any web server may answer JSON. */

export type Shape<Value> = (value: unknown) => value is Value;

export const isText: Shape<string> = (value) => typeof value === 'string';
export const isNumber: Shape<number> = (value) => typeof value === 'number';

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function listOf<Value>(is: Shape<Value>): Shape<readonly Value[]> {
  return (value): value is readonly Value[] => Array.isArray(value) && value.every(is);
}

export function recordOf<Value>(is: Shape<Value>): Shape<Readonly<Record<string, Value>>> {
  return (value): value is Readonly<Record<string, Value>> => isRecord(value) && Object.values(value).every(is);
}

export function oneOf<const Value extends string>(...values: readonly Value[]): Shape<Value> {
  return (value): value is Value => values.some((one) => one === value);
}

/** An object that has these members, and maybe others. */
export function withMembers<Value extends object>(
  members: {
    readonly [Name in keyof Value]: Shape<Value[Name]>;
  },
): Shape<Value> {
  const wanted = Object.entries<Shape<unknown>>(members);
  return (value): value is Value =>
    isRecord(value) && wanted.every(([name, is]) => Object.hasOwn(value, name) && is(value[name]));
}
