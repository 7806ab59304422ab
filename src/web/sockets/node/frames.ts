/**
 * Frames from server to client (RFC 6455 §5.2): not masked, never in fragments. A frame is one piece of memory, so that one
 * write sends it and many sockets can share it.
 *
 *      byte 0            byte 1             0, 2 or 8 bytes        the rest
 *     ┌─────┬──────┬────────┬───────────┬──────────────────────┬─────────┐
 *     │ FIN │ RSV1 │ opcode │ 0, length │ length, if over 125  │ payload │
 *     └─────┴──────┴────────┴───────────┴──────────────────────┴─────────┘
 */
import { constants, deflateRawSync } from 'node:zlib';
import type { Payload } from '../types.ts';

export const opcodes = { text: 0x1, binary: 0x2, ping: 0x9, pong: 0xa } as const;

const fin = 0x80;
/** RFC 7692 §6: the message is compressed. */
const rsv1 = 0x40;
/** Of what is compressed the last four bytes are always the same, and left out (RFC 7692 §7.2.1). */
const tailBytes = 4;

/** Bytes; below, compressing costs more than it saves. */
const worthCompressing = 1024;

/** The frame of a message or a control frame. The payload is copied. */
export function frameOf(opcode: number, payload: Payload): Buffer {
  if (typeof payload !== 'string') return frameOfBytes(fin | opcode, bytesOf(payload));
  const length = Buffer.byteLength(payload);
  const frame = emptyFrame(fin | opcode, length);
  frame.write(payload, frame.length - length);
  return frame;
}

/** The same compressed, for clients that have agreed to it; undefined where that is not worth it. */
export function compressedFrameOf(opcode: number, payload: Payload): Buffer | undefined {
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : bytesOf(payload);
  if (bytes.length < worthCompressing) return undefined;
  // Without context: nothing is kept per socket, and all sockets can be sent the same.
  const deflated = deflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH });
  return frameOfBytes(fin | rsv1 | opcode, deflated.subarray(0, deflated.length - tailBytes));
}

function frameOfBytes(first: number, bytes: Uint8Array): Buffer {
  const frame = emptyFrame(first, bytes.length);
  frame.set(bytes, frame.length - bytes.length);
  return frame;
}

/** A frame with room for so many bytes at its end. */
function emptyFrame(first: number, length: number): Buffer {
  let frame: Buffer;
  if (length <= 125) {
    frame = Buffer.allocUnsafe(2 + length);
    frame[1] = length;
  } else if (length <= 0xffff) {
    frame = Buffer.allocUnsafe(4 + length);
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame = Buffer.allocUnsafe(10 + length);
    frame[1] = 127;
    frame.writeUInt32BE(Math.floor(length / 0x1_0000_0000), 2);
    frame.writeUInt32BE(length % 0x1_0000_0000, 6);
  }
  frame[0] = first;
  return frame;
}

function bytesOf(payload: ArrayBuffer | ArrayBufferView): Uint8Array {
  if (payload instanceof Uint8Array) return payload;
  if (ArrayBuffer.isView(payload)) return new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength);
  return new Uint8Array(payload);
}
