/** What Erlang processes get of a packet: `{event, Name, Args}`, `{message, Data}`, `{ack, Id, Args}`. */
import { atom, type Tuple, tuple } from '../../distribution/codec/terms.ts';
import type { ServerPacket } from '../../protocol/packet.ts';

export function contentOf(packet: ServerPacket): Tuple {
  switch (packet.type) {
    case 'event':
      return tuple(atom('event'), packet.name, JSON.parse(packet.argsJson));
    case 'message':
      return tuple(atom('message'), packet.data);
    case 'ack':
      return tuple(atom('ack'), packet.id, JSON.parse(packet.argsJson));
  }
}
