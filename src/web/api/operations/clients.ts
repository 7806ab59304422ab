/** Calls about clients, wherever in the cluster they are. */
import { Type } from 'typebox';
import { done, ok, operation } from '../operation.ts';
import { actions, event, listedClient, page, paging, timeout, wholeCluster } from '../schemas.ts';

const id = "The client's session id.";
/** That a call about one client may fail with. */
const errors = ['bad_session_id', 'cluster_error', 'router_error', 'not_running', 'timeout'] as const;

export const clientOperations = [
  operation({
    name: 'clients',
    method: 'GET',
    path: 'clients',
    summary: 'The clients of the cluster, or those of a channel or user, in parts.',
    query: {
      channel: Type.String({ default: '', description: 'Only those in this channel or one below it.' }),
      user: Type.String({ default: '', description: 'Only those of this user.' }),
      ...paging,
      ...wholeCluster,
    },
    answer: page('clients', listedClient),
    errors: ['bad_channel_id'],
    run: async ({ cluster }, { query: { channel, user, cursor, limit } }) =>
      ok(await cluster.clients({ channel, user }, { after: cursor, limit })),
  }),
  operation({
    name: 'act',
    method: 'POST',
    path: 'clients/action',
    id,
    summary: 'Has the client run actions.',
    body: actions,
    errors: [...errors, 'invalid_json', 'bad_internal_event', 'overloaded'],
    run: async (host, { id, body }) => {
      await host.runActions(id, body.actions());
      return done;
    },
  }),
  operation({
    name: 'send',
    method: 'POST',
    path: 'clients/event',
    id,
    summary: 'Sends the client an event.',
    body: event,
    errors: [...errors, 'invalid_json', 'bad_external_event', 'overloaded'],
    run: async (host, { id, body }) => {
      await host.send(id, body.event());
      return done;
    },
  }),
  operation({
    name: 'disconnect',
    method: 'POST',
    path: 'clients/disconnect',
    id,
    summary: 'Ends the client, which is told not to come back by itself.',
    errors,
    run: async (host, { id }) => {
      await host.disconnect(id);
      return done;
    },
  }),
  operation({
    name: 'ask',
    method: 'POST',
    path: 'clients/ask',
    id,
    summary: 'Sends the client an event, and answers with what it acknowledges.',
    query: timeout,
    body: event,
    answer: Type.Object({ args: Type.Array(Type.Unknown()) }),
    errors: [...errors, 'invalid_json', 'bad_external_event', 'client_suspended', 'overloaded'],
    run: async (host, { id, query, body }) => {
      const answer = await host.ask(id, body.event(), query.timeout);
      return ok({ args: JSON.parse(answer) });
    },
  }),
];
