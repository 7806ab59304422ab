/**
 * Engine.IO protocol v4, spoken by clients 3.x and 4.x. A polling payload is packets joined by the record separator, which
 * cannot occur in JSON; binary messages are in it as `b` and base64.
 */
import { isUtf8 } from 'node:buffer';
import { HiveError } from '../observe/errors.ts';
import { decodeBase64 } from './binary.ts';
import type { EngineDialect, EnginePacket } from './engine.ts';
import { RecoverableV5Codec } from './recovery.ts';
import { SocketV5Codec } from './socketio-v5.ts';

const separator = '\x1e';

export const engineV4: EngineDialect = {
  protocol: 'eio4',
  clientPings: false,
  connectsDefault: false,

  codec: (namespace) => new SocketV5Codec(namespace),
  recoverableCodec: (namespace) => new RecoverableV5Codec(namespace),
  invalidNamespace: (namespace) => `44${namespace},{"message":"Invalid namespace"}`,

  encodePayload(packets) {
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

function payloadText(packet: EnginePacket): string {
  return typeof packet === 'string' ? packet : `b${packet.toString('base64')}`;
}
