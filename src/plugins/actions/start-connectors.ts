/**
 * `action.start_connectors`: starts pools on this node: `{name: {"connector": …, "size": …, "overflow": …, "args": …}, …}`, one
 * after the other. The first that cannot be started ends the list; those before it stay.
 */
import { noArgs } from '../args.ts';
import type { ActionPlugin, PoolDescriptor } from '../types.ts';
import { objectArgs } from './args.ts';

export const actionStartConnectors: ActionPlugin = {
  args: noArgs,
  create: (_args, { pools }) => ({
    async run(_client, call) {
      // The pools check their descriptors.
      for (const [name, descriptor] of Object.entries(objectArgs(call))) {
        await pools.start(name, descriptor as PoolDescriptor);
      }
    },
  }),
};
