/**
 * `pubsub.publish`: publishes what the client sent to fixed channels. Each argument of its event is an action that every
 * subscriber runs, or with `raw` an event that every subscriber receives.
 */
import { type Static, Type } from 'typebox';
import { toHiveError } from '../../observe/errors.ts';
import { toActionCalls } from '../../protocol/backend/action-call.ts';
import { channelIds } from '../../protocol/backend/channel-expression.ts';
import { eventFromValue } from '../../protocol/packet.ts';
import { privilegeArg, privilegeOf } from '../args.ts';
import { HookCounter } from '../hook-counter.ts';
import type { HookPlugin } from '../types.ts';

const schema = Type.Object(
  {
    cids: Type.Unknown({ description: 'Channel expression.' }),
    privilege: Type.Optional(privilegeArg),
    raw: Type.Boolean({ default: false, description: 'The arguments are events for clients, not actions.' }),
  },
  { additionalProperties: false },
);

export const pubsubPublish: HookPlugin<Static<typeof schema>> = {
  usesMetadata: false,
  args: schema,
  check({ cids }) {
    try {
      channelIds(cids);
      return undefined;
    } catch (error) {
      return { code: 'bad_channel_id', path: 'cids', reason: toHiveError(error).message };
    }
  },
  create(args, { metrics, pubsub }) {
    const runs = new HookCounter(metrics, 'pubsub.publish');
    const channels = channelIds(args.cids);
    const privilege = privilegeOf(args.privilege);
    return (_client, { name, event }) => {
      runs.count(name);
      if (!event) return;
      if (!args.raw) {
        pubsub.publish(channels, privilege, { type: 'actions', actions: toActionCalls(event.args) });
        return;
      }
      for (const packet of event.args.map(eventFromValue))
        pubsub.publish(channels, privilege, { type: 'event', packet });
    };
  },
};
