/**
 * Performs actions, first to last, and the actions of each in their configured order. The first failure ends the list; what
 * was done before stays done. Only actions that must be waited for make a promise.
 */
import { HiveError } from '../../observe/errors.ts';
import type { Action, ActionCall } from '../../plugins/types.ts';
import type { RunningClient } from './hooks-runner.ts';

export type ActionTable = ReadonlyMap<string, readonly Action[]>;

/** @throws HiveError `bad_internal_event` for a call of an action that is not configured, else what the action throws */
export function runActions(
  client: RunningClient,
  table: ActionTable,
  actions: readonly ActionCall[],
): void | Promise<void> {
  for (let at = 0; at < actions.length; at += 1) {
    const action = actions[at]!;
    const handlers = handlersOf(table, action);
    for (let next = 0; next < handlers.length; next += 1) {
      const pending = handlers[next]!.run(client, action);
      if (pending) return runRest(client, table, actions, at, next, pending);
    }
  }
}

async function runRest(
  client: RunningClient,
  table: ActionTable,
  actions: readonly ActionCall[],
  at: number,
  waiting: number,
  pending: Promise<void>,
): Promise<void> {
  await pending;
  let done = waiting + 1;
  for (const action of actions.slice(at)) {
    for (const handler of handlersOf(table, action).slice(done)) {
      if (!client.alive) return;
      await handler.run(client, action);
    }
    done = 0;
  }
}

function handlersOf(table: ActionTable, action: ActionCall): readonly Action[] {
  const handlers = table.get(action.action);
  if (handlers) return handlers;
  const json = JSON.stringify(action);
  const excerpt = json.length > 200 ? `${json.slice(0, 200)}…` : json;
  const summary = 'There is no such action';
  throw new HiveError('bad_internal_event', `There is no action ${action.action.slice(0, 40)}: ${excerpt}`, {
    summary,
  });
}
