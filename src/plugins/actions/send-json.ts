/** `action.send_json`: sends the args as a nameless JSON message. */
import { MessagePacket } from '../../protocol/packet.ts';
import { noArgs } from '../args.ts';
import type { ActionPlugin } from '../types.ts';
import { sending } from './sending.ts';

const send = sending(({ args }) => new MessagePacket(args, true));

export const actionSendJson: ActionPlugin = {
  args: noArgs,
  create: () => send,
};
