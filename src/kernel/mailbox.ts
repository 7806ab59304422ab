/**
 * A queue of messages. One message is kept as it is; the second that has to wait brings a ring, which doubles when it is full and
 * goes when it has been emptied: neither an idle mailbox nor one that held a burst holds memory.
 *
 *   ring:  [ . | . | a | b | c | . | . | . ]     push at tail, shift at head, both masked by length - 1
 *                    ^head       ^tail
 */
const firstCapacity = 8;

class Ring {
  slots: unknown[] = new Array(firstCapacity).fill(undefined);
  head = 0;
}

export class Mailbox {
  /** The message, or the ring of several. */
  #content: unknown;
  length = 0;
  /** The most messages that ever waited here. */
  peak = 0;

  push(message: unknown): void {
    const { length } = this;
    if (length === 0) this.#content = message;
    else if (this.#content instanceof Ring) append(this.#content, length, message);
    else this.#content = ringOf(this.#content, message);
    this.length = length + 1;
    if (length >= this.peak) this.peak = length + 1;
  }

  /** The oldest message; call only while `length` is not 0. */
  shift(): unknown {
    const content = this.#content;
    this.length -= 1;
    if (this.length === 0) this.#content = undefined;
    if (!(content instanceof Ring)) return content;
    const { slots, head } = content;
    const message = slots[head];
    slots[head] = undefined;
    content.head = (head + 1) & (slots.length - 1);
    return message;
  }
}

function ringOf(first: unknown, second: unknown): Ring {
  const ring = new Ring();
  ring.slots[0] = first;
  ring.slots[1] = second;
  return ring;
}

function append(ring: Ring, length: number, message: unknown): void {
  if (length === ring.slots.length) {
    const wider = new Array(length * 2).fill(undefined);
    for (let i = 0; i < length; i += 1) wider[i] = ring.slots[(ring.head + i) & (length - 1)];
    ring.slots = wider;
    ring.head = 0;
  }
  ring.slots[(ring.head + length) & (ring.slots.length - 1)] = message;
}
