/** A message that an actor gets from itself, later. */
import { type SmallSet, withoutValue } from './small-set.ts';
import { Timer } from './timers.ts';

/** The actor that has timers. */
export interface TimerOwner<Message> {
  timers: SmallSet<Timer>;
  tellSelf(message: Message): void;
}

export class ActorTimer<Message> extends Timer {
  readonly #owner: TimerOwner<Message>;
  readonly #message: Message;
  constructor(owner: TimerOwner<Message>, message: Message) {
    super();
    this.#owner = owner;
    this.#message = message;
  }
  override expire(): void {
    this.#owner.timers = withoutValue<Timer>(this.#owner.timers, this);
    this.#owner.tellSelf(this.#message);
  }
  override cancel(): void {
    super.cancel();
    this.#owner.timers = withoutValue<Timer>(this.#owner.timers, this);
  }
}
