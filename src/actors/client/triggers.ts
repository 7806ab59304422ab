/** What hooks are run for: events of the client, and the special events of its life. */
import type { DepartureAttempt, Trigger } from '../../plugins/types.ts';
import type { ClientEvent } from '../../protocol/packet.ts';
import type { CloseReason } from '../../web/client/client-handle.ts';

/** Events of the server: no client may send them, and no action may dispatch them. */
const specialEvents = ['on_connect', 'on_disconnect', 'on_terminate', 'on_suspend', 'on_recover'] as const;
export type SpecialEvent = (typeof specialEvents)[number];

export function isSpecialEvent(name: string): name is SpecialEvent {
  return name.startsWith('on_') && (specialEvents as readonly string[]).includes(name);
}

/** An event with its JSON text, which is made only if a hook wants it. */
export class EventTrigger implements Trigger {
  readonly event: ClientEvent;
  readonly #id: string | undefined;

  /** @param id where the event was dispatched: the trigger id of the order */
  constructor(event: ClientEvent, id?: string) {
    this.event = event;
    this.#id = id;
  }

  get name(): string {
    return this.event.name;
  }

  get id(): string {
    return this.#id ?? this.event.triggerId;
  }

  get json(): string {
    return `{"name":${JSON.stringify(this.event.name)},"args":${this.event.argsJson}}`;
  }
}

export const onConnect: Trigger = { name: 'on_connect', event: undefined, id: '', json: 'null' };

export function onDisconnect(reason: CloseReason, departure: DepartureAttempt): Trigger {
  return { name: 'on_disconnect', event: undefined, id: '', json: JSON.stringify(reason), departure };
}

/** The client has lost its connection and may return. */
export function onSuspend(reason: CloseReason): Trigger {
  return { name: 'on_suspend', event: undefined, id: '', json: JSON.stringify(reason) };
}

/** @param awayMs how long it was without a connection */
export function onRecover(awayMs: number): Trigger {
  return { name: 'on_recover', event: undefined, id: '', json: `{"away_ms":${awayMs}}` };
}

export function onTerminate(reason: string): Trigger {
  return { name: 'on_terminate', event: undefined, id: '', json: JSON.stringify(reason) };
}
