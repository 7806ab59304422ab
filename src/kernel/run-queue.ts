/**
 * Which actors run next. Actors that have messages wait in a queue; one message of nact, an activation, runs all of them.
 *
 *   message ──▶ mailbox ──▶ queue: [ a | b | c ] ──▶ activation: a's slice, b's slice, c's slice, …
 *
 * Everybody queued at the beginning runs a slice, however long that takes, so that the work of one round of the event loop
 * is done before sockets bring more. Who is queued meanwhile, also by a promise that a slice has fulfilled, is run by
 * the same activation until its time is over: a chain of messages or calls does not cost a round of the event loop for each.
 *
 * Another node's messages do not wait for the activation that they bring about: when all that has come of them is in the
 * mailboxes, their actors run at once. What those send to clients leaves with the same round.
 */

/** What waits in the queue. Running it throws nothing. */
export interface Runnable {
  runSlice(): void;
}

/** Its round costs the event loop some µs, so a longer slice would bring nothing. */
const defaultSliceMs = 1;
/** Promises that lie between an answer and the next call, as a rule. Waiting for so many costs less than waiting for all. */
const defaultHops = 3;
/** Room of a queue that is kept when it has been served. */
const maxKeptSlots = 65_536;

export class RunQueue {
  readonly #activate: () => void;
  readonly #sliceMs: number;
  #queue: (Runnable | undefined)[] = [];
  #length = 0;
  /** Becomes the queue while the other is served. Both keep their room, so that nothing is allocated as a rule. */
  #spare: (Runnable | undefined)[] = [];
  /** Asked for, or under way. */
  #activated = false;
  #serving = false;

  /**
   * @param activate has nact run `activation` soon
   * @param sliceMs after so long the event loop goes on
   */
  constructor(activate: () => void, sliceMs = defaultSliceMs) {
    this.#activate = activate;
    this.#sliceMs = sliceMs;
  }

  add(actor: Runnable): void {
    this.#queue[this.#length] = actor;
    this.#length += 1;
    if (this.#activated) return;
    this.#activated = true;
    this.#activate();
  }

  /** Resolves when nobody is queued, or when the slice is over and the next activation has been asked for. */
  async activation(): Promise<void> {
    const end = performance.now() + this.#sliceMs;
    while (this.#length > 0) {
      this.#serve();
      for (let hops = defaultHops; hops > 0 && this.#length === 0; hops -= 1) await undefined;
      if (this.#length === 0) await promisesKept();
      if (performance.now() >= end) break;
    }
    this.#activated = this.#length > 0;
    if (this.#activated) this.#activate();
  }

  /** Serves who is queued now, and whom that puts queued, for a slice at most: not to be called in a turn. */
  runNow(): void {
    if (this.#length === 0 || this.#serving) return;
    const end = performance.now() + this.#sliceMs;
    do this.#serve();
    while (this.#length > 0 && performance.now() < end);
  }

  #serve(): void {
    this.#serving = true;
    const line = this.#queue;
    const length = this.#length;
    this.#queue = this.#spare;
    this.#length = 0;
    for (let i = 0; i < length; i += 1) {
      const actor = line[i]!;
      line[i] = undefined;
      try {
        actor.runSlice();
      } catch (error) {
        // The kernel's own fault: it ends the process, not silently the turns of everybody.
        setImmediate(() => {
          throw error;
        });
      }
    }
    this.#spare = line.length > maxKeptSlots ? [] : line;
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
