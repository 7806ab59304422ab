/**
 * What the user has said and nobody has heard yet. It is said again after a return, for a message that was under way when the
 * connection was lost may have arrived or not. The page gives each message an id, under which the back end and the other pages know it.
 */

const CATCH_UP_MS = 300; // after a return, for our own messages among what we have missed
const REPEAT_MS = 3000; // while a back end is away

export class Outbox {
  #waiting = new Map(); // id -> message, in the order in which they were said
  #say;
  #changed;
  #timer; // until all of it is said again
  #isOpen = false;
  #stem = crypto.getRandomValues(new Uint32Array(4)).join('-');
  #count = 0;

  /** `say(message)` sends one, `changed()` is told when others wait than before. */
  constructor(say, changed) {
    this.#say = say;
    this.#changed = changed;
  }

  add(room, text) {
    this.#count += 1;
    const message = { room, text, id: `${this.#stem}-${this.#count}` };
    this.#waiting.set(message.id, message);
    // Otherwise it waits behind what was said before the connection was lost.
    if (this.#isOpen) {
      this.#say(message);
      this.#timer ??= setTimeout(() => this.#sayAll(), REPEAT_MS);
    }
    this.#changed();
  }

  /** What waits in a room. */
  texts(room) {
    return [...this.#waiting.values()].filter((message) => message.room === room).map(({ text }) => text);
  }

  /** It has been heard, or refused. */
  remove(id) {
    if (this.#waiting.delete(id)) this.#changed();
  }

  /** The session can speak. */
  open() {
    this.close();
    if (this.#waiting.size === 0) this.#isOpen = true;
    else this.#timer = setTimeout(() => this.#sayAll(), CATCH_UP_MS);
  }

  close() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isOpen = false;
  }

  #sayAll() {
    this.#isOpen = true;
    for (const message of this.#waiting.values()) this.#say(message);
    this.#timer = this.#waiting.size > 0 ? setTimeout(() => this.#sayAll(), REPEAT_MS) : undefined;
  }
}
