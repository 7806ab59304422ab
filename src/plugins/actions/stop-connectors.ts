/**
 * `action.stop_connectors`: stops the named pools of this node, one after the other. A pool finishes its requests;
 * the next action waits for that, so one answer can stop a pool and start it again.
 */
import { noArgs } from '../args.ts';
import type { ActionPlugin } from '../types.ts';
import { badArgs } from './args.ts';

export const actionStopConnectors: ActionPlugin = {
  args: noArgs,
  create: (_args, { pools }) => ({
    async run(_client, call) {
      const { args } = call;
      if (!Array.isArray(args) || !args.every((name) => typeof name === 'string')) {
        throw badArgs(call, 'must be an array of pool names');
      }
      for (const name of args) await pools.stop(name);
    },
  }),
};
