/**
 * Frames of TCP back ends: U+FFFD, the decimal number of bytes that follow the second mark, U+FFFD, and a message packet of
 * Socket.IO 0.9 with an endpoint:
 *
 *   EF BF BD  "16"  EF BF BD  3::quote:{"q":1}
 *
 * It is the batch framing of 0.9, but lengths are in bytes (that of the 2014 server).
 */
import { isUtf8 } from 'node:buffer';
import { HiveError } from '../../observe/errors.ts';

export interface Frame {
  readonly endpoint: string;
  readonly payload: string;
}

const mark = Buffer.from('\uFFFD');
/** Digits of a length, at most: more cannot be meant. */
const maxDigits = 10;

/** @throws HiveError `tcp_error` for an endpoint with a colon, which would end it */
export function encodeFrame(endpoint: string, payload: string): Buffer {
  if (endpoint.includes(':')) throw new HiveError('tcp_error', `The endpoint ${endpoint} contains a colon.`);
  const packet = `3::${endpoint}:${payload}`;
  return Buffer.from(`\uFFFD${Buffer.byteLength(packet)}\uFFFD${packet}`);
}

/**
 *   mark ──3 bytes──▶ length ──a byte of the next mark──▶ mark ──▶ packet ──length bytes──▶ mark
 */
export class FrameReader {
  readonly #maxBytes: number;
  readonly #take: (frame: Frame) => void;
  #part: 'first mark' | 'length' | 'second mark' | 'packet' = 'first mark';
  /** Bytes of the present mark, or digits of the length, that were read. */
  #read = 0;
  #length = 0;
  #missing = 0;
  #chunks: Buffer[] = [];

  /**
   * @param maxBytes the longest packet that is accepted
   * @param take gets every frame as soon as it is complete
   */
  constructor(maxBytes: number, take: (frame: Frame) => void) {
    this.#maxBytes = maxBytes;
    this.#take = take;
  }

  /** True between frames. */
  get idle(): boolean {
    return this.#part === 'first mark' && this.#read === 0;
  }

  /** As `next`, for all of the chunk. */
  read(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) at = this.next(chunk, at);
  }

  /**
   * Reads from there on, until a frame is complete or the chunk is at its end; returns where it has stopped. After an exception
   * the stream has no meaning any more; the frames before it were taken.
   * @throws HiveError `tcp_error`
   */
  next(chunk: Buffer, start: number): number {
    let at = start;
    while (at < chunk.length) {
      if (this.#part === 'packet') {
        const end = Math.min(chunk.length, at + this.#missing);
        this.#chunks.push(chunk.subarray(at, end));
        this.#missing -= end - at;
        at = end;
      } else {
        this.#readHeader(chunk[at]!);
        at += 1;
      }
      if (this.#part === 'packet' && this.#missing === 0) {
        this.#finish();
        break;
      }
    }
    return at;
  }

  #readHeader(byte: number): void {
    if (this.#part === 'length' && byte >= 0x30 && byte <= 0x39) return this.#readDigit(byte - 0x30);
    if (this.#part === 'length') {
      if (this.#read === 0) throw malformed('its length is missing');
      this.#part = 'second mark';
      this.#read = 0;
    }
    if (byte !== mark[this.#read]) throw malformed(`${this.#part}: unexpected byte 0x${byte.toString(16)}`);
    this.#read += 1;
    if (this.#read < mark.length) return;
    this.#read = 0;
    if (this.#part === 'first mark') {
      this.#part = 'length';
      this.#length = 0;
    } else {
      this.#part = 'packet';
      this.#missing = this.#length;
    }
  }

  #readDigit(digit: number): void {
    this.#read += 1;
    this.#length = this.#length * 10 + digit;
    if (this.#read > maxDigits || this.#length > this.#maxBytes) {
      throw malformed(`it is longer than ${this.#maxBytes} bytes`);
    }
  }

  #finish(): void {
    const [first] = this.#chunks;
    const bytes = this.#chunks.length === 1 ? first! : Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#part = 'first mark';
    if (!isUtf8(bytes)) throw malformed('it is not UTF-8');
    this.#take(frameOf(bytes.toString()));
  }
}

/** `type:id:endpoint:payload`; type and id are not looked at. */
function frameOf(packet: string): Frame {
  const id = packet.indexOf(':');
  const endpoint = id < 0 ? -1 : packet.indexOf(':', id + 1);
  const payload = endpoint < 0 ? -1 : packet.indexOf(':', endpoint + 1);
  if (payload < 0) throw malformed('its packet has no endpoint');
  return { endpoint: packet.slice(endpoint + 1, payload), payload: packet.slice(payload + 1) };
}

function malformed(reason: string): HiveError {
  return new HiveError('tcp_error', `The frame is malformed: ${reason}.`);
}
