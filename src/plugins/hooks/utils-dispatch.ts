/** `utils.dispatch`: runs the arguments of the client's event as actions. Only for clients that are trusted with that. */
import { HiveError } from '../../observe/errors.ts';
import { toActionCalls } from '../../protocol/backend/action-call.ts';
import { noArgs } from '../args.ts';
import type { Hook, HookPlugin } from '../types.ts';

export const utilsDispatch: HookPlugin = {
  args: noArgs,
  create: () => dispatch,
};

const dispatch: Hook = (client, { name, event }) => {
  if (!event)
    throw new HiveError('bad_internal_event', `utils.dispatch finds no actions in ${name}: it has no arguments.`);
  return client.runActions(toActionCalls(event.args));
};
