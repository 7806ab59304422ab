/** Cutting bodies and messages into chunks for a relay stream, and joining them again. */

import type { Payload } from '../../sockets/types.ts';
import type { Chunk, RelayStream } from './relay.ts';

/** Large enough to be cheap, small enough that a heartbeat between nodes does not wait behind it. */
const chunkBytes = 64 * 1024;
/** How much of what was received is dealt with between two notes of it. */
export const noteBytes = 64 * 1024;
/** What a chunk costs besides its data, so that empty ones are not for free. */
const chunkCost = 32;

/** What a chunk counts for in the limits of its stream; the same at both ends. */
export function costOf({ data }: Chunk): number {
  return data.length + chunkCost;
}

/** Sends data that may be large; returns its cost. `last`: it closes the stream. */
export function sendChunks(
  stream: Pick<RelayStream<Chunk>, 'send'>,
  data: Payload,
  isText: boolean,
  more = false,
  last = false,
): number {
  // A string is never longer than its bytes, and those are at most three times as many.
  if (typeof data === 'string' && data.length <= chunkBytes / 3) return sendChunk(stream, data, isText, more, last);
  const bytes = bytesOf(data);
  // The other end wants a string, and so gets one at once.
  if (isText && bytes.length <= chunkBytes) return sendChunk(stream, bytes.toString(), isText, more, last);
  let cost = 0;
  let start = 0;
  for (; bytes.length - start > chunkBytes; start += chunkBytes) {
    cost += sendChunk(stream, bytes.subarray(start, start + chunkBytes), isText, true, false);
  }
  return cost + sendChunk(stream, bytes.subarray(start), isText, more, last);
}

function sendChunk(
  stream: Pick<RelayStream<Chunk>, 'send'>,
  data: string | Uint8Array,
  isText: boolean,
  more: boolean,
  last: boolean,
): number {
  const chunk: Chunk = { type: 'chunk', data, isText, more };
  stream.send(chunk, last);
  return costOf(chunk);
}

function bytesOf(data: Payload): Buffer {
  if (typeof data === 'string') return Buffer.from(data);
  if (data instanceof ArrayBuffer) return Buffer.from(data);
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

/** The bytes in a buffer of their own. */
export function toArrayBuffer(data: string | Uint8Array): ArrayBuffer {
  const bytes = bytesOf(data);
  const copy = new ArrayBuffer(bytes.length);
  new Uint8Array(copy).set(bytes);
  return copy;
}

export class ChunkJoiner {
  #parts: Uint8Array[] | undefined;

  /** The whole body or message, once its last chunk is there. */
  add({ data, more }: Chunk): string | Uint8Array | undefined {
    if (!more && !this.#parts) return data;
    this.#parts ??= [];
    this.#parts.push(bytesOf(data));
    if (more) return undefined;
    const whole = Buffer.concat(this.#parts);
    this.#parts = undefined;
    return whole;
  }
}
