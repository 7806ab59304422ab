/**
 * Cuts a byte stream into packets with a length in front: 2 bytes during the handshake, 4 afterwards. A packet that lies
 * in one chunk is handed out without a copy; one that spans chunks is joined once, when it is complete.
 */

export class FrameTooLarge extends Error {
  constructor(length: number, limit: number) {
    super(`a frame of ${length} bytes is beyond the limit of ${limit}`);
    this.name = 'FrameTooLarge';
  }
}

export class FrameReader {
  #headerSize: 2 | 4;
  #maxFrame: number;
  /** Chunks of the packet that is not complete yet. */
  #chunks: Buffer[] = [];
  #held = 0;
  /** Bytes, header included, below which there is no point in looking. */
  #needed = 0;
  #rest: Buffer | undefined;
  /** Where in `#rest` the next packet begins. */
  #at = 0;

  constructor(headerSize: 2 | 4, maxFrame: number) {
    this.#headerSize = headerSize;
    this.#maxFrame = maxFrame;
  }

  /** From now on lengths have that many bytes and packets that limit. */
  expect(headerSize: 2 | 4, maxFrame: number): void {
    this.#headerSize = headerSize;
    this.#maxFrame = maxFrame;
  }

  /** Adds what was read. Then call `next` until it gives undefined. */
  push(chunk: Buffer): void {
    if (this.#held > 0) {
      this.#chunks.push(chunk);
      this.#held += chunk.length;
      if (this.#held < this.#needed) return;
      this.#rest = Buffer.concat(this.#chunks, this.#held);
      this.#chunks = [];
      this.#held = 0;
    } else {
      this.#rest = chunk;
    }
    this.#at = 0;
    this.#needed = 0;
  }

  /** The next complete packet without its length; valid until the next `push`. @throws FrameTooLarge */
  next(): Buffer | undefined {
    const rest = this.#rest;
    if (rest === undefined) return undefined;
    const header = this.#headerSize;
    const at = this.#at;
    const start = at + header;
    if (rest.length < start) return this.#hold(rest, header);
    const length = header === 4 ? rest.readUInt32BE(at) : rest.readUInt16BE(at);
    if (length > this.#maxFrame) throw new FrameTooLarge(length, this.#maxFrame);
    const end = start + length;
    if (rest.length < end) return this.#hold(rest, header + length);
    this.#at = end;
    if (rest.length === end) this.#rest = undefined;
    return rest.subarray(start, end);
  }

  #hold(all: Buffer, needed: number): undefined {
    const rest = all.subarray(this.#at);
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#held = rest.length;
    this.#needed = needed;
    this.#rest = undefined;
    return undefined;
  }
}
