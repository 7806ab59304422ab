/**
 * `action.send_ack`: acknowledges the client's event with that trigger id; the args are the data, an array or a single
 * value.
 */
import { HiveError } from '../../observe/errors.ts';
import { type AckPacket, ackPacket, parseTrigger } from '../../protocol/packet.ts';
import { noArgs } from '../args.ts';
import type { ActionPlugin, InternalEvent } from '../types.ts';
import { sending } from './sending.ts';

function packet({ action, args, trigger_id: triggerId }: InternalEvent): AckPacket {
  const { id } = parseTrigger(triggerId);
  if (id === undefined)
    throw new HiveError('bad_internal_event', `${action} needs the trigger_id that it acknowledges.`);
  return ackPacket(id, Array.isArray(args) ? args : [args]);
}

const send = sending(packet);

export const actionSendAck: ActionPlugin = {
  args: noArgs,
  create: () => send,
};
