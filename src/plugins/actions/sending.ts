/** Actions that do nothing but send one packet, the same for every client. */
import type { ServerPacket } from '../../protocol/packet.ts';
import type { Action, ActionCall } from '../types.ts';

export function sending(packet: (order: ActionCall) => ServerPacket): Action {
  return {
    packet,
    run(client, order) {
      client.send(packet(order));
    },
  };
}
