/** Section `pubsub`: the channel templates. */
import { Type } from 'typebox';
import { mapOf, milliseconds, strictObject } from './fields.ts';

export const pubsubSchema = strictObject(
  {
    channels: mapOf(
      strictObject(
        {
          privilege: Type.Enum(['public', 'private'], {
            description:
              'Who may use the channels: `private` ones require a hook or action with the privilege `private`, or the API.',
          }),
          timeout: milliseconds('How long a channel without subscribers is kept; 0 = forever.', { minimum: 0 }),
          presence: Type.Optional(
            strictObject(
              {
                info: Type.Array(Type.String({ minLength: 1 }), {
                  default: [],
                  maxItems: 100,
                  description: 'Keys of the state whose values all may know.',
                }),
                events: Type.Boolean({
                  default: false,
                  description: 'Whether subscribers are told who joins and leaves, by `presence` events.',
                }),
              },
              { description: 'It is known, on all nodes, who is in the channels. Absent: it is not.' },
            ),
          ),
          history: Type.Optional(
            strictObject(
              {
                size: Type.Integer({
                  minimum: 1,
                  maximum: 100_000,
                  default: 100,
                  description: 'How many of the last publications are kept of each channel.',
                }),
                ttl: milliseconds('How long each is kept.', { minimum: 1, default: 3_600_000 }),
                store: Type.String({
                  minLength: 1,
                  default: 'memory',
                  description:
                    'Where: `memory`, at one node of the cluster for each channel; or the name of a `connector.redis` pool.',
                }),
              },
              { description: 'What was published is kept, and numbered. Absent: it is not.' },
            ),
          ),
        },
        { description: 'Template of all channels with that prefix.' },
      ),
      'Prefix → template. The prefix of a channel id is its part before the first dot.',
      { default: {} },
    ),
    history_max_bytes: Type.Integer({
      default: 64 * 1024 * 1024,
      minimum: 1024,
      maximum: 1024 ** 4,
      description:
        'About how much memory the histories with the store `memory` may take on one node, bytes; the oldest entries are forgotten first.',
    }),
    max_subscriptions_per_client: Type.Integer({
      default: 1000,
      minimum: 0,
      maximum: 1_000_000,
      description: 'Maximum number of channels that one client may be subscribed to; 0 = no limit.',
    }),
    max_channels_per_client: Type.Integer({
      default: 1000,
      minimum: 0,
      maximum: 1_000_000,
      description:
        'Maximum number of existing channels that one client was the first to subscribe to, whether or not they still have subscribers; 0 = no limit.',
    }),
  },
  { description: 'Templates of the publish/subscribe channels.' },
);
