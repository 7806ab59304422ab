/** Calls about the node itself, and about the admission of clients. */
import { Type } from 'typebox';
import { done, ok, operation } from '../operation.ts';
import { cluster, reached } from '../schemas.ts';

const everybody = Type.Object(reached, { description: 'An empty body without `cluster`.' });

const drainage = Type.Object(
  {
    admits: Type.Boolean({ description: 'Whether new clients are accepted.' }),
    handing_over: Type.Boolean({ description: 'Whether sessions are being handed over.' }),
    connections: Type.Integer({ description: 'Connections that are to be closed for it.' }),
    clients: Type.Integer({ description: 'Clients that are to be closed for it.' }),
    stays: Type.Union([Type.String(), Type.Null()], { description: 'Why no session is handed over.' }),
  },
  { $id: 'Drainage' },
);

export const hiveOperations = [
  operation({
    name: 'version',
    method: 'GET',
    path: 'hive/version',
    summary: 'The version of the node, as text.',
    answer: Type.String(),
    run: (host) => ok(host.version),
  }),
  operation({
    name: 'stop',
    method: 'POST',
    path: 'hive/stop',
    summary: 'Stops the node, or all, gracefully.',
    query: cluster,
    answer: everybody,
    run: async (host, { query }) => {
      if (!query.cluster) return { status: 200, afterwards: () => host.stop() };
      // Closed first: clients of the first node would only move on to the next one.
      return { ...ok(await host.cluster.disable()), afterwards: () => host.cluster.stop() };
    },
  }),
];

export const routerOperations = [
  operation({
    name: 'enable',
    method: 'POST',
    path: 'router/enable',
    summary: 'Accepts new clients again, and calls off terminations.',
    query: cluster,
    answer: everybody,
    run: async (host, { query }) => {
      if (query.cluster) return ok(await host.cluster.enable());
      host.enable();
      return done;
    },
  }),
  operation({
    name: 'disable',
    method: 'POST',
    path: 'router/disable',
    summary: 'Refuses new clients; connected ones stay.',
    query: cluster,
    answer: everybody,
    run: async (host, { query }) => {
      if (query.cluster) return ok(await host.cluster.disable());
      host.disable();
      return done;
    },
  }),
  operation({
    name: 'drainage',
    method: 'GET',
    path: 'router/drain',
    summary: 'How far the node is out of rotation.',
    answer: drainage,
    run: (host) => ok(host.drainage),
  }),
  operation({
    name: 'drain',
    method: 'POST',
    path: 'router/drain',
    summary: 'Refuses new clients, and hands over the sessions that can go on at other nodes.',
    answer: drainage,
    run: (host) => {
      host.drain();
      return ok(host.drainage);
    },
  }),
  operation({
    name: 'terminate',
    method: 'POST',
    path: 'router/terminate',
    summary: 'Asks the clients to leave.',
    query: cluster,
    body: Type.String({ description: 'The reason, as text.' }),
    answer: everybody,
    run: async (host, { query, body }) => {
      if (query.cluster) {
        return { ...ok(await host.cluster.disable()), afterwards: () => host.cluster.terminate(body.text) };
      }
      host.terminate(body.text);
      return done;
    },
  }),
];
