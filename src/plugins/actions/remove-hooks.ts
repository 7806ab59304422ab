/** `action.remove_hooks`: removes all hooks of the named events, for this client. Unknown names are ignored. */
import { noArgs } from '../args.ts';
import type { Action, ActionPlugin } from '../types.ts';
import { badArgs } from './args.ts';

const remove: Action = {
  run(client, call) {
    const { args } = call;
    if (!Array.isArray(args) || !args.every((event) => typeof event === 'string')) {
      throw badArgs(call, 'must be an array of event names');
    }
    client.removeHooks(args);
  },
};

export const actionRemoveHooks: ActionPlugin = {
  args: noArgs,
  create: () => remove,
};
