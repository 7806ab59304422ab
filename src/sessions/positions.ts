/**
 * Positions: what a client of recovery has seen, as it tells when it returns. Every event that such a client is sent ends with one,
 * as an additional last argument, which Socket.IO's client library keeps as its `offset`.
 *
 *   "kD3fG7-_" + "2s1"      tag of the boot that has given the number | the number in base 36
 *
 * Numbers begin with 1. They are those of the journal: of all sessions of a node together.
 */
import { tagLength } from '../kernel/ids.ts';

/** Of whatever boot. */
const form = new RegExp(`^[\\w-]{${tagLength}}[1-9a-z][0-9a-z]{0,9}$`);

export class Positions {
  readonly #tag: string;
  readonly #start: string;

  /** @param tag of this boot: see `tagOf` */
  constructor(tag: string) {
    this.#tag = tag;
    this.#start = `,"${tag}`;
  }

  /** What ends an event with that number, behind its arguments. */
  tail(number: number): string {
    return `${this.#start}${number.toString(36)}"]`;
  }

  /** The number in a position; 0 if another boot has made it, undefined for what is no position. */
  parse(position: unknown): number | undefined {
    if (typeof position !== 'string' || !form.test(position)) return undefined;
    return position.startsWith(this.#tag) ? Number.parseInt(position.slice(tagLength), 36) : 0;
  }
}
