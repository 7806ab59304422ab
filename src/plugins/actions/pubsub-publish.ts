/**
 * `action.pubsub.publish` and `.publish_raw`: publish `{"event": …, "cids": channel expression}`. The event of the first is
 * an order (or an array of them) that every subscriber performs, that of the second goes to the clients as it is.
 */

import { toInternalEvents } from '../../protocol/backend/action-call.ts';
import { channelIds } from '../../protocol/backend/channel-expression.ts';
import { eventFromValue } from '../../protocol/packet.ts';
import { privilegeArg, privilegeOf } from '../args.ts';
import type { ActionPlugin, InternalEvent, Privilege } from '../types.ts';
import { badArgs, objectArgs } from './args.ts';

export const actionPublish: ActionPlugin<Privilege | null> = {
  args: privilegeArg,
  create(args, { pubsub }) {
    const privilege = privilegeOf(args);
    return {
      perform(_client, order) {
        const { event, channels } = publication(order);
        pubsub.publish(channels, privilege, { type: 'orders', orders: toInternalEvents(event) });
      },
    };
  },
};

export const actionPublishRaw: ActionPlugin<Privilege | null> = {
  args: privilegeArg,
  create(args, { pubsub }) {
    const privilege = privilegeOf(args);
    return {
      perform(_client, order) {
        const { event, channels } = publication(order);
        pubsub.publish(channels, privilege, { type: 'event', packet: eventFromValue(event) });
      },
    };
  },
};

function publication(order: InternalEvent): { event: unknown; channels: string[] } {
  const { event, cids } = objectArgs(order);
  if (event === undefined) throw badArgs(order, 'lack the event');
  if (cids === undefined) throw badArgs(order, 'lack cids');
  return { event, channels: channelIds(cids) };
}
