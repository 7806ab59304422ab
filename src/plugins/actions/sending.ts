/** Actions that only send one packet, the same for every client. */
import type { ServerPacket } from '../../protocol/packet.ts';
import type { Action, ActionCall } from '../types.ts';

export function sending(packet: (call: ActionCall) => ServerPacket): Action {
  return {
    packet,
    run(client, call) {
      client.send(packet(call));
    },
  };
}
