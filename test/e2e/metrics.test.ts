/** Every metric moves: a busy run through the wire, after which those that are still 0 must have a reason. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { test } from 'node:test';
import { io } from 'socket.io-client';
import { DefaultNode } from '../support/default-node.ts';
import { eventually, next } from '../support/eventually.ts';
import { metricNames, poolMetricNames } from '../support/metric-names.ts';
import { ask, metric } from '../support/operator.ts';
import { freePorts } from '../support/ports.ts';
import { SocketClient } from '../support/socket-clients.ts';

/** Why these are 0 after the run. */
const still: Readonly<Record<string, string>> = {
  'hive.errors': 'a server that cannot listen ends the start of the node',
  'hive.memory.atom': 'nothing like it here',
  'hive.cluster.calls': 'needs other nodes: test/e2e/compatibility-cluster.test.ts',
  'hive.cluster.errors': 'a node that cannot take part: test/cluster/cluster-actor.test.ts',
  'hive.router.msg_queue_length': 'empty as soon as there is time to look',
  'hive.actors.abandoned': 'test/unit/kernel/zombies.test.ts',
  'hive.actors.crashes': 'crashes are bugs: test/e2e/plugins.test.ts',
  'hive.actors.dead_letters': 'whoever has ended is not written to',
  'hive.dead_letters.dead': 'the same',
  'hive.dead_letters.full': 'test/unit/kernel/dead-letters.test.ts',
  'hive.dead_letters.unknown_name': 'the same',
  'hive.dead_letters.no_connection': 'the same',
  'hive.actors.unexpected': 'needs plugins or nodes with faults: test/e2e/erlang-nonsense.test.ts',
  'hive.log.lost': 'everything is read: test/regression/stuck-console.test.ts',
  'hive.log.counted': 'few lines of each kind: test/regression/event-floods.test.ts',
  'hive.distribution.sent': 'needs other nodes: test/cluster/distribution.test.ts',
  'hive.distribution.received': 'the same',
  'hive.distribution.errors': 'the same',
  'hive.distribution.queued_bytes': 'the same',
  'hive.distribution.max_queued_bytes': 'the same',
  'hive.alarms.clients.set': 'nobody looks before the run is over: test/e2e/alarms.test.ts',
  'hive.alarms.mailbox.set': 'the same',
  'hive.alarms.event_loop_delay.set': 'the same',
  'hive.alarms.queue.set': 'the same',
  'hive.alarms.memory.set': 'the same',
  'hive.alarms.open_files.set': 'the same',
  'clients.too_many_errors': 'test/regression/event-floods.test.ts',
  'clients.recovery.lost': 'needs clients.recovery: test/e2e/recovery.test.ts',
  'clients.recovery.suspended': 'the same',
  'clients.recovery.recovered': 'the same',
  'clients.recovery.away': 'the same',
  'clients.recovery.expired': 'the same',
  'clients.recovery.evicted': 'the same',
  'clients.recovery.events': 'the same',
  'clients.recovery.unknown': 'the same',
  'clients.recovery.ended': 'the same',
  'clients.recovery.incomplete': 'the same',
  'clients.recovery.too_much': 'the same',
  'clients.recovery.journal.entries': 'the same',
  'clients.recovery.journal.bytes': 'the same',
  'clients.recovery.journal.age_ms': 'the same',
  'clients.states.suspended': 'the same',
  'clients.hooks.pubsub.history': 'test/e2e/history.test.ts',
  'clients.hooks.pubsub.presence': 'test/cluster/presence.test.ts',
  'api.idempotency.keys': 'test/cluster/idempotency.test.ts',
  'api.idempotency.bytes': 'the same',
  'api.idempotency.replayed': 'the same',
  'api.idempotency.reused': 'the same',
  'api.idempotency.uncertain': 'the same',
  'clients.asks.asked': 'test/protocol/asks.test.ts',
  'clients.asks.answered': 'the same',
  'clients.asks.unanswered': 'the same',
  'clients.departures.waiting': 'needs a back end that is away: test/e2e/departures.test.ts',
  'clients.departures.oldest_ms': 'the same',
  'clients.departures.told': 'the same',
  'clients.departures.repeated': 'the same',
  'clients.departures.given_up': 'the same',
  'clients.states.generic': 'passed through',
  'clients.states.transient': 'passed through',
  'clients.states.polling': 'no such state any more',
  'clients.state_mgr.errors': 'sm.local does not fail: test/unit/plugins/state-managers/redis.test.ts',
  'clients.events.control': 'see the end of the run',
  'clients.events.control_errors': 'on_terminate hooks that fail',
  'clients.transports.http.???': 'there are no other answers',
  'clients.transports.http.5XX': 'refused clients: test/protocol/socketio-4.test.ts',
  'clients.transports.websocket.bad': 'error packets of the 0.9 protocol: test/protocol/legacy.test.ts',
  'clients.transports.websocket.errors': 'the same',
  'clients.transports.too_slow': 'test/protocol/client-server.test.ts',
  'clients.transports.too_many_packets': 'floods: test/protocol',
  'clients.transports.too_many_connections': 'test/regression/address-limits.test.ts',
  'clients.transports.too_many_handshakes': 'the same',
  'clients.transports.overruns':
    'requests of clients that do not wait for answers: test/cluster/relay-exchanges.test.ts',
  'connectors.unsafe_transactions': 'workers are not lent',
  'pubsub.channels.ping.errors': 'crashes of channels',
  'pubsub.dropped': 'needs a node that hangs: test/fault/hung-node.test.ts',
  'pubsub.gaps': 'the same',
  'pubsub.missed': 'the same',
  'pubsub.unconfirmed': 'the same',
  'pubsub.unacknowledged': 'needs other nodes: test/cluster/pubsub-links.test.ts',
  'pubsub.unacknowledged_bytes': 'the same',
  'pubsub.resent': 'the same',
  'pubsub.confirmed': 'the same',
  'pubsub.confirmation_latency': 'the same',
};

