/** Calls about channels, and about which clients are in them. */
import { Type } from 'typebox';
import { notFound } from '../../http/api-key.ts';
import { maxPage, type Unconfirmed } from '../api-host.ts';
import { type Answer, done, ok, operation } from '../operation.ts';
import {
  actions,
  channels,
  cluster,
  confirm,
  event,
  page,
  paging,
  reached,
  timeout,
  unconfirmed,
  wholeCluster,
} from '../schemas.ts';

const channel = 'A channel, with all below it.';
const client = "The client's session id.";
const oneChannel = 'A channel, without those below it.';

const listedChannel = Type.Object(
  {
    channel: Type.String(),
    subscribed_clients: Type.Integer(),
    published: Type.Integer({ description: 'Publications since the first node has had the channel.' }),
  },
  { $id: 'Channel' },
);

const historyPart = Type.Object(
  {
    channel: Type.String(),
    epoch: Type.String({ description: 'Of the offsets. A later one is the greater text.' }),
    offset: Type.Integer({ description: 'The last one that was given; 0: none in this epoch.' }),
    entries: Type.Array(
      Type.Object({
        offset: Type.Integer(),
        at: Type.Integer({ description: 'Milliseconds since 1970.' }),
        name: Type.Optional(Type.String()),
        args: Type.Optional(Type.Unknown()),
        message: Type.Optional(Type.Unknown({ description: 'A nameless message.' })),
        actions: Type.Optional(Type.Array(Type.Unknown())),
      }),
      { description: 'Events, which have a name and args; nameless messages; or actions.' },
    ),
    complete: Type.Boolean({
      description: 'Whether everything behind `since` is kept still; without it, everything of the epoch.',
    }),
  },
  { $id: 'History' },
);

const ofHistories = ['bad_channel_id', 'cluster_error', 'not_running', 'redis_error', 'timeout'] as const;

/** What may keep a client from joining or leaving channels. */
const ofSubscriptions = [
  'bad_request',
  'bad_channel_id',
  'bad_session_id',
  'cluster_error',
  'limit_exceeded',
  'pubsub_error',
  'router_error',
  'not_running',
  'timeout',
] as const;

