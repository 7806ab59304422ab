/** `action.send_message`: sends the args as a nameless message; a string as it is, anything else as JSON text. */
import { MessagePacket } from '../../protocol/packet.ts';
import { noArgs } from '../args.ts';
import type { ActionPlugin } from '../types.ts';
import { textOf } from './args.ts';
import { sending } from './sending.ts';

const send = sending(({ args }) => new MessagePacket(textOf(args), false));

export const actionSendMessage: ActionPlugin = {
  args: noArgs,
  create: () => send,
};
