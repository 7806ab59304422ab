/** `hive_presence`: takes what other nodes tell of who is in which channels. All that is known is in the node's `PresenceService`. */
import { Actor } from '../../../kernel/actor.ts';
import type { PresenceService } from './presence.ts';
import { isPresenceMessage, type PresenceMessage } from './wire-messages.ts';

export class PresenceActor extends Actor<PresenceMessage> {
  readonly #presence: PresenceService;

  constructor(presence: PresenceService) {
    super();
    this.#presence = presence;
  }

  override init(): void {
    this.#presence.started();
  }

  override admits(message: unknown): boolean {
    return isPresenceMessage(message);
  }

  receive(message: PresenceMessage): void {
    this.#presence.take(message);
  }
}
