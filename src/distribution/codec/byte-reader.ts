/** Reads numbers and lengths from bytes, and never beyond the end that it was given. */
import { BytePattern } from './byte-pattern.ts';
import { TermError } from './terms.ts';

const none = Buffer.alloc(0);
const noView: DataView = new DataView(none.buffer);
/** Bytes beyond this are let go at once when they are read: they are a large message, not a chunk like others. */
const maxKeptBytes = 64 * 1024;

export class ByteReader {
  protected bytes: Buffer = none;
  /** The same bytes, for numbers. */
  protected view = noView;
  /** Where the next byte is read. */
  position = 0;
  protected end = 0;

  /** Reads from these bytes now, from `start` to `end`. They are not kept: what is returned is copied. */
  open(bytes: Buffer, start = 0, end = bytes.length): void {
    // Mostly the next frame of the same chunk.
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    this.position = start;
    this.end = end;
  }

  get done(): boolean {
    return this.position >= this.end;
  }

  /** Lets go of the bytes, if they are many. */
  close(): void {
    if (this.bytes.length > maxKeptBytes) {
      this.bytes = none;
      this.view = noView;
    }
    this.position = 0;
    this.end = 0;
  }

  /** True, and behind it, if that is what comes next. */
  stepOver(pattern: BytePattern): boolean {
    if (this.position + pattern.length > this.end || !pattern.isAt(this.view, this.position)) return false;
    this.position += pattern.length;
    return true;
  }

  /** The bytes from `start` up to what is read next. */
  pieceFrom(start: number): BytePattern {
    return new BytePattern(this.view, start, this.position - start);
  }

  /** Steps over `length` bytes and says where they begin. */
  skip(length: number): number {
    const start = this.position;
    if (start + length > this.end) throw this.error('the term is cut off');
    this.position = start + length;
    return start;
  }

  protected byte(): number {
    const position = this.position;
    if (position >= this.end) throw this.error('the term is cut off');
    this.position = position + 1;
    return this.bytes[position]!;
  }

  protected uint16(): number {
    return this.view.getUint16(this.skip(2));
  }

  protected uint32(): number {
    return this.view.getUint32(this.skip(4));
  }

  protected error(what: string): TermError {
    return new TermError(what, `byte ${this.position}`);
  }
}