/** Those of the relay need other nodes: test/cluster. */
const concernsOneNode = (name: string) => !name.startsWith('hive.relay.');

/** What is so only for a moment: test/unit/actors/connectors/pool.test.ts. */
const lasts = (name: string) => name !== 'busy' && name !== 'waiting';

async function startBackEnd(): Promise<{ server: Server; port: number }> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      if (request.url === '/hangs') return;
      if (request.url === '/fails') response.writeHead(500);
      response.end('');
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return { server, port: (server.address() as { port: number }).port };
}

/** Opens a session of Engine.IO and goes away while a poll waits. */
async function abortPoll(node: DefaultNode): Promise<void> {
  const url = `${node.url}/socket.io/?EIO=4&transport=polling`;
  const { sid } = JSON.parse((await (await fetch(url)).text()).slice(1)) as { sid: string };
  const before = (await metric(node, 'clients.transports.http.requests')) ?? 0;
  const abort = new AbortController();
  const poll = fetch(`${url}&sid=${sid}`, { signal: abort.signal });
  await eventually(async () => (await metric(node, 'clients.transports.http.requests')) === before + 1, 'the poll');
  abort.abort();
  await assert.rejects(poll);
  await eventually(async () => (await metric(node, 'clients.transports.http.hang_up')) === 1, 'its end');
}

