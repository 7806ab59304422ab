/** Actions that do nothing but send one packet, the same for every client. */
import type { ServerPacket } from '../../protocol/packet.ts';
import type { Action, InternalEvent } from '../types.ts';

export function sending(packet: (order: InternalEvent) => ServerPacket): Action {
  return {
    packet,
    perform(client, order) {
      client.send(packet(order));
    },
  };
}
