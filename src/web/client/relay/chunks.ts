/** Cutting bodies and messages into pieces for a relay stream, and joining them again. */

import type { Payload } from '../../sockets/types.ts';
import type { Piece, RelayStream } from './relay.ts';

/** Large enough to be cheap, small enough that a heartbeat between nodes does not wait behind it. */
const pieceBytes = 64 * 1024;
/** How much of what was received is dealt with between two notes of it. */
export const noteBytes = 64 * 1024;
/** What a piece costs besides its data, so that empty ones are not for free. */
const pieceCost = 32;

/** What a piece counts for in the limits of its stream; the same at both ends. */
export function costOf({ data }: Piece): number {
  return data.length + pieceCost;
}

/** Sends data that may be large; returns its cost. `last`: it closes the stream. */
export function sendPieces(
  stream: Pick<RelayStream<Piece>, 'send'>,
  data: Payload,
  isText: boolean,
  more = false,
  last = false,
): number {
  // A string is never longer than its bytes, and those are at most three times as many.
  if (typeof data === 'string' && data.length <= pieceBytes / 3) return sendPiece(stream, data, isText, more, last);
  const bytes = bytesOf(data);
  // The other end wants a string, and so gets one at once.
  if (isText && bytes.length <= pieceBytes) return sendPiece(stream, bytes.toString(), isText, more, last);
  let cost = 0;
  let start = 0;
  for (; bytes.length - start > pieceBytes; start += pieceBytes) {
    cost += sendPiece(stream, bytes.subarray(start, start + pieceBytes), isText, true, false);
  }
  return cost + sendPiece(stream, bytes.subarray(start), isText, more, last);
}

function sendPiece(
  stream: Pick<RelayStream<Piece>, 'send'>,
  data: string | Uint8Array,
  isText: boolean,
  more: boolean,
  last: boolean,
): number {
  const piece: Piece = { type: 'piece', data, isText, more };
  stream.send(piece, last);
  return costOf(piece);
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

export class PieceJoiner {
  #parts: Uint8Array[] | undefined;

  /** The whole body or message, once its last piece is there. */
  add({ data, more }: Piece): string | Uint8Array | undefined {
    if (!more && !this.#parts) return data;
    this.#parts ??= [];
    this.#parts.push(bytesOf(data));
    if (more) return undefined;
    const whole = Buffer.concat(this.#parts);
    this.#parts = undefined;
    return whole;
  }
}
