/**
 * A set of what an actor mostly has none of, or one: links, who watches it, timers, open calls. One value is kept as it is,
 * only more take a Map, whose first entry alone is 200 bytes. References to the same actor of another node count as one.
 *
 *   this.watchers = plus(this.watchers, watcher);      this.watchers = minus(this.watchers, watcher);
 */
import { RemoteRef } from './remote-ref.ts';

export type Few<Value extends object> = Value | Many<Value> | undefined;

class Many<Value> extends Map<unknown, Value> {}

/** With that value; the set given is used up. */
export function plus<Value extends object>(few: Few<Value>, value: Value): Few<Value> {
  if (few instanceof Many) return few.set(keyOf(value), value);
  if (few === undefined || keyOf(few) === keyOf(value)) return value;
  return new Many<Value>().set(keyOf(few), few).set(keyOf(value), value);
}

/** Without that value, whether it was there or not; the set given is used up. */
export function minus<Value extends object>(few: Few<Value>, value: Value): Few<Value> {
  if (few instanceof Many) return few.delete(keyOf(value)) && few.size === 0 ? undefined : few;
  return few !== undefined && keyOf(few) === keyOf(value) ? undefined : few;
}

export function has<Value extends object>(few: Few<Value>, value: Value): boolean {
  if (few instanceof Many) return few.has(keyOf(value));
  return few !== undefined && keyOf(few) === keyOf(value);
}

/** The present values, in the order in which they came. */
export function each<Value extends object>(few: Few<Value>): readonly Value[] {
  if (few instanceof Many) return [...few.values()];
  return few === undefined ? [] : [few];
}

function keyOf(value: object): unknown {
  return value instanceof RemoteRef ? value.toString() : value;
}
