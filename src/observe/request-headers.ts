/** Headers that subscribers of events add to a request of a back end, such as `traceparent`: checked, so that none ends another one. */

/** RFC 9110 §5.6.2. */
const validName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** RFC 9110 §5.5, without what is obsolete: visible ASCII, spaces and tabs between. */
const validValue = /^(?:[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)?$/;

/** What frames the message, or says how its body is to be read. */
const reserved = new Set([
  'accept-encoding',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

export class RequestHeaders {
  readonly #values = new Map<string, string>();

  /**
   * Sets a header, in place of the one of that name.
   * @throws TypeError for what cannot stand in a header, and for the headers that the connector sets
   */
  set(name: string, value: string): void {
    const lower = String(name).toLowerCase();
    if (!validName.test(lower)) throw new TypeError(`RequestHeaders: ${JSON.stringify(name)} is no name of a header`);
    if (reserved.has(lower)) throw new TypeError(`RequestHeaders: ${lower} is set by the connector`);
    if (typeof value !== 'string' || !validValue.test(value)) {
      throw new TypeError(
        `RequestHeaders: the value of ${lower} must be a text of visible ASCII characters and spaces`,
      );
    }
    this.#values.set(lower, value);
  }

  get(name: string): string | undefined {
    return this.#values.get(name.toLowerCase());
  }

  get size(): number {
    return this.#values.size;
  }

  /** Name, value, name, value, …; names in lower case. */
  flat(): string[] {
    return [...this.#values].flat();
  }
}
