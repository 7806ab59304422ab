/**
 * Engine.IO protocol v4: packets and polling payloads. A packet is a type digit and data; a payload is packets joined by
 * the record separator, which cannot occur in JSON.
 */
import { HiveError } from '../observe/errors.ts';

export const packetTypes = {
  open: '0',
  close: '1',
  ping: '2',
  pong: '3',
  message: '4',
  upgrade: '5',
  noop: '6',
} as const;

export type EnginePacketType = keyof typeof packetTypes;

const separator = '\x1e';
const typeNames = Object.keys(packetTypes) as EnginePacketType[];

/** What the open packet tells the client; times in ms, sizes in bytes. */
export interface OpenData {
  readonly sid: string;
  readonly upgrades: readonly string[];
  readonly pingInterval: number;
  readonly pingTimeout: number;
  readonly maxPayload: number;
}

export function openPacket(data: OpenData): string {
  return packetTypes.open + JSON.stringify(data);
}

/** The type of a packet; its data is the text from the second character on. @throws HiveError `bad_packet` */
export function packetType(text: string): EnginePacketType {
  const type = typeNames[text.charCodeAt(0) - 48];
  if (type === undefined) throw new HiveError('bad_packet', 'The Engine.IO packet has no known type.');
  return type;
}

export function encodePayload(packets: readonly string[]): string {
  return packets.length === 1 ? packets[0]! : packets.join(separator);
}

/** The packets of a polling body, in order. Their types are not looked at here. @throws HiveError `bad_packet` */
export function decodePayload(text: string): string[] {
  if (text === '') throw new HiveError('bad_packet', 'The payload is empty.');
  return text.split(separator);
}
