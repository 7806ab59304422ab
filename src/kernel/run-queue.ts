/**
 * Whose turn it is. Actors that have letters wait in line; one message of nact, an activation, serves all who wait.
 *
 *   letter ──▶ mailbox ──▶ line: [ a | b | c ] ──▶ activation: a's turn, b's turn, c's turn, …
 *
 * Everybody in line at the beginning gets a turn, however long that takes, so that the work of one round of the event loop
 * is done before sockets bring more. Who gets in line meanwhile, also by a promise that a turn has fulfilled, is served by
 * the same activation until its slice is over: a chain of letters or calls does not cost a round of the event loop for each.
 *
 * Another node's letters do not wait for the activation that they bring about: when all that has come of them is in the
 * mailboxes, their actors have their turns at once. What those send to clients leaves with the same round.
 */

/** What waits in line. Its turn throws nothing. */
export interface Ready {
  turn(): void;
}

/** Its round costs the event loop some µs, so a longer slice would bring nothing. */
const usualSliceMs = 1;
/** Promises that lie between an answer and the next call, as a rule. Waiting for so many costs less than waiting for all. */
const usualHops = 3;
/** Room of a line that is kept when it has been served. */
const keptRoom = 65_536;

export class Turns {
  readonly #activate: () => void;
  readonly #sliceMs: number;
  #line: (Ready | undefined)[] = [];
  #length = 0;
  /** Becomes the line while the other is served. Both keep their room, so that nothing is allocated as a rule. */
  #spare: (Ready | undefined)[] = [];
  /** Asked for, or under way. */
  #activated = false;
  #serving = false;

  /**
   * @param activate has nact run `activation` soon
   * @param sliceMs after so long the event loop has its turn
   */
  constructor(activate: () => void, sliceMs = usualSliceMs) {
    this.#activate = activate;
    this.#sliceMs = sliceMs;
  }

  add(actor: Ready): void {
    this.#line[this.#length] = actor;
    this.#length += 1;
    if (this.#activated) return;
    this.#activated = true;
    this.#activate();
  }

  /** Resolves when nobody is in line, or when the slice is over and the next activation has been asked for. */
  async activation(): Promise<void> {
    const end = performance.now() + this.#sliceMs;
    while (this.#length > 0) {
      this.#serve();
      for (let hops = usualHops; hops > 0 && this.#length === 0; hops -= 1) await undefined;
      if (this.#length === 0) await promisesKept();
      if (performance.now() >= end) break;
    }
    this.#activated = this.#length > 0;
    if (this.#activated) this.#activate();
  }

  /** Serves who is in line now, and whom that puts in line, for a slice at most: not to be called in a turn. */
  hurry(): void {
    if (this.#length === 0 || this.#serving) return;
    const end = performance.now() + this.#sliceMs;
    do this.#serve();
    while (this.#length > 0 && performance.now() < end);
  }

  #serve(): void {
    this.#serving = true;
    const line = this.#line;
    const length = this.#length;
    this.#line = this.#spare;
    this.#length = 0;
    for (let i = 0; i < length; i += 1) {
      const actor = line[i]!;
      line[i] = undefined;
      try {
        actor.turn();
      } catch (error) {
        // The kernel's own fault: it ends the process, not silently the turns of everybody.
        setImmediate(() => {
          throw error;
        });
      }
    }
    this.#spare = line.length > keptRoom ? [] : line;
    this.#serving = false;
  }
}

/** Resolves when what is due has been done with all promises that are kept. */
function promisesKept(): Promise<void> {
  return new Promise(afterMicrotasks);
}

function afterMicrotasks(resolve: () => void): void {
  queueMicrotask(() => process.nextTick(resolve));
}
