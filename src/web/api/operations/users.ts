/** Calls about users: each is about all sessions of one, wherever in the cluster they are. */
import { Type } from 'typebox';
import { ok, operation } from '../operation.ts';
import { actions, event, listedClient, page, paging, reached, wholeCluster } from '../schemas.ts';

const id = "The user's id, as the state has it under `clients.user`.";

const outcome = Type.Object(
  {
    sessions: Type.Integer({ description: 'How many were reached.' }),
    failed: Type.Array(
      Type.Object({ sid: Type.String(), error: Type.String(), description: Type.String() }, { $id: 'FailedSession' }),
      { description: 'Those that could not be reached.' },
    ),
    ...reached,
  },
  { $id: 'UserOutcome' },
);

export const userOperations = [
  operation({
    name: 'sessionsOf',
    method: 'GET',
    path: 'users/sessions',
    id,
    summary: 'The sessions of a user, in parts.',
    query: { ...paging, ...wholeCluster },
    answer: page('clients', listedClient),
    run: async ({ cluster }, { id, query: { cursor, limit } }) =>
      ok(await cluster.clients({ user: id }, { after: cursor, limit })),
  }),
  operation({
    name: 'sendToUser',
    method: 'POST',
    path: 'users/event',
    id,
    summary: 'Sends each session of a user an event.',
    body: event,
    answer: outcome,
    errors: ['invalid_json', 'bad_external_event'],
    run: async ({ cluster }, { id, body }) => ok(await cluster.users.send(id, body.event())),
  }),
  operation({
    name: 'actOnUser',
    method: 'POST',
    path: 'users/action',
    id,
    summary: 'Has each session of a user run actions.',
    body: actions,
    answer: outcome,
    errors: ['invalid_json', 'bad_internal_event'],
    run: async ({ cluster }, { id, body }) => ok(await cluster.users.runActions(id, body.actions())),
  }),
  operation({
    name: 'disconnectUser',
    method: 'POST',
    path: 'users/disconnect',
    id,
    summary: 'Ends each session of a user; its clients are told not to come back by themselves.',
    answer: outcome,
    run: async ({ cluster }, { id }) => ok(await cluster.users.disconnect(id)),
  }),
];
