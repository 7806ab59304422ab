/** What Redis says of itself: one connection, one command at a time. */
import { Wire } from './wire.mjs';

export class RedisClient {
  #wire;
  #text = '';
  #onAnswer;
  #fail;

  constructor(target) {
    const lost = new Promise((_, reject) => {
      this.#fail = reject;
    });
    lost.catch(() => {});
    this.lost = lost;
    this.#wire = new Wire(target, (bytes, end) => this.#consume(bytes, end));
    this.#wire.onClose = (error) => this.#fail(new Error(`the connection to Redis was lost: ${error?.message}`));
  }

  /** @returns the answer as Redis has written it, with its type: a line, or a string with its length before it */
  ask(...words) {
    const answer = new Promise((resolve) => {
      this.#onAnswer = resolve;
    });
    const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
    this.#wire.write(`*${words.length}\r\n${parts.join('')}`);
    return Promise.race([answer, this.lost]);
  }

  /** A number of INFO. */
  async info(section, name) {
    const match = new RegExp(`^${name}:(\\d+)`, 'm').exec(await this.ask('INFO', section));
    if (!match) throw new Error(`Redis does not tell ${name}`);
    return Number(match[1]);
  }

  close() {
    this.#wire.onClose = () => {};
    this.#wire.destroy();
  }

  #consume(bytes, end) {
    this.#text += bytes.latin1Slice(0, end);
    const line = this.#text.indexOf('\r\n');
    if (line < 0) return end;
    const isString = this.#text.startsWith('$');
    const length = isString ? line + 4 + Number(this.#text.slice(1, line)) : line + 2;
    if (this.#text.length < length) return end;
    const text = this.#text.slice(0, length);
    this.#text = this.#text.slice(length);
    this.#onAnswer(text);
    return end;
  }
}
