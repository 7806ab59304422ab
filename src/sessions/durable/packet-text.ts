/** Packets as the journal in Redis has them: JSON text. */
import { EventPacket, MessagePacket, type ServerPacket } from '../../protocol/packet.ts';

export function packetToText(packet: ServerPacket): string {
  if (packet.type === 'event') return JSON.stringify([packet.name, packet.argsJson]);
  return JSON.stringify({
    data: packet.type === 'message' ? packet.data : null,
    json: packet.type === 'message' && packet.json,
  });
}

export function packetFromText(text: string): ServerPacket {
  const value: unknown = JSON.parse(text);
  if (Array.isArray(value)) return new EventPacket(String(value[0]), String(value[1]));
  const { data, json } = value as { data: unknown; json: boolean };
  return new MessagePacket(data, json);
}
