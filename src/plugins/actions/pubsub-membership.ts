/**
 * `action.pubsub.subscribe`, `.unsubscribe`, `.resubscribe`: the args of the order are a channel expression, those of the
 * descriptor the privilege.
 */
import { channelIds, resubscription } from '../../protocol/backend/channel-expression.ts';
import { privilegeArg, privilegeOf } from '../args.ts';
import type { ActionPlugin, Privilege } from '../types.ts';

export const actionSubscribe: ActionPlugin<Privilege | null> = {
  args: privilegeArg,
  create(args) {
    const privilege = privilegeOf(args);
    return { perform: (client, order) => client.subscribe(channelIds(order.args), privilege) };
  },
};

export const actionUnsubscribe: ActionPlugin<Privilege | null> = {
  args: privilegeArg,
  create(args) {
    const privilege = privilegeOf(args);
    return { perform: (client, order) => client.unsubscribe(channelIds(order.args), privilege) };
  },
};

export const actionResubscribe: ActionPlugin<Privilege | null> = {
  args: privilegeArg,
  create(args) {
    const privilege = privilegeOf(args);
    return {
      async perform(client, order) {
        const { leave, join } = resubscription(order.args);
        await client.unsubscribe(leave, privilege);
        await client.subscribe(join, privilege);
      },
    };
  },
};
