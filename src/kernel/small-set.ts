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
export type SmallSet<Value extends object | string> = Value | readonly Value[] | ManyValues<Value> | undefined;

class ManyValues<Value> extends Map<unknown, Value> {}

/** The longest array: looking through it takes no longer than a look into a map. */
const maxInArray = 4;

/** With that value; the set given is used up. */
export function withValue<Value extends object | string>(set: SmallSet<Value>, value: Value): SmallSet<Value> {
  if (set === undefined) return value;
  return set instanceof ManyValues ? set.set(keyOf(value), value) : withOneOf(set, value);
}

function withOneOf<Value extends object | string>(set: Value | readonly Value[], value: Value): SmallSet<Value> {
  if (!isArray(set)) return keyOf(set) === keyOf(value) ? value : [set, value];
  const at = indexOf(set, value);
  if (at >= 0) return set.with(at, value);
  if (set.length < maxInArray) return set.concat([value]);
  const many = new ManyValues<Value>();
  for (const one of set) many.set(keyOf(one), one);
  return many.set(keyOf(value), value);
}

/** Without that value, whether it was there or not; the set given is used up. */
export function withoutValue<Value extends object | string>(set: SmallSet<Value>, value: Value): SmallSet<Value> {
  if (set === undefined) return undefined;
  if (set instanceof ManyValues) return set.delete(keyOf(value)) && set.size === 0 ? undefined : set;
  return withoutIn(set, value);
}

function withoutIn<Value extends object | string>(set: Value | readonly Value[], value: Value): SmallSet<Value> {
  if (!isArray(set)) return keyOf(set) === keyOf(value) ? undefined : set;
  const at = indexOf(set, value);
  if (at < 0) return set;
  return set.length === 2 ? set[1 - at] : set.toSpliced(at, 1);
}

export function hasValue<Value extends object | string>(set: SmallSet<Value>, value: Value): boolean {
  if (set === undefined) return false;
  if (set instanceof ManyValues) return set.has(keyOf(value));
  return isArray(set) ? indexOf(set, value) >= 0 : keyOf(set) === keyOf(value);
}

/** How many there are. */
export function count<Value extends object | string>(set: SmallSet<Value>): number {
  if (set === undefined) return 0;
  if (set instanceof ManyValues) return set.size;
  return isArray(set) ? set.length : 1;
}

/** The present values, in the order in which they came. */
export function valuesOf<Value extends object | string>(set: SmallSet<Value>): readonly Value[] {
  if (set === undefined) return [];
  if (set instanceof ManyValues) return [...set.values()];
  return isArray(set) ? set : [set];
}

function isArray<Value extends object | string>(set: Value | readonly Value[]): set is readonly Value[] {
  return Array.isArray(set);
}

function indexOf<Value extends object | string>(values: readonly Value[], value: Value): number {
  const key = keyOf(value);
  for (let at = 0; at < values.length; at += 1) if (keyOf(values[at]!) === key) return at;
  return -1;
}

function keyOf(value: object | string): unknown {
  return value instanceof EqualByText ? value.toString() : value;
}
