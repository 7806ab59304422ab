/**
 * `action.pubsub.subscribe`, `.unsubscribe`, `.resubscribe`: the args of the call are a channel expression, those of the
 * descriptor the privilege.
 */
import { channelIds, resubscription } from '../../protocol/backend/channel-expression.ts';
import { privilegeArg, privilegeOf, type SubscribeArg, subscribeArg, subscribeArgOf } from '../args.ts';
import type { ActionPlugin, Privilege } from '../types.ts';

export const actionSubscribe: ActionPlugin<SubscribeArg> = {
  args: subscribeArg,
  create(args) {
    const { privilege, replay } = subscribeArgOf(args);
    return { run: (client, call) => client.subscribe(channelIds(call.args), privilege, replay) };
  },
};

export const actionUnsubscribe: ActionPlugin<Privilege | null> = {
  args: privilegeArg,
  create(args) {
    const privilege = privilegeOf(args);
    return { run: (client, call) => client.unsubscribe(channelIds(call.args), privilege) };
  },
};

export const actionResubscribe: ActionPlugin<SubscribeArg> = {
  args: subscribeArg,
  create(args) {
    const { privilege, replay } = subscribeArgOf(args);
    return {
      async run(client, call) {
        const { leave, join } = resubscription(call.args);
        await client.unsubscribe(leave, privilege);
        await client.subscribe(join, privilege, replay);
      },
    };
  },
};
