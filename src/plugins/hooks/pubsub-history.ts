/**
 * `pubsub.history`: answers the client with a part of a channel's history. The arguments of its event are the channel and, if it likes,
 * `{since, epoch, limit, reverse}`; the answer is the acknowledgement, or an event of the same name if the client has not asked for one.
 */
import { HiveError } from '../../observe/errors.ts';
import { AckPacket, EventPacket } from '../../protocol/packet.ts';
import { privilegeArg, privilegeOf } from '../args.ts';
import { historyQueryForm, historyQueryOf } from '../history-query.ts';
import { HookCounter } from '../hook-counter.ts';
import type { HistoryPageQuery, HookPlugin, Privilege } from '../types.ts';

export const pubsubHistory: HookPlugin<Privilege | null> = {
  usesMetadata: false,
  args: privilegeArg,
  create(args, { metrics, pubsub }) {
    const runs = new HookCounter(metrics, 'pubsub.history');
    const privilege = privilegeOf(args);
    return async (client, { name, event }) => {
      runs.count(name);
      if (!event) return;
      const [channel, query] = readArgs(event.args);
      const answer = JSON.stringify([await pubsub.history(channel, privilege, query)]);
      client.send(event.id === undefined ? new EventPacket(name, answer) : new AckPacket(event.id, answer));
    };
  },
};

function readArgs(args: readonly unknown[]): [channel: string, query: HistoryPageQuery] {
  const [channel, given = {}] = args;
  const query = historyQueryOf(given);
  if (typeof channel === 'string' && query && args.length <= 2) return [channel, query];
  throw new HiveError('bad_external_event', `pubsub.history takes a channel and ${historyQueryForm}.`);
}
