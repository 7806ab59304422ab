/**
 * Runs the hooks of one event in order. The first that fails ends the list; what was sent before stays sent. Without a hook
 * that must be waited for, everything happens in the caller's turn and no promise is made.
 */
import { events } from '../../observe/events.ts';
import type { Client, Trigger } from '../../plugins/types.ts';
import type { EventHooks } from './hook-table.ts';
import type { ClientMetrics } from './metrics.ts';
import { shortSid } from './public-error.ts';

/** A client that can be seen to have ended while one of its hooks waited. */
export type RunningClient = Client & {
  readonly alive: boolean;
  readonly node: string;
  readonly namespace: string;
  /** Which hook of its list has failed last: so many before it were done. */
  failedHook: number;
};

/** @param from the hook to begin with */
export function runHooks(
  client: RunningClient,
  event: EventHooks,
  trigger: Trigger,
  metrics: ClientMetrics,
  from = 0,
): void | Promise<void> {
  const { hooks, latency } = event;
  const begun = latency.begin();
  for (let at = from; at < hooks.length; at += 1) {
    let pending: void | Promise<void>;
    try {
      pending = run(at, client, event, trigger, metrics);
    } catch (error) {
      client.failedHook = at;
      countFailure(event, metrics);
      latency.passed(begun);
      throw error;
    }
    if (pending) return runRest(client, event, trigger, metrics, latency.waiting(begun), at, pending);
  }
  latency.passed(begun);
}

async function runRest(
  client: RunningClient,
  event: EventHooks,
  trigger: Trigger,
  metrics: ClientMetrics,
  begun: number,
  waiting: number,
  pending: Promise<void>,
): Promise<void> {
  const { hooks } = event;
  let at = waiting;
  try {
    await pending;
    for (at += 1; at < hooks.length; at += 1) {
      if (!client.alive) return;
      await run(at, client, event, trigger, metrics);
    }
  } catch (error) {
    client.failedHook = at;
    countFailure(event, metrics);
    throw error;
  } finally {
    // One that was cut off, because its client has ended, tells nothing about hooks.
    if (client.alive) event.latency.waited(begun);
  }
}

function run(
  at: number,
  client: RunningClient,
  event: EventHooks,
  trigger: Trigger,
  metrics: ClientMetrics,
): void | Promise<void> {
  metrics.hookCalls.value += 1;
  event.calls.value += 1;
  if (events.hook.hasSubscribers) return traced(at, client, event, trigger);
  const { run } = event.hooks[at]!;
  return run(client, trigger);
}

function traced(
  position: number,
  client: RunningClient,
  { hooks }: EventHooks,
  trigger: Trigger,
): void | Promise<void> {
  const { plugin, run } = hooks[position]!;
  const { node, sid, namespace } = client;
  return events.hook.run(
    {
      node,
      sid: shortSid(sid),
      namespace,
      event: trigger.name,
      hook: plugin,
      position,
      waits: false,
      error: undefined,
    },
    () => run(client, trigger),
  );
}

function countFailure(event: EventHooks, metrics: ClientMetrics): void {
  metrics.hookErrors.value += 1;
  event.errors.value += 1;
}
