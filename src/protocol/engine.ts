/**
 * What the versions of the Engine.IO protocol have in common, and what they differ in. A packet is a type digit and data,
 * or the bytes of a binary message.
 */
import { HiveError } from '../observe/errors.ts';
import type { Codec } from './codec.ts';

export const packetTypes = {
  open: '0',
  close: '1',
  ping: '2',
  pong: '3',
  message: '4',
  upgrade: '5',
  noop: '6',
} as const;

type EnginePacketType = keyof typeof packetTypes;

const typeNames = Object.keys(packetTypes) as EnginePacketType[];

/** A packet: text that begins with its type, or a binary message. From us, the latter is as it is in a WebSocket frame. */
export type EnginePacket = string | Buffer;

/** What the request line and headers say about a polling body. */
export interface BodyForm {
  /** It came as `application/octet-stream`. */
  readonly binary: boolean;
  /** The client has declared that it can handle text only (`b64` in the query). */
  readonly base64: boolean;
  /** v3: whether its characters are bytes of UTF-8, as in clients 1.x; undefined until a body has shown it. */
  writesBytes: boolean | undefined;
}

/** One version of the protocol, with the Socket.IO that is spoken over it. */
export interface EngineDialect {
  /** As in `socketio.protocols`. */
  readonly protocol: 'eio4' | 'eio3';
  /** The client sends pings and gets pongs; else it is the other way round. */
  readonly clientPings: boolean;
  /** The default namespace is connected without being asked for. */
  readonly connectsDefault: boolean;
  codec(namespace: string): Codec;
  /** The same for clients that may return for what they missed, where the protocol knows that. */
  recoverableCodec?(namespace: string): Codec;
  /** The packet that refuses a namespace that is not served. */
  invalidNamespace(namespace: string): string;
  /** The body of a poll's answer. */
  encodePayload(packets: readonly EnginePacket[]): string;
  /** The same for clients that take bytes; undefined if the protocol has no such form, or none of the packets wants it. */
  encodeBinaryPayload?(packets: readonly EnginePacket[]): Buffer | undefined;
  /** The packets of a polling body, in order; the types of texts are not looked at. @throws HiveError `bad_packet` */
  decodePayload(body: Buffer, form: BodyForm): EnginePacket[];
  /** The message in a binary WebSocket frame; undefined if there is none. */
  frameMessage(frame: Buffer): Buffer | undefined;
}

/** What the open packet tells every client; times in ms, sizes in bytes. */
export interface OpenData {
  readonly upgrades: readonly string[];
  readonly pingInterval: number;
  readonly pingTimeout: number;
  readonly maxPayload: number;
}

/** Makes the open packets that differ in their session id only. An id needs no escapes. */
export function openPackets(data: OpenData): (sid: string) => string {
  const rest = JSON.stringify(data).slice(1);
  return (sid) => `${packetTypes.open}{"sid":"${sid}",${rest}`;
}

/** The type of a packet; its data is the text from the second character on. @throws HiveError `bad_packet` */
export function packetType(text: string): EnginePacketType {
  const type = typeNames[text.charCodeAt(0) - 48];
  if (type === undefined) throw new HiveError('bad_packet', 'The Engine.IO packet has no known type.');
  return type;
}
