/**
 * The relay actor of a node, registered as `hive_relay`: what other nodes send to the node's relay comes through its mailbox,
 * in order. What it needs belongs to the node (see `RelayService`), so its crash costs the open streams and nothing else.
 */
import { Actor } from '../../kernel/actor.ts';
import type { From } from '../../kernel/types.ts';
import { isRelayMessage, type RelayMessage } from '../../web/client/relay/messages.ts';
import type { RelayService } from './service.ts';

export class Relay extends Actor<RelayMessage> {
  readonly #service: RelayService;

  constructor(service: RelayService) {
    super();
    this.#service = service;
  }

  /** A refused message would leave a gap in a stream. What one stream may have under way is bounded in bytes. */
  override get mailboxLimit(): number {
    return Number.POSITIVE_INFINITY;
  }

  override init(): void {
    this.#service.started();
  }

  override admits(message: unknown): boolean {
    return isRelayMessage(message);
  }

  override refuse(message: unknown, from: From | undefined): void {
    if (from) super.refuse(message, from);
    else this.#service.refuse();
  }

  /** None of its messages is a call. */
  receive(message: RelayMessage, from: From | undefined): void {
    if (from) this.unexpected(message, from);
    else this.#service.receive(message);
  }
}
