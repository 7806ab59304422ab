/** The hooks of clients by event. Clients share one table until hooks are added to or removed from one of them. */
import type { NamedHook } from '../../plugins/types.ts';
import type { ClientMetrics, HookMetrics } from './metrics.ts';

/** The hooks of one event, and what counts and times them. */
export interface EventHooks extends HookMetrics {
  readonly hooks: readonly NamedHook[];
}

export type HookTable = ReadonlyMap<string, EventHooks>;

/** A new table with these hooks behind those of the old one. */
export function withHooks(
  table: HookTable,
  added: ReadonlyMap<string, readonly NamedHook[]>,
  metrics: ClientMetrics,
): HookTable {
  const grown = new Map(table);
  for (const [event, hooks] of added) {
    const present = table.get(event);
    const all = present ? [...present.hooks, ...hooks] : hooks;
    grown.set(event, { hooks: all, ...metrics.ofEvent(event) });
  }
  return grown;
}

/** A new table without the hooks of these events; the old one if it has none. */
export function withoutHooks(table: HookTable, events: readonly string[]): HookTable {
  if (!events.some((event) => table.has(event))) return table;
  const shrunk = new Map(table);
  for (const event of events) shrunk.delete(event);
  return shrunk;
}
