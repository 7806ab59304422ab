/**
 * `action.send_ack`: acknowledges the client's event with that trigger id; the args are the data, an array or a single
 * value. An event that asked for no acknowledgement has no trigger id. Then the mistake is the back end's: the HTTP
 * API refuses the action, in the answer to a hook it is logged, and nothing is sent to the client.
 */
import { HiveError } from '../../observe/errors.ts';
import { type AckPacket, ackPacket, parseTrigger } from '../../protocol/packet.ts';
import { noArgs } from '../args.ts';
import type { Action, ActionCall, ActionPlugin } from '../types.ts';

function ackedId({ action, trigger_id: triggerId }: ActionCall): number {
  const { id } = parseTrigger(triggerId);
  if (id === undefined)
    throw new HiveError('bad_internal_event', `${action} needs the trigger_id that it acknowledges.`);
  return id;
}

function packet(call: ActionCall): AckPacket {
  const { args } = call;
  return ackPacket(ackedId(call), Array.isArray(args) ? args : [args]);
}

const unwanted = 'A back end acknowledges an event that wanted no acknowledgement';

const send: Action = {
  packet,
  check: ackedId,
  run(client, call) {
    if (call.trigger_id !== '') client.send(packet(call));
    else if (!client.log.excess(unwanted, 'back ends')) client.log.warning(unwanted);
  },
};

export const actionSendAck: ActionPlugin = {
  args: noArgs,
  create: () => send,
};
