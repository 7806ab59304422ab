/**
 * Positions: what a client of recovery has seen, as it tells when it returns. Every event that such a client is sent ends with one,
 * as an additional last argument, which Socket.IO's client library keeps as its `offset`.
 *
 *   "kD3fG7-_" + "2s1"      tag of the boot that has given the number | the number in base 36
 *
 * Numbers begin with 1. They are those of the journal: of all sessions of a node together.
 */

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

  /** The number in a position; undefined for what this boot has not made. */
  parse(position: unknown): number | undefined {
    if (typeof position !== 'string' || !position.startsWith(this.#tag)) return undefined;
    const digits = position.slice(this.#tag.length);
    return /^[1-9a-z][0-9a-z]{0,9}$/.test(digits) ? Number.parseInt(digits, 36) : undefined;
  }
}
