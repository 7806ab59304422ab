/** What hooks are run for: events of the client, and the special events of its life. */
import type { DepartureAttempt, Trigger } from '../../plugins/types.ts';
import type { ClientEvent } from '../../protocol/packet.ts';
import type { CloseReason } from '../../web/client/client-handle.ts';

/** Events of the server: no client may send them, and no action may dispatch them. */
export type SpecialEvent = 'on_connect' | 'on_disconnect' | 'on_terminate';

export function isSpecialEvent(name: string): name is SpecialEvent {
  return name === 'on_connect' || name === 'on_disconnect' || name === 'on_terminate';
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

export function onTerminate(reason: string): Trigger {
  return { name: 'on_terminate', event: undefined, id: '', json: JSON.stringify(reason) };
}
