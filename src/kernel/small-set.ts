/**
 * A set of what somebody mostly has none of, or one: an actor's links, who watches it, its timers and open calls. One value is
 * kept as it is, a few are in an array that has room for just them, only more take a Map, whose first entry alone is 200
 * bytes.
 *
 *   this.watchers = plus(this.watchers, watcher);      this.watchers = minus(this.watchers, watcher);
 */

/** Two of these are the same value if their texts are. */
export abstract class EqualByText {
  abstract toString(): string;
}

/** Values that are no arrays. */
export type Few<Value extends object | string> = Value | readonly Value[] | Many<Value> | undefined;

class Many<Value> extends Map<unknown, Value> {}

/** The longest array: looking through it takes no longer than a look into a map. */
const mostInArray = 4;

/** With that value; the set given is used up. */
export function plus<Value extends object | string>(few: Few<Value>, value: Value): Few<Value> {
  if (few === undefined) return value;
  return few instanceof Many ? few.set(keyOf(value), value) : joined(few, value);
}

function joined<Value extends object | string>(few: Value | readonly Value[], value: Value): Few<Value> {
  if (!isArray(few)) return keyOf(few) === keyOf(value) ? value : [few, value];
  const at = indexOf(few, value);
  if (at >= 0) return few.with(at, value);
  if (few.length < mostInArray) return few.concat([value]);
  const many = new Many<Value>();
  for (const one of few) many.set(keyOf(one), one);
  return many.set(keyOf(value), value);
}

/** Without that value, whether it was there or not; the set given is used up. */
export function minus<Value extends object | string>(few: Few<Value>, value: Value): Few<Value> {
  if (few === undefined) return undefined;
  if (few instanceof Many) return few.delete(keyOf(value)) && few.size === 0 ? undefined : few;
  return without(few, value);
}

function without<Value extends object | string>(few: Value | readonly Value[], value: Value): Few<Value> {
  if (!isArray(few)) return keyOf(few) === keyOf(value) ? undefined : few;
  const at = indexOf(few, value);
  if (at < 0) return few;
  return few.length === 2 ? few[1 - at] : few.toSpliced(at, 1);
}

export function has<Value extends object | string>(few: Few<Value>, value: Value): boolean {
  if (few === undefined) return false;
  if (few instanceof Many) return few.has(keyOf(value));
  return isArray(few) ? indexOf(few, value) >= 0 : keyOf(few) === keyOf(value);
}

/** How many there are. */
export function count<Value extends object | string>(few: Few<Value>): number {
  if (few === undefined) return 0;
  if (few instanceof Many) return few.size;
  return isArray(few) ? few.length : 1;
}

/** The present values, in the order in which they came. */
export function each<Value extends object | string>(few: Few<Value>): readonly Value[] {
  if (few === undefined) return [];
  if (few instanceof Many) return [...few.values()];
  return isArray(few) ? few : [few];
}

function isArray<Value extends object | string>(few: Value | readonly Value[]): few is readonly Value[] {
  return Array.isArray(few);
}

function indexOf<Value extends object | string>(values: readonly Value[], value: Value): number {
  const key = keyOf(value);
  for (let at = 0; at < values.length; at += 1) if (keyOf(values[at]!) === key) return at;
  return -1;
}

function keyOf(value: object | string): unknown {
  return value instanceof EqualByText ? value.toString() : value;
}
