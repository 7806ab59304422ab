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
              'Who may use the channels: `private` ones need a hook or action with the privilege `private`, or the API.',
          }),
          timeout: milliseconds('Time that a channel without subscribers is kept; 0 = for ever.', { minimum: 0 }),
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
      description: 'Channels that one client may be subscribed to at a time; 0 = no limit.',
    }),
    max_channels_per_client: Type.Integer({
      default: 1000,
      minimum: 0,
      maximum: 1_000_000,
      description:
        'Channels that are there because one client was the first to subscribe to them, with or without subscribers by now; 0 = no limit.',
    }),
  },
  { description: 'Templates of the publish/subscribe channels.' },
);
