/**
 * Performs orders, first to last, and the actions of each in their configured order. The first failure ends the list; what
 * was done before stays done. Only actions that must be waited for make a promise.
 */
import { HiveError } from '../../observe/errors.ts';
import type { Action, InternalEvent } from '../../plugins/types.ts';
import type { RunningClient } from './hooks-runner.ts';

export type ActionTable = ReadonlyMap<string, readonly Action[]>;

/** @throws HiveError `bad_internal_event` for an order that no action is configured for, else what the action throws */
export function performOrders(
  client: RunningClient,
  table: ActionTable,
  orders: readonly InternalEvent[],
): void | Promise<void> {
  for (let at = 0; at < orders.length; at += 1) {
    const order = orders[at]!;
    const actions = actionsOf(table, order);
    for (let next = 0; next < actions.length; next += 1) {
      const pending = actions[next]!.perform(client, order);
      if (pending) return performRest(client, table, orders, at, next, pending);
    }
  }
}

async function performRest(
  client: RunningClient,
  table: ActionTable,
  orders: readonly InternalEvent[],
  at: number,
  waiting: number,
  pending: Promise<void>,
): Promise<void> {
  await pending;
  let done = waiting + 1;
  for (const order of orders.slice(at)) {
    for (const action of actionsOf(table, order).slice(done)) {
      if (!client.alive) return;
      await action.perform(client, order);
    }
    done = 0;
  }
}

function actionsOf(table: ActionTable, order: InternalEvent): readonly Action[] {
  const actions = table.get(order.action);
  if (actions) return actions;
  const json = JSON.stringify(order);
  const excerpt = json.length > 200 ? `${json.slice(0, 200)}…` : json;
  const summary = 'There is no such action';
  throw new HiveError('bad_internal_event', `There is no action ${order.action.slice(0, 40)}: ${excerpt}`, { summary });
}
