/** Who is in a channel. */
import { Type } from 'typebox';
import { ok, operation } from '../operation.ts';
import { reached } from '../schemas.ts';

const presence = Type.Object(
  {
    channel: Type.String(),
    members: Type.Optional(
      Type.Array(
        Type.Object({
          sid: Type.String(),
          user: Type.Union([Type.String(), Type.Null()]),
          info: Type.Record(Type.String(), Type.Unknown(), { description: 'What the template shows of the state.' }),
        }),
        { description: 'In the order of session ids; absent with `count`.' },
      ),
    ),
    cursor: Type.Optional(
      Type.Union([Type.String(), Type.Null()], { description: 'For the next part; null: this is the last one.' }),
    ),
    sessions: Type.Integer({ description: 'Of all members.' }),
    users: Type.Integer({ description: 'Of all members.' }),
    version: Type.String({ description: 'Names the moment, as `presence` events of the same node do.' }),
    missing: reached.missing,
  },
  { $id: 'Presence' },
);

export const presenceOperations = [
  operation({
    name: 'presence',
    method: 'GET',
    path: 'pubsub/presence',
    id: 'A channel, without those below it.',
    summary: 'Who is in a channel whose template has `presence`, on all nodes, in parts.',
    query: {
      cursor: Type.String({ default: '', description: 'The `cursor` of the part before.' }),
      limit: Type.Integer({ default: 100, minimum: 1, maximum: 10_000, description: 'Members at most.' }),
      count: Type.Boolean({ default: false, description: 'Whether only the numbers are wanted.' }),
    },
    answer: presence,
    errors: ['bad_channel_id'],
    run: (host, { id, query: { cursor, limit, count } }) => {
      const { members, cursor: next, ...numbers } = host.presence(id, { after: cursor, limit: count ? 1 : limit });
      return ok(count ? numbers : { members, cursor: next, ...numbers });
    },
  }),
];
