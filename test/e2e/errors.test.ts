/** The failures that back ends and clients can cause, as clients are told them: in development by their codes. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { io, type Socket } from 'socket.io-client';
import { DefaultNode } from '../support/default-node.ts';
import { eventually, next } from '../support/eventually.ts';
import { connectLegacy } from '../support/legacy-client.ts';
import { ask, type Failure, metric } from '../support/operator.ts';
import { freePorts } from '../support/ports.ts';

const hook = (name: string, args: unknown) => [{ hook: name, args }];
const order = (action: string, args: unknown) => ({ action, args });
const pool = (connector: string, args: unknown) =>
  order('start_connectors', { fresh: { connector, size: 1, overflow: 0, args } });
const hooks = (name: string, args: unknown) => order('add_hooks', { fresh: hook(name, args) });

interface Row {
  readonly code: string;
  /** What the back end orders, or the event that the client sends. */
  readonly order?: { action: string; args: unknown };
  readonly event?: string;
  readonly args?: readonly unknown[];
  readonly says: RegExp;
}

const rows: readonly Row[] = [
  { code: 'bad_internal_event', order: order('fly', null), says: /no action fly/ },
  { code: 'bad_external_event', order: order('send', { name: 5 }), says: /name/ },
  { code: 'internal_error', order: order('error', { any: 'thing' }), says: /^\{"any":"thing"\}$/ },
  { code: 'plugins_error', order: hooks('utils.ecco', null), says: /Did you mean utils\.echo/ },
  { code: 'plugins_error', order: pool('connector.ftp', null), says: /connector\.ftp/ },
  {
    code: 'bad_hook_descriptor',
    order: order('add_hooks', { fresh: [{ hook: 'utils.echo' }] }),
    says: /hooks\.fresh\[0\]\.args/,
  },
  { code: 'bad_config', order: hooks('hp.post', { connector: 'web' }), says: /endpoint.*missing/ },
  { code: 'no_config', order: hooks('hp.post', { connector: 'nowhere', endpoint: '/' }), says: /no pool of that name/ },
  {
    code: 'bad_connector_descriptor',
    order: order('start_connectors', { fresh: { connector: 'connector.http' } }),
    says: /missing/,
  },
  { code: 'bad_http_connector_args', order: pool('connector.http', { base_url: 'gopher://x' }), says: /./ },
  { code: 'bad_tcp_connector_args', order: pool('connector.tcp', { port: 'x' }), says: /missing/ },
  { code: 'bad_redis_connector_args', order: pool('connector.redis', { port: 'x' }), says: /missing/ },
  {
    code: 'already_started',
    order: order('start_connectors', {
      web: {
        connector: 'connector.http',
        size: 1,
        overflow: 0,
        args: { base_url: 'http://127.0.0.1:9', max_connection_timeout: 1, max_connections: 1 },
      },
    }),
    says: /web exists already/,
  },
  { code: 'bad_connector_id', order: order('stop_connectors', ['nowhere']), says: /nowhere/ },
  { code: 'bad_channel_id', order: order('subscribe', ['weather.berlin']), says: /weather/ },
  {
    code: 'limit_exceeded',
    order: order('add_hooks', { loop: new Array(1000).fill({ hook: 'utils.echo', args: null }) }),
    says: /1000 hooks \(clients\.max_hooks_per_event\)/,
  },
  {
    code: 'limit_exceeded',
    order: order('subscribe', [{ ping: Array.from({ length: 1001 }, (_, n) => n) }]),
    says: /1000 channels \(pubsub\.max_subscriptions_per_client\)/,
  },
  { code: 'access_denied', order: order('subscribe', ['secret.plan']), says: /secret\.plan/ },
  { code: 'bad_external_event', event: 'on_connect', args: [1], says: /reserved/ },
  { code: 'dispatch_too_deep', event: 'loop', says: /levels deep/ },
  { code: 'invalid_json', event: 'rubbish', says: /not JSON/ },
  { code: 'http_error', event: 'fails', says: /500/ },
  { code: 'http_error', event: 'dead', says: /dead|ECONNREFUSED|reach/i },
  { code: 'tcp_error', event: 'lonely', says: /./ },
  { code: 'connector_error', event: 'busy', args: [], says: /no worker got free/ },
];

