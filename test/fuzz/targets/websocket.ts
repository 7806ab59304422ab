/** Frames of WebSocket clients, right ones and others. Source: RFC 6455 §5.2, RFC 7692. */
import { constants, deflateRawSync } from 'node:zlib';
import type { Random } from '../random.ts';

export const opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

interface FrameParts {
  readonly opcode: number;
  readonly payload: Buffer;
  readonly isLast?: boolean;
  readonly reserved?: number;
  readonly isMasked?: boolean;
  /** What the head says, whatever the payload's length is. */
  readonly claimed?: number;
}

export function frame(parts: FrameParts): Buffer {
  const { payload, isLast = true, reserved = 0, isMasked = true, claimed = payload.length } = parts;
  const first = (isLast ? 0x80 : 0) | (reserved << 4) | parts.opcode;
  const mark = isMasked ? 0x80 : 0;
  let head: Buffer;
  if (claimed < 126) head = Buffer.of(first, mark | claimed);
  else if (claimed < 65_536) {
    head = Buffer.of(first, mark | 126, 0, 0);
    head.writeUInt16BE(claimed, 2);
  } else {
    head = Buffer.alloc(10);
    head[0] = first;
    head[1] = mark | 127;
    head.writeBigUInt64BE(BigInt(claimed), 2);
  }
  // The mask is 0, which leaves the payload as it is.
  return Buffer.concat([head, Buffer.alloc(isMasked ? 4 : 0), payload]);
}

export function text(message: string): Buffer {
  return frame({ opcode: opcode.text, payload: Buffer.from(message) });
}

export function binary(payload: Buffer): Buffer {
  return frame({ opcode: opcode.binary, payload });
}

const bombs = [1000, 200_000, 20_000_000].map((length) => deflated(Buffer.alloc(length, 'x')));

function deflated(data: Buffer): Buffer {
  return deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
}

/** A message in a form that is seldom, and often wrong. */
export function oddly(message: Buffer, random: Random): Buffer {
  const payload = message.subarray(0, 60_000);
  switch (random.int(8)) {
    case 0: {
      const at = random.int(payload.length + 1);
      const head = frame({ opcode: opcode.text, payload: payload.subarray(0, at), isLast: false });
      const ping = random.chance(0.5) ? frame({ opcode: opcode.ping, payload: random.bytes(random.int(130)) }) : '';
      const tail = frame({ opcode: random.pick([0, 0, 0, 1]), payload: payload.subarray(at) });
      return Buffer.concat([head, Buffer.from(ping), tail]);
    }
    case 1: {
      return frame({ opcode: opcode.text, payload: deflated(payload), reserved: 4 });
    }
    case 2:
      return frame({ opcode: opcode.text, payload, reserved: 1 + random.int(7) });
    case 3:
      return frame({ opcode: random.int(16), payload: payload.subarray(0, random.int(200)) });
    case 4:
      return frame({ opcode: opcode.text, payload, isMasked: false });
    case 5: {
      const claimed = random.pick([0, 1, 125, 65_535, 65_536, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER]);
      return frame({ opcode: opcode.text, payload, claimed });
    }
    case 6: {
      const code = Buffer.alloc(2);
      code.writeUInt16BE(random.pick([0, 999, 1000, 1004, 1005, 1006, 1015, 3000, 5000, 65_535]));
      return frame({ opcode: opcode.close, payload: Buffer.concat([code, random.bytes(random.int(130))]) });
    }
    default: {
      // A little that unfolds to much.
      return frame({ opcode: opcode.text, payload: random.pick(bombs), reserved: 4 });
    }
  }
}
