/**
 * `pubsub.subscribe`, `pubsub.unsubscribe`, `pubsub.resubscribe`: each argument of the client's event is a channel
 * expression. `args` is the privilege, for those that subscribe with `replay`. The special events have no arguments, so they change no subscription.
 */
import { channelIds, resubscription } from '../../protocol/backend/channel-expression.ts';
import { privilegeArg, privilegeOf, type SubscribeArg, subscribeArg, subscribeArgOf } from '../args.ts';
import { HookCounter } from '../hook-counter.ts';
import type { HookPlugin, Privilege } from '../types.ts';

export const pubsubSubscribe: HookPlugin<SubscribeArg> = {
  usesMetadata: false,
  args: subscribeArg,
  create(args, { metrics }) {
    const runs = new HookCounter(metrics, 'pubsub.subscribe');
    const { privilege, replay } = subscribeArgOf(args);
    return (client, { name, event }) => {
      runs.count(name);
      return event ? client.subscribe(channelIds(event.args), privilege, replay) : undefined;
    };
  },
};

export const pubsubUnsubscribe: HookPlugin<Privilege | null> = {
  usesMetadata: false,
  args: privilegeArg,
  create(args, { metrics }) {
    const runs = new HookCounter(metrics, 'pubsub.unsubscribe');
    const privilege = privilegeOf(args);
    return (client, { name, event }) => {
      runs.count(name);
      return event ? client.unsubscribe(channelIds(event.args), privilege) : undefined;
    };
  },
};

/** Counts as `pubsub.unsubscribe`, as it did in 2014. */
export const pubsubResubscribe: HookPlugin<SubscribeArg> = {
  usesMetadata: false,
  args: subscribeArg,
  create(args, { metrics }) {
    const runs = new HookCounter(metrics, 'pubsub.unsubscribe');
    const { privilege, replay } = subscribeArgOf(args);
    return async (client, { name, event }) => {
      runs.count(name);
      if (!event) return;
      const { leave, join } = resubscription(event.args);
      await client.unsubscribe(leave, privilege);
      await client.subscribe(join, privilege, replay);
    };
  },
};
