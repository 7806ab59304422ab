/**
 * The wire format for clients that return for what they missed (Socket.IO's connection state recovery): events have one more
 * argument, their position in what the node sends. What goes to many clients is encoded once without it:
 *
 *   42["say","hello"     +     ,"kD3fG7-_2s1"]
 *   head, the same for all     tail, given where the packet leaves (src/sessions/positions.ts)
 */
import type { Encoded, ServerPacket } from './packet.ts';
import { SocketV5Codec } from './socketio-v5.ts';

/** The tail of an event that has no position. */
export const noPosition = ']';

/** Whether it can have a position: acknowledgements, and events that ask for one, have none and are not recovered. */
export function isPositioned(packet: ServerPacket): boolean {
  return packet.type === 'message' || (packet.type === 'event' && packet.id === undefined);
}

/** A head with its tail; the tail is empty for packets that are not positioned. */
export function withTail(head: Encoded, tail: string): Encoded {
  if (typeof head === 'string') return head + tail;
  const { text, frames, length } = head;
  return { text: text + tail, frames, length: length + tail.length };
}

/** Encodes for one namespace of Socket.IO v5: heads of what can have a position, all of what cannot. */
export class RecoverableV5Codec extends SocketV5Codec {
  override readonly isRecoverable = true;

  constructor(namespace: string) {
    super(namespace, `5r${namespace}`);
  }

  override encode(packet: ServerPacket): Encoded {
    const encoded = super.encode(packet);
    if (!isPositioned(packet)) return encoded;
    if (typeof encoded === 'string') return encoded.slice(0, -1);
    return { ...encoded, text: encoded.text.slice(0, -1), length: encoded.length - 1 };
  }
}
