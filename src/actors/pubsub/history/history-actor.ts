/** `hive_history`: takes what other nodes send about channels with a history. All that is known is in the node's `Histories`. */
import { Actor } from '../../../kernel/actor.ts';
import type { From } from '../../../kernel/types.ts';
import type { Histories } from './history.ts';
import { type HistoryMessage, isHistoryMessage } from './wire-messages.ts';

export class HistoryActor extends Actor<HistoryMessage> {
  readonly #histories: Histories;

  constructor(histories: Histories) {
    super();
    this.#histories = histories;
  }

  override init(): void {
    this.#histories.started();
  }

  override admits(message: unknown): boolean {
    return isHistoryMessage(message);
  }

  receive(message: HistoryMessage, from: From | undefined): void {
    const histories = this.#histories;
    switch (message.type) {
      case 'append':
        return answer(from, histories.append(message));
      case 'confirmed':
        return histories.confirmed(message);
      case 'read':
        return answer(from, histories.readHere(message.channel, message.query));
      case 'clear':
        return answer(from, histories.clearHere(message.channel));
      case 'moved':
        histories.moved(message);
        return from?.reply(undefined);
      case 'leaving':
        histories.leaves(message.node);
        return from?.reply(undefined);
      default:
        this.unexpected(message, from);
    }
  }
}

function answer(from: From | undefined, result: Promise<unknown>): void {
  result.then(
    (value) => from?.reply(value),
    (error: unknown) => from?.fail(error),
  );
}
