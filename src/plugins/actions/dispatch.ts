/** `action.dispatch`: runs the hooks of the event in the args, as if the client had sent it with that trigger id. */
import { ClientEvent, eventFromValue, parseTrigger } from '../../protocol/packet.ts';
import { noArgs } from '../args.ts';
import type { Action, ActionPlugin } from '../types.ts';

const dispatch: Action = {
  run(client, { args, trigger_id: triggerId }) {
    const { name, argsJson } = eventFromValue(args);
    const { id, ackWithData } = parseTrigger(triggerId);
    return client.dispatch(new ClientEvent(name, argsJson, id, ackWithData), triggerId);
  },
};

export const actionDispatch: ActionPlugin = {
  args: noArgs,
  create: () => dispatch,
};
