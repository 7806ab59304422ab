/**
 * Engine.IO protocol v3, spoken by clients 1.x and 2.x. The client pings. Polling payloads come in two forms:
 *
 *     text    <length>:<packet>…            length in UTF-16 units; a binary message is b4<base64>
 *     binary  0 or 1, the digits of the length in bytes, 255, packet…   0: UTF-8 text, 1: type byte and bytes
 *
 * All clients understand the first; ours take the second where binary messages are in them and the client reads bytes. Clients 1.x read and write such texts as UTF-8 bytes that they take for
 * characters, which other clients do not. So ours hold nothing but ASCII, which is the same to all: JSON can be written so.
 * Theirs are read as bytes once a client has written what hardly any text holds: its C1 control characters.
 */
import { isUtf8 } from 'node:buffer';
import { HiveError } from '../observe/errors.ts';
import { decodeBase64 } from './binary.ts';
import { type BodyForm, type EngineDialect, type EnginePacket, packetTypes } from './engine.ts';
import { parseId } from './packet.ts';
import { SocketV4Codec } from './socketio-v4.ts';

const base64Message = `b${packetTypes.message}`;
/** Type byte of a binary message: the number, not the digit. */
const messageByte = 4;
const endOfLength = 255;
const maxLengthDigits = 10;

export const engineV3: EngineDialect = {
  protocol: 'eio3',
  clientPings: true,
  connectsDefault: true,

  codec: (namespace) => new SocketV4Codec(namespace),
  invalidNamespace: (namespace) => `44${namespace},"Invalid namespace"`,

  encodePayload(packets) {
    let body = '';
    for (const packet of packets) {
      const text = typeof packet === 'string' ? inAscii(packet) : base64Message + packet.toString('base64', 1);
      body += `${text.length}:${text}`;
    }
    return body;
  },

  encodeBinaryPayload(packets) {
    if (!packets.some((packet) => typeof packet !== 'string')) return undefined;
    const parts: Buffer[] = [];
    for (const packet of packets) {
      const bytes = typeof packet === 'string' ? Buffer.from(packet) : packet;
      const digits = Array.from(String(bytes.length), Number);
      parts.push(Buffer.from([typeof packet === 'string' ? 0 : 1, ...digits, endOfLength]), bytes);
    }
    return Buffer.concat(parts);
  },

  decodePayload(body, form) {
    if (form.binary) return decodeBinary(body);
    if (body.length === 0 || !isUtf8(body)) throw bad('The payload is no UTF-8 text.');
    return decodeText(body.toString(), form);
  },

  frameMessage(frame) {
    return frame[0] === messageByte ? frame.subarray(1) : undefined;
  },
};

/** Escapes what is not ASCII in the JSON of a packet; in front of it stands at most a namespace. */
function inAscii(packet: string): string {
  if (isAscii(packet)) return packet;
  const json = packet.charCodeAt(2) === 0x2f ? packet.indexOf(',') + 1 : 0;
  return packet.slice(0, json) + packet.slice(json).replace(/[^\0-\x7f]/g, escaped);
}

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}

function decodeText(text: string, form: BodyForm): EnginePacket[] {
  const packets: EnginePacket[] = [];
  for (let at = 0; at < text.length; ) {
    const colon = text.indexOf(':', at);
    const length = colon < 0 ? undefined : parseId(text.slice(at, Math.min(colon, at + 16)));
    if (length === undefined) throw bad('The payload is not framed.');
    const end = colon + 1 + length;
    if (end > text.length) throw bad('The payload is shorter than its frames say.');
    const packet = text.slice(colon + 1, end);
    if (packet.startsWith(base64Message)) packets.push(decodeBase64(packet.slice(base64Message.length)));
    else packets.push(form.base64 ? repaired(packet, form) : packet);
    at = end;
  }
  return packets;
}

/**
 * Reads the characters of a 1.x client as the bytes that they are, where it is certain that it is one. `Ã©` may be its `é` or
 * somebody's text; only what does not fit shows a client of another kind, and only control characters one of this kind.
 */
function repaired(packet: string, form: BodyForm): string {
  if (form.writesBytes === false || isAscii(packet)) return packet;
  const bytes = Buffer.from(packet, 'latin1');
  if (!isUtf8(bytes) || bytes.toString('latin1') !== packet) {
    form.writesBytes = false;
    return packet;
  }
  form.writesBytes ||= /[\x80-\x9f]/.test(packet) || undefined;
  return form.writesBytes ? bytes.toString() : packet;
}

function decodeBinary(body: Buffer): EnginePacket[] {
  if (body.length === 0) throw bad('The payload is empty.');
  const packets: EnginePacket[] = [];
  for (let at = 0; at < body.length; ) {
    const kind = body[at];
    let length = 0;
    let start = at + 1;
    for (; body[start] !== endOfLength; start += 1) {
      const digit = body[start];
      if (digit === undefined || digit > 9 || start - at > maxLengthDigits) throw bad('The payload is not framed.');
      length = length * 10 + digit;
    }
    const end = start + 1 + length;
    if (end > body.length) throw bad('The payload is shorter than its frames say.');
    const data = body.subarray(start + 1, end);
    const packet = kind === 1 ? engineV3.frameMessage(data) : kind === 0 && isUtf8(data) ? data.toString() : undefined;
    if (packet === undefined) throw bad('The payload holds neither text nor a binary message.');
    packets.push(packet);
    at = end;
  }
  return packets;
}

function bad(description: string): HiveError {
  return new HiveError('bad_packet', description);
}
