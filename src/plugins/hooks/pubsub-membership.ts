/**
 * `pubsub.subscribe`, `pubsub.unsubscribe`, `pubsub.resubscribe`: each argument of the client's event is a channel
 * expression. `args` is the privilege. The special events have no arguments, so they change no subscription.
 */
import { channelIds, resubscription } from '../../protocol/backend/channel-expression.ts';
import { privilegeArg, privilegeOf } from '../args.ts';
import { HookCounter } from '../hook-counter.ts';
import type { HookPlugin, Privilege } from '../types.ts';

export const pubsubSubscribe: HookPlugin<Privilege | null> = {
  usesMetadata: false,
  args: privilegeArg,
  create(args, { metrics }) {
    const runs = new HookCounter(metrics, 'pubsub.subscribe');
    const privilege = privilegeOf(args);
    return (client, { name, event }) => {
      runs.count(name);
      return event ? client.subscribe(channelIds(event.args), privilege) : undefined;
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
export const pubsubResubscribe: HookPlugin<Privilege | null> = {
  usesMetadata: false,
  args: privilegeArg,
  create(args, { metrics }) {
    const runs = new HookCounter(metrics, 'pubsub.unsubscribe');
    const privilege = privilegeOf(args);
    return async (client, { name, event }) => {
      runs.count(name);
      if (!event) return;
      const { leave, join } = resubscription(event.args);
      await client.unsubscribe(leave, privilege);
      await client.subscribe(join, privilege);
    };
  },
};