test('every metric counts what it says it counts, or has a reason not to', async (t) => {
  const { server, port } = await startBackEnd();
  t.after(() => server.close().closeAllConnections());
  const [dead] = await freePorts(1);
  const node = await DefaultNode.start((config) => {
    config.hive!.direct_websocket = false;
    config.monitor!.alarms = { interval: 3_600_000 };
    config.hive!.allowed_origins = [null];
    const args = (to: number | undefined) => ({
      base_url: `http://127.0.0.1:${to}`,
      max_connection_timeout: 500,
      max_connections: 4,
    });
    const pool = (to: number | undefined) => ({ connector: 'connector.http', size: 1, overflow: 1, args: args(to) });
    Object.assign(config.connectors!, {
      pools: { web: pool(port), dead: pool(dead) },
      backoff_num: 2,
      backoff_time: 1,
    });
    const actions = config.clients!.actions as Record<string, unknown>;
    for (const name of ['add_hooks', 'start_connectors', 'stop_connectors'])
      actions[name] = [{ action: `action.${name}`, args: null }];
    const hook = (name: string, endpoint: string, connector = 'web') => [{ hook: name, args: { connector, endpoint } }];
    Object.assign(config.clients!.hooks!, {
      get: hook('hp.get', '/'),
      put: hook('hp.put', '/'),
      post: hook('hp.post', '/'),
      fails: hook('hp.post', '/fails'),
      hangs: hook('hp.post', '/hangs'),
      dead: hook('hp.post', '/', 'dead'),
    });
  });
  t.after(() => node.stop());

  const client = io(node.url, { transports: ['websocket'], forceNew: true, reconnection: false });
  await next(client, 'connect');
  const poller = await SocketClient.connect('0.9 xhr-polling', node.url);
  t.after(() => client.disconnect());
  t.after(() => poller.disconnect());
  const api = (method: string, path: string, body: unknown = '') =>
    ask(node, 'api', method, `/api/KEY/${path}`, body === '' ? undefined : body);
  const order = (action: string, args: unknown) => api('POST', `clients/action/${client.id}`, { action, args });

  for (const name of ['get', 'put', 'post', 'fails', 'hangs', 'dead']) client.emit(name);
  client.emit('subscribe', ['ping.a', 'ping.b']);
  client.emit('unsubscribe', ['ping.b']);
  client.emit('ping', { action: 'send', args: { name: 'pong', args: [] } });
  client.emit('ping', 5);
  for (const name of ['subscribe', 'unsubscribe']) client.emit(name, [null]);
  await order('store', { nick: 'ann' });
  await order('fly', null);
  await order('add_hooks', { fresh: [{ hook: 'utils.ecco', args: null }] });
  await order('add_hooks', { fresh: [{ hook: 'hp.post', args: 5 }] });
  const fresh = {
    connector: 'connector.http',
    size: 1,
    overflow: 0,
    args: { base_url: `http://127.0.0.1:${port}`, max_connection_timeout: 500, max_connections: 1 },
  };
  await order('start_connectors', { fresh });
  await order('stop_connectors', ['fresh']);
  await order('stop_connectors', ['nowhere']);
  await api('POST', `pubsub/subscribe/${client.id}`, ['ping.c']);
  await api('DELETE', `pubsub/subscribe/${client.id}`, ['ping.c']);
  await api('POST', 'pubsub/publish/ping', { name: 'pong', args: [] });
  await api('GET', 'pubsub/subscribe/ping');
  await api('GET', 'pubsub/subscribe/nowhere');
  await api('POST', 'clients/action/nobody', []);
  await api('GET', 'users/sessions/ann');
  await api('POST', 'users/event/ann', {});
  await api('POST', 'router/enable');
  for (const path of ['hive/explode', 'router/explode']) await api('POST', path);
  await api('POST', 'batch', [{ method: 'GET', path: 'hive/version' }]);
  await api('POST', 'batch', {});
  await fetch(`${node.url}/socket.io/`, { headers: { origin: 'http://evil.example' } });
  const leaving = await SocketClient.connect('4.8 websocket', node.url);
  await leaving.disconnect();
  await abortPoll(node);
  await eventually(async () => (await metric(node, 'connectors.http.dead.errors')) === 1, 'the last failure');
  await eventually(async () => (await metric(node, 'connectors.stops')) === 2, 'the last stop');

  // Only the leaving of clients is controlled from outside.
  assert.equal(await metric(node, 'clients.events.control'), 0);
  const { json } = await ask(node, 'monitor', 'GET', '/monitor/KEY');
  /** Of a histogram how many it has timed. */
  const value = (path: string) => {
    const found = path
      .split('.')
      .reduce<unknown>((tree, segment) => (tree as Record<string, unknown>)?.[segment], json);
    return (found as { count?: number } | undefined)?.count ?? found;
  };
  await ask(node, 'api', 'POST', '/api/KEY/router/terminate', 'enough');
  await eventually(async () => (await metric(node, 'clients.events.control')) === 2, 'the ends of two clients');
  const names = [
    ...metricNames.filter(concernsOneNode),
    ...poolMetricNames.http.filter(lasts).map((name) => `connectors.http.web.${name}`),
  ];
  const zero = names.filter((name) => value(name) === 0 || value(name) === undefined);
  assert.deepEqual(
    zero.filter((name) => !(name in still)),
    [],
    'did not move',
  );
  assert.deepEqual(
    Object.keys(still).filter((name) => Number(value(name)) > 0),
    [],
    'moved all the same',
  );

  // Some of which the number is known.
  assert.deepEqual(
    ['clients.hooks.get', 'clients.hooks.dead', 'connectors.http.web', 'pubsub'].map((prefix) =>
      value(`${prefix}.latency`),
    ),
    [1, 1, 5, 1],
  );
  assert.deepEqual(
    [
      'clients.hooks.hp.get',
      'clients.hooks.hp.put',
      'clients.hooks.hp.post',
      'clients.hooks.get.hp.get',
      'connectors.http.web.sync_posts',
    ].map(value),
    [1, 1, 4, 1, 3],
  );
  assert.deepEqual(
    [
      'hive.plugin_errors',
      'hive.config_errors',
      'connectors.starts',
      'connectors.stops',
      'pubsub.subscribe',
      'pubsub.unsubscribe',
    ].map(value),
    [1, 1, 1, 2, 1, 1],
  );
});
