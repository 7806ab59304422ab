/** `action.remove_hooks`: removes all hooks of the named events, for this client. Unknown names are ignored. */
import { noArgs } from '../args.ts';
import type { Action, ActionPlugin } from '../types.ts';
import { badArgs } from './args.ts';

const remove: Action = {
  perform(client, order) {
    const { args } = order;
    if (!Array.isArray(args) || !args.every((event) => typeof event === 'string')) {
      throw badArgs(order, 'must be an array of event names');
    }
    client.removeHooks(args);
  },
};

export const actionRemoveHooks: ActionPlugin = {
  args: noArgs,
  create: () => remove,
};
