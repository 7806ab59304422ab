/**
 * Cuts a byte stream into packets with a length in front: 2 bytes during the handshake, 4 afterwards. A packet that lies
 * in one chunk is handed out without a copy; one that spans chunks is joined once, when it is complete, and it alone:
 *
 *   chunks held: [ … | pac ]   new chunk: [ ket | packet | packet | pa ]
 *                      └── joined: #rest ──┘   └──────── #later ───────┘
 */

const none = Buffer.alloc(0);

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
  /** What comes after `#rest`, and where in it. */
  #later: Buffer | undefined;
  #laterAt = 0;
  /** The bytes in which the present packet lies, from `start` to `end`. */
  bytes: Buffer = none;
  start = 0;
  end = 0;

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
    this.#at = 0;
    if (this.#held === 0) {
      this.#rest = chunk;
      return;
    }
    const missing = this.#needed - this.#held;
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    if (chunk.length < missing) return;
    this.#rest = Buffer.concat(this.#chunks, this.#needed);
    this.#later = chunk;
    this.#laterAt = missing;
    this.#chunks = [];
    this.#held = 0;
  }

  /** The next complete packet without its length; valid until the next `push`. @throws FrameTooLarge */
  next(): Buffer | undefined {
    return this.advance() ? this.bytes.subarray(this.start, this.end) : undefined;
  }

  /**
   * Goes on to the next complete packet; false if there is none yet. The same as `next` for those who read many, because
   * making an object for each costs as much as reading it. @throws FrameTooLarge
   */
  advance(): boolean {
    const rest = this.#rest;
    if (rest === undefined) {
      this.bytes = none;
      return false;
    }
    const header = this.#headerSize;
    const start = this.#at + header;
    if (rest.length < start) return this.#lengthen(rest, header);
    const length = header === 4 ? rest.readUInt32BE(this.#at) : rest.readUInt16BE(this.#at);
    if (length > this.#maxFrame) throw new FrameTooLarge(length, this.#maxFrame);
    const end = start + length;
    if (rest.length < end) return this.#lengthen(rest, header + length);
    this.#at = end;
    if (rest.length === end) this.#goOn();
    this.bytes = rest;
    this.start = start;
    this.end = end;
    return true;
  }

  /** `#rest` is used up. */
  #goOn(): void {
    const later = this.#later;
    this.#rest = later !== undefined && later.length > this.#laterAt ? later : undefined;
    this.#at = this.#laterAt;
    this.#later = undefined;
  }

  /** There are less than `needed` bytes left: takes the others from what comes after, or holds what there is. */
  #lengthen(all: Buffer, needed: number): boolean {
    const rest = all.subarray(this.#at);
    const later = this.#later;
    const missing = needed - rest.length;
    if (later !== undefined && later.length - this.#laterAt >= missing) {
      this.#rest = Buffer.concat([rest, later.subarray(this.#laterAt, this.#laterAt + missing)], needed);
      this.#at = 0;
      this.#laterAt += missing;
      return this.advance();
    }
    this.#chunks = [rest];
    if (later !== undefined) this.#chunks.push(later.subarray(this.#laterAt));
    this.#chunks = this.#chunks.filter((chunk) => chunk.length > 0);
    this.#held = this.#chunks.reduce((bytes, chunk) => bytes + chunk.length, 0);
    this.#needed = needed;
    this.#rest = undefined;
    this.#later = undefined;
    this.bytes = none;
    return false;
  }
}
