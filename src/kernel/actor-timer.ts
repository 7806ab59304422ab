/** A message that an actor gets from itself, later. */
import type { Cell } from './cell.ts';
import { minus } from './few.ts';
import { Timer } from './timers.ts';

export class ActorTimer<Message> extends Timer {
  readonly #cell: Cell<Message>;
  readonly #message: Message;
  constructor(cell: Cell<Message>, message: Message) {
    super();
    this.#cell = cell;
    this.#message = message;
  }
  override expire(): void {
    this.#cell.timers = minus<Timer>(this.#cell.timers, this);
    this.#cell.tell(this.#message);
  }
  override cancel(): void {
    super.cancel();
    this.#cell.timers = minus<Timer>(this.#cell.timers, this);
  }
}
