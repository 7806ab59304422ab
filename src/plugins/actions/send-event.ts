/**
 * `action.send_event`: sends the event in the args, `{"name": …, "args": […]}`. With a trigger id the event carries it.
 */
import { EventPacket, eventFromValue, parseTrigger } from '../../protocol/packet.ts';
import { noArgs } from '../args.ts';
import type { ActionCall, ActionPlugin } from '../types.ts';
import { sending } from './sending.ts';

function packet({ args, trigger_id: triggerId }: ActionCall): EventPacket {
  const event = eventFromValue(args);
  if (triggerId === '') return event;
  const { id, ackWithData } = parseTrigger(triggerId);
  return new EventPacket(event.name, event.argsJson, id, ackWithData);
}

const send = sending(packet);

export const actionSendEvent: ActionPlugin = {
  args: noArgs,
  create: () => send,
};
