/**
 * WebSocket frames (RFC 6455) as a client sends them, encoded once and patched in place: the masking key is zero, so the payload
 * stands in the frame as it is. A server unmasks all the same.
 */

export const opcodes = { text: 0x81, close: 0x88, ping: 0x89, pong: 0x8a };

/** @param opcode with the FIN bit */
export function clientFrame(opcode, payload) {
  const body = Buffer.from(payload);
  if (body.length > 65_535) throw new Error(`a frame of ${body.length} bytes is not needed here`);
  const head = body.length < 126 ? [opcode, 0x80 | body.length] : [opcode, 0xfe, body.length >> 8, body.length & 255];
  return Buffer.concat([Buffer.from(head), Buffer.alloc(4), body]);
}

/** Where the payload of a client's frame begins. */
export const payloadStart = (frame) => ((frame[1] & 0x7f) === 126 ? 8 : 6);

/** Writes a number with leading zeros. */
export function writeDigits(bytes, at, count, number) {
  let rest = number;
  for (let i = at + count - 1; i >= at; i -= 1) {
    bytes[i] = 48 + (rest % 10);
    rest = (rest / 10) | 0;
  }
}

/** Reads what `writeDigits` has written; NaN if there is anything but digits. */
export function readDigits(bytes, at, count) {
  let number = 0;
  for (let i = at; i < at + count; i += 1) {
    const digit = bytes[i] - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    number = number * 10 + digit;
  }
  return number;
}