/** Answers `/fails` with 500, `/rubbish` with rubbish, `/slow` never. */
async function startBackEnd(): Promise<{ server: Server; port: number; slow: number }> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      if (request.url === '/fails') response.writeHead(500).end('no');
      else if (request.url === '/loop') response.end(JSON.stringify(order('again', { name: 'loop', args: [] })));
      else if (request.url === '/rubbish') response.end('rubbish');
      else if (request.url === '/slow') backEnd.slow += 1;
      else response.end('[]');
    });
  });
  const backEnd = { server, port: 0, slow: 0 };
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  backEnd.port = (server.address() as { port: number }).port;
  return backEnd;
}

describe('errors reach who can do something about them', () => {
  let node: DefaultNode;
  let backEnd: Awaited<ReturnType<typeof startBackEnd>>;
  let client: Socket;

  before(async () => {
    backEnd = await startBackEnd();
    const [tcp] = await freePorts(1);
    // Nobody listens there; one that is merely free may be taken by the node itself.
    const dead = 1;
    const http = (port: number | undefined) => ({
      base_url: `http://127.0.0.1:${port}`,
      max_connection_timeout: 1500,
      max_connections: 1,
    });
    node = await DefaultNode.start((config) => {
      config.hive!.mode = 'development';
      config.connectors = {
        rent_timeout: 200,
        backoff_num: 1,
        backoff_time: 0,
        pools: {
          web: { connector: 'connector.http', size: 2, overflow: 0, args: http(backEnd.port) },
          narrow: { connector: 'connector.http', size: 1, overflow: 0, args: http(backEnd.port) },
          dead: { connector: 'connector.http', size: 1, overflow: 0, args: http(dead) },
          lonely: {
            connector: 'connector.tcp',
            size: 1,
            overflow: 0,
            args: { port: tcp, restart_timeout: 0, max_connection_timeout: 200 },
          },
        },
      };
      config.pubsub!.channels = {
        ping: { privilege: 'public', timeout: 0 },
        secret: { privilege: 'private', timeout: 0 },
      };
      const actions = config.clients!.actions as Record<string, unknown>;
      for (const name of ['add_hooks', 'start_connectors', 'stop_connectors']) {
        actions[name] = [{ action: `action.${name}`, args: null }];
      }
      actions.again = [{ action: 'action.dispatch', args: null }];
      const post = (connector: string, endpoint: string) => hook('hp.post', { connector, endpoint });
      Object.assign(config.clients!.hooks!, {
        loop: post('web', '/loop'),
        rubbish: post('web', '/rubbish'),
        fails: post('web', '/fails'),
        dead: post('dead', '/'),
        lonely: post('lonely', '/'),
        slow: post('narrow', '/slow'),
        busy: post('narrow', '/'),
      });
    });
    client = io(node.url, { transports: ['websocket'], forceNew: true, reconnection: false });
    await next(client, 'connect');
  });
  after(async () => {
    client?.disconnect();
    await node?.stop();
    backEnd.server.close().closeAllConnections();
  });

  for (const { code, order, event, args = [], says } of rows) {
    test(`${code}: ${event ?? JSON.stringify(order)}`, async () => {
      const told = next(client, 'hive_error');
      let other: Socket | undefined;
      if (event === 'busy') {
        other = io(node.url, { transports: ['websocket'], forceNew: true, reconnection: false });
        await next(other, 'connect');
        other.emit('slow');
        await eventually(() => backEnd.slow > 0, 'the request that takes all of the pool');
      }
      if (event === undefined) await ask(node, 'api', 'POST', `/api/KEY/clients/action/${client.id}`, order);
      else client.emit(event, ...args);
      const { error, description } = (await told) as Failure;
      other?.disconnect();
      assert.equal(error, code, description);
      assert.match(description, says);
    });
  }

  test('client_error: a message of a 0.9 client, if nothing is done with messages', async () => {
    const legacy = connectLegacy(node.url, 'websocket');
    await next(legacy, 'connect');
    const told = next(legacy, 'hive_error');
    legacy.send('hello');
    assert.equal(((await told) as Failure).error, 'client_error');
    legacy.disconnect();
  });

  test('what is refused at run time is counted as a mistake of the configuration or of plugins', async () => {
    assert.equal(await metric(node, 'hive.plugin_errors'), 2);
    assert.equal(await metric(node, 'hive.config_errors'), 6);
  });
});
