/**
 * How many items the reply that is under way has announced and not brought yet. A list is made as long as its head says before
 * any item has come, so a head that lies, of thirty million in ten bytes, takes the memory of the node.
 *
 *   *3 ⏎  +a ⏎  *2 ⏎  :1 ⏎  $5 ⏎ hello ⏎  :2 ⏎       items due:  3  2  3  2  1  0
 *
 * Follows the bytes as they come and keeps none of them, but for the beginning of a line that is cut off. Source: RESP 2 and 3.
 */

/** Items that may be due, as for messages between nodes: a list of them takes 32 MB. */
const maxItems = 4_194_304;
/** Characters of a line that are kept: a type, a number, and the end. The longest are doubles, `,-1.7976931348623157e+308`. */
const maxKept = 32;
const lineEnd = 0x0a;
const carriageReturn = 0x0d;
/**
 * Lines that are read alike here and by ioredis, which takes any bytes for digits and does not look at all that it passes by: those
 * that it would read otherwise are refused.
 */
const wellFormed = /^(?:[$=!*~>%|](?:\d+|-1)|[-+:(][^\r]*|_|#[tf]|,(?:-?inf|nan|[-+\d.eE]+))\r$/;
/** `+` and `:`. */
const simple = 0x2b;
const integer = 0x3a;

export class ReplyLength {
  #due = 0;
  /** Bytes of a text that are to come, its line end included. */
  #skip = 0;
  #line = '';

  /** @throws Error if what comes announces too much, or is no reply */
  follow(bytes: Uint8Array): void {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    while (at < chunk.length) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, chunk.length - at);
        this.#skip -= skipped;
        at += skipped;
        continue;
      }
      const end = chunk.indexOf(lineEnd, at);
      // Most lines say no length, and no text needs to be made of them.
      if (end > 0 && this.#line === '' && (chunk[at] === simple || chunk[at] === integer)) {
        if (chunk.indexOf(carriageReturn, at) !== end - 1) throw new Error('a reply has a line that ends wrongly');
        if (this.#due > 0) this.#due -= 1;
        at = end + 1;
        continue;
      }
      const stop = end < 0 ? chunk.length : end;
      if (this.#line.length < maxKept) this.#line += chunk.toString('latin1', at, Math.min(stop, at + maxKept));
      if (end < 0) return;
      this.#take(this.#line);
      this.#line = '';
      at = end + 1;
    }
  }

  #take(line: string): void {
    const type = line[0];
    // A long text is cut off; a number is never so long.
    const whole = line.length < maxKept || (type !== '+' && type !== '-' && type !== '(');
    if (whole && !wellFormed.test(line)) throw new Error('a reply has a line that makes no sense');
    if (type !== '|' && this.#due > 0) this.#due -= 1;
    if (type === '$' || type === '=' || type === '!') {
      const length = Number.parseInt(line.slice(1), 10);
      if (length >= 0) this.#skip = length + 2;
    } else if (type === '*' || type === '~' || type === '>' || type === '%' || type === '|') {
      const length = Number.parseInt(line.slice(1), 10);
      if (length > 0) this.#due += type === '%' || type === '|' ? 2 * length : length;
      if (this.#due > maxItems) throw new Error(`a reply announces more than ${maxItems} items`);
    }
  }
}
