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
        },
        { description: 'Template of all channels with that prefix.' },
      ),
      'Prefix → template. The prefix of a channel id is its part before the first dot.',
      { default: {} },
    ),
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
