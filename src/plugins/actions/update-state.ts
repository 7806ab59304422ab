/** `action.update_state`: stores the pairs of the args in the client's state; other keys are kept. */
import { noArgs } from '../args.ts';
import type { Action, ActionPlugin } from '../types.ts';
import { objectArgs } from './args.ts';

const update: Action = {
  run(client, call) {
    return client.state.set(objectArgs(call));
  },
};

export const actionUpdateState: ActionPlugin = {
  args: noArgs,
  create: () => update,
};
