/**
 * `pubsub.presence`: answers the client with who is in a channel. The arguments of its event are the channel and, if it likes,
 * `{cursor, limit}`; the answer is the acknowledgement, or an event of the same name if the client has not asked for one.
 */
import { HiveError } from '../../observe/errors.ts';
import { AckPacket, EventPacket } from '../../protocol/packet.ts';
import { privilegeArg, privilegeOf } from '../args.ts';
import { HookCounter } from '../hook-counter.ts';
import type { HookPlugin, Privilege } from '../types.ts';

export const pubsubPresence: HookPlugin<Privilege | null> = {
  usesMetadata: false,
  args: privilegeArg,
  create(args, { metrics, pubsub }) {
    const runs = new HookCounter(metrics, 'pubsub.presence');
    const privilege = privilegeOf(args);
    return (client, { name, event }) => {
      runs.count(name);
      if (!event) return;
      const { channel, ...page } = readArgs(event.args);
      const answer = JSON.stringify([pubsub.presence(channel, privilege, page)]);
      client.send(event.id === undefined ? new EventPacket(name, answer) : new AckPacket(event.id, answer));
    };
  },
};

const usualLimit = 100;
const maxLimit = 1000;

/** @throws HiveError `bad_external_event` */
function readArgs(args: readonly unknown[]): { channel: string; after: string; limit: number } {
  const [channel, given = {}] = args;
  const isPage = typeof given === 'object' && given !== null && !Array.isArray(given);
  const { cursor = '', limit = usualLimit, ...more } = (isPage ? given : { unknown: given }) as Record<string, unknown>;
  const isLimit = Number.isInteger(limit) && Number(limit) >= 1 && Number(limit) <= maxLimit;
  const isWhole = args.length <= 2 && Object.keys(more).length === 0;
  if (typeof channel === 'string' && typeof cursor === 'string' && isLimit && isWhole) {
    return { channel, after: cursor, limit: Number(limit) };
  }
  const form = `{"cursor": text, "limit": 1 to ${maxLimit}}, each if wanted`;
  throw new HiveError('bad_external_event', `pubsub.presence takes a channel and ${form}.`);
}
