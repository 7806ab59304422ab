/**
 * Answers to wrong keys. The first ones of an address are answered at once, as people mistype; whoever goes on trying waits
 * for each. The right key is never held up: back ends may share their address with others.
 */
import { defer, type HttpResponse } from './http.ts';

/** How many of an address are answered at once in `windowMs`. */
const maxQuick = 20;
const windowMs = 10_000;
const delayMs = 1000;
/** Addresses that are known at a time; all further ones wait. */
const maxAddresses = 10_000;
/** Answers that wait at a time; further ones do not, and close their connections. */
const maxWaiting = 1000;

/** Calls back once when so many ms are over. */
type Schedule = (ms: number, callback: () => void) => unknown;

export class WrongKeys {
  readonly #schedule: Schedule;
  readonly #tries = new Map<string, number>();
  #waiting = 0;

  constructor(schedule: Schedule = (ms, callback) => setTimeout(callback, ms).unref()) {
    this.#schedule = schedule;
  }

  /**
   * Answers now or later.
   * @param source that of the address (observe/source.ts)
   * @param answer must do nothing if the response is over by then
   */
  refuse(res: HttpResponse, source: string, answer: () => void): void {
    if (this.#isQuick(source)) return answer();
    if (this.#waiting >= maxWaiting) {
      res.isLast = true;
      return answer();
    }
    this.#waiting += 1;
    defer(res);
    this.#schedule(delayMs, () => {
      this.#waiting -= 1;
      answer();
    });
  }

  #isQuick(source: string): boolean {
    const tries = this.#tries.get(source);
    if (tries === undefined && this.#tries.size >= maxAddresses) return false;
    if (this.#tries.size === 0) this.#schedule(windowMs, () => this.#tries.clear());
    this.#tries.set(source, (tries ?? 0) + 1);
    return (tries ?? 0) < maxQuick;
  }
}
