/**
 * `action.pubsub.publish` and `.publish_raw`: publish `{"event": …, "cids": channel expression}`. The event of the first is
 * an action (or an array of them) that every subscriber runs, that of the second is sent to the clients as it is.
 */

import { toActionCalls } from '../../protocol/backend/action-call.ts';
import { channelIds } from '../../protocol/backend/channel-expression.ts';
import { eventFromValue } from '../../protocol/packet.ts';
import { privilegeArg, privilegeOf } from '../args.ts';
import type { ActionCall, ActionPlugin, Privilege } from '../types.ts';
import { badArgs, objectArgs } from './args.ts';

export const actionPublish: ActionPlugin<Privilege | null> = {
  args: privilegeArg,
  create(args, { pubsub }) {
    const privilege = privilegeOf(args);
    return {
      run(_client, call) {
        const { event, channels } = publication(call);
        pubsub.publish(channels, privilege, { type: 'actions', actions: toActionCalls(event) });
      },
    };
  },
};

export const actionPublishRaw: ActionPlugin<Privilege | null> = {
  args: privilegeArg,
  create(args, { pubsub }) {
    const privilege = privilegeOf(args);
    return {
      run(_client, call) {
        const { event, channels } = publication(call);
        pubsub.publish(channels, privilege, { type: 'event', packet: eventFromValue(event) });
      },
    };
  },
};

function publication(call: ActionCall): { event: unknown; channels: string[] } {
  const { event, cids } = objectArgs(call);
  if (event === undefined) throw badArgs(call, 'lack the event');
  if (cids === undefined) throw badArgs(call, 'lack cids');
  return { event, channels: channelIds(cids) };
}
