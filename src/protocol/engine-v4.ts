/**
 * Engine.IO protocol v4, spoken by clients 3.x and 4.x. A polling payload is packets joined by the record separator, which
 * cannot occur in JSON; binary messages are in it as `b` and base64.
 */
import { isUtf8 } from 'node:buffer';
import { HiveError } from '../observe/errors.ts';
import { decodeBase64 } from './binary.ts';
import type { EngineDialect } from './engine.ts';
import type { Encoded } from './packet.ts';
import { SocketV5Codec } from './socketio-v5.ts';

const separator = '\x1e';

export const engineV4: EngineDialect = {
  protocol: 'eio4',
  clientPings: false,
  connectsDefault: false,

  codec: (namespace) => new SocketV5Codec(namespace),
  invalidNamespace: (namespace) => `44${namespace},{"message":"Invalid namespace"}`,

  encodePayload(packets) {
    const [only] = packets;
    if (packets.length === 1 && typeof only === 'string') return only;
    return packets.map(payloadText).join(separator);
  },

  decodePayload(body) {
    if (body.length === 0 || !isUtf8(body)) throw new HiveError('bad_packet', 'The payload is no UTF-8 text.');
    return body
      .toString()
      .split(separator)
      .map((packet) => (packet.startsWith('b') ? decodeBase64(packet.slice(1)) : packet));
  },

  frameMessage: (frame) => frame,
};

function payloadText(packet: Encoded): string {
  if (typeof packet === 'string') return packet;
  return [packet.text, ...packet.frames.map((frame) => `b${frame.toString('base64')}`)].join(separator);
}