export const pubsubOperations = [
  operation({
    name: 'channels',
    method: 'GET',
    path: 'pubsub/channels',
    summary: 'The channels of the cluster, or those under a prefix, in parts.',
    query: {
      prefix: Type.String({ default: '', description: 'Only this channel and those below it.' }),
      ...paging,
      ...wholeCluster,
    },
    answer: page('channels', listedChannel),
    errors: ['bad_channel_id'],
    run: async (host, { query: { prefix, cursor, limit } }) =>
      ok(await host.cluster.channels(prefix, { after: cursor, limit })),
  }),
  operation({
    name: 'publish',
    method: 'POST',
    path: 'pubsub/publish',
    id: channel,
    summary: 'Sends an event to every subscriber.',
    query: confirm,
    body: event,
    answer: unconfirmed,
    errors: ['invalid_json', 'bad_external_event', 'bad_channel_id'],
    run: (host, { id, query, body }) => published(host.publishEvent(id, body.event(), query.confirm === 'cluster')),
  }),
  operation({
    name: 'publishMany',
    method: 'POST',
    path: 'pubsub/publish',
    summary: 'Sends several events, each to the subscribers of its channels; all or none.',
    query: confirm,
    body: Type.Array(
      Type.Object({
        ...event.properties,
        channel: Type.Optional(Type.Unknown({ description: 'Its channel; or an expression for several.' })),
        channels: Type.Optional(Type.Unknown({ description: 'The same.' })),
      }),
      { maxItems: 1000 },
    ),
    answer: unconfirmed,
    errors: ['invalid_json', 'bad_external_event', 'bad_request', 'bad_channel_id'],
    run: (host, { query, body }) => {
      // As in 2014: a publish that lacks its channel.
      if (body.text === '') throw notFound('bad_api_request');
      return published(host.publishMany(body.publications(), query.confirm === 'cluster'));
    },
  }),
  operation({
    name: 'askChannel',
    method: 'POST',
    path: 'pubsub/ask',
    id: channel,
    summary: 'Sends every subscriber an event, and answers with what they acknowledge in time.',
    query: timeout,
    body: event,
    answer: Type.Object({
      answers: Type.Array(Type.Object({ sid: Type.String(), args: Type.Array(Type.Unknown()) })),
      unanswered: Type.Array(Type.Object({ sid: Type.String(), error: Type.String() }), {
        description: 'Clients that are there and have not answered, and why.',
      }),
      ...reached,
    }),
    errors: ['invalid_json', 'bad_external_event', 'bad_channel_id'],
    run: async (host, { id, query, body }) => ok(await host.askChannel(id, body.event(), query.timeout)),
  }),
  operation({
    name: 'actOnChannel',
    method: 'POST',
    path: 'pubsub/action',
    id: channel,
    summary: 'Has every subscriber run actions.',
    query: confirm,
    body: actions,
    answer: unconfirmed,
    errors: ['invalid_json', 'bad_internal_event', 'bad_channel_id'],
    run: (host, { id, query, body }) => published(host.publishActions(id, body.actions(), query.confirm === 'cluster')),
  }),
  operation({
    name: 'history',
    method: 'GET',
    path: 'pubsub/history',
    id: oneChannel,
    summary: 'What was published to a channel whose template has a history.',
    query: {
      since: Type.Optional(
        Type.Integer({ minimum: 0, description: 'Only what comes behind this offset. Absent: the last ones.' }),
      ),
      epoch: Type.Optional(Type.String({ description: 'The epoch that `since` is of. Absent: the present one.' })),
      limit: Type.Integer({ default: 100, minimum: 1, maximum: maxPage, description: 'Entries at most.' }),
      reverse: Type.Boolean({ default: false, description: 'Whether the newest come first, and are the ones.' }),
    },
    answer: historyPart,
    errors: ofHistories,
    run: async (host, { id, query }) => ok(await host.history(id, query)),
  }),
  operation({
    name: 'clearHistory',
    method: 'DELETE',
    path: 'pubsub/history',
    id: oneChannel,
    summary: 'Forgets what was published to a channel; its numbers go on.',
    errors: ofHistories,
    run: async (host, { id }) => {
      await host.clearHistory(id);
      return done;
    },
  }),
  operation({
    name: 'subscribers',
    method: 'GET',
    path: 'pubsub/subscribe',
    id: channel,
    summary: 'How many are subscribed, on this node or on all.',
    query: cluster,
    answer: Type.Object({
      subscribed_clients: Type.Integer(),
      nodes: Type.Optional(reached.nodes),
      missing: Type.Optional(reached.missing),
    }),
    errors: ['bad_channel_id', 'unknown_channel_id'],
    run: async (host, { id, query }) =>
      ok(query.cluster ? await host.cluster.subscribers(id) : { subscribed_clients: host.subscribers(id) }),
  }),
  operation({
    name: 'subscribe',
    method: 'POST',
    path: 'pubsub/subscribe',
    id: client,
    summary: 'Subscribes a client, whatever the privilege of the channels.',
    body: channels,
    errors: ofSubscriptions,
    run: async (host, { id, body }) => {
      await host.subscribe(id, body.channels());
      return done;
    },
  }),
  operation({
    name: 'unsubscribe',
    method: 'DELETE',
    path: 'pubsub/subscribe',
    id: client,
    summary: 'Unsubscribes a client from channels and from all below them.',
    body: channels,
    errors: ofSubscriptions,
    run: async (host, { id, body }) => {
      await host.unsubscribe(id, body.channels());
      return done;
    },
  }),
];

/** Undefined if it concerns no other node, or nobody asks. */
function published(unconfirmed: Unconfirmed | undefined): Answer {
  return unconfirmed ? { status: 200, unconfirmed } : done;
}
