/**
 * The control part of the last message to a name. Most messages of one connection go to the same few names and differ in
 * nothing but their payload: what begins with the same bytes says the same, and need not be read again. (A term ends where
 * its own bytes say, so equal bytes are equal terms.)
 */
const none = Buffer.alloc(0);
/** Longer ones are not worth the comparison. */
const longest = 256;

export class LastHead {
  #bytes = none;
  #name: string | undefined;

  /** Where the payload of a frame that begins so is found. */
  get end(): number {
    return this.#bytes.length;
  }

  /** The name that the frame is for, if it begins as the last one did. */
  nameIn(frame: Buffer): string | undefined {
    const bytes = this.#bytes;
    if (frame.length <= bytes.length) return undefined;
    // From the end: names and pids differ there.
    for (let i = bytes.length - 1; i >= 0; i -= 1) if (frame[i] !== bytes[i]) return undefined;
    return this.#name;
  }

  /** @param end where the payload begins */
  remember(frame: Buffer, end: number, name: string): void {
    if (end > longest) return;
    this.#bytes = Buffer.from(frame.subarray(0, end));
    this.#name = name;
  }
}
