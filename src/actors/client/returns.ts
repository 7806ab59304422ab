/** What is said of a client that has come, has lost its connection or its node, or has returned: counted, published as events, told to hooks. */
import type { Ref } from '../../kernel/types.ts';
import { type ClientOfEvent, events } from '../../observe/events.ts';
import type { Trigger } from '../../plugins/types.ts';
import type { ClientProtocol, CloseReason, TransportKind } from '../../web/client/client-handle.ts';
import type { ClientServices } from './client-services.ts';
import type { PluginClient } from './plugin-client.ts';
import type { Adopted } from './session-record.ts';
import { onRecover, onSuspend } from './triggers.ts';

/** A moment of a client's life that hooks may run for. */
export interface LifeEvent {
  readonly type: 'life';
  readonly trigger: Trigger;
}

interface Announcer {
  /** One that has ended is told nothing any more. */
  readonly alive: boolean;
  readonly self: Ref<LifeEvent>;
  /** With what all its events begin. */
  readonly whose: ClientOfEvent;
}

export function announceConnect(actor: Announcer, protocol: ClientProtocol, transport?: TransportKind): void {
  if (!events.connect.hasSubscribers) return;
  events.connect.publish({ ...actor.whose, protocol, transport: transport ?? 'none' });
}

export function announceSuspension(
  { alive, self, whose }: Announcer,
  { hooks }: PluginClient,
  reason: CloseReason,
  { metrics }: ClientServices,
): void {
  metrics.recovery.suspended.value += 1;
  if (events.suspend.hasSubscribers) events.suspend.publish({ ...whose, reason });
  if (alive && hooks.has('on_suspend')) self.tell({ type: 'life', trigger: onSuspend(reason) });
}

export function announceAdoption({ whose }: Announcer, { from, epoch }: Adopted): void {
  if (events.adopt.hasSubscribers) events.adopt.publish({ ...whose, from, epoch });
}

export interface Return {
  readonly transport: TransportKind;
  readonly awayMs: number;
  /** Events with which it was caught up. */
  readonly missed: number;
}

export function announceReturn(
  actor: Announcer,
  { hooks }: PluginClient,
  returned: Return,
  { metrics }: ClientServices,
): void {
  const { awayMs, missed } = returned;
  metrics.returned(awayMs, missed);
  if (events.recover.hasSubscribers) events.recover.publish({ ...actor.whose, ...returned });
  if (actor.alive && hooks.has('on_recover')) actor.self.tell({ type: 'life', trigger: onRecover(awayMs) });
}
