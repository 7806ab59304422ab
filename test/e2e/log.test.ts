/** What a real node logs: the levels that were asked for, into files that can be rotated, and neither secrets nor payloads. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { io } from 'socket.io-client';
import { DefaultNode } from '../support/default-node.ts';
import { eventually, next } from '../support/eventually.ts';
import { ask } from '../support/operator.ts';
import { SocketClient } from '../support/socket-clients.ts';

function logOf(node: DefaultNode, name: string): string {
  return readFileSync(join(node.directory, 'log', name), 'utf8');
}

function levelsIn(log: string): string[] {
  const lines = log.split('\n').filter((line) => line !== '');
  return [...new Set(lines.map((line) => (JSON.parse(line) as { level: string }).level))].sort();
}

/** Makes the node log a notice and a warning. */
async function makeLog(node: DefaultNode): Promise<void> {
  await ask(node, 'api', 'POST', '/api/KEY/router/enable');
  await ask(node, 'api', 'GET', '/api/wrong/hive/version');
}

describe('log files', () => {
  const filters: readonly (readonly [
    file: string,
    console: string,
    inFile: string[],
    onConsole: string[] | undefined,
  ])[] = [
    ['info', '=warning', ['notice', 'warning'], ['warning']],
    ['=notice', '!=warning', ['notice'], ['notice']],
    ['<=notice', '<warning', ['notice'], ['notice']],
    ['>notice', '>=notice', ['warning'], ['notice', 'warning']],
    ['error', 'none', [], undefined],
  ];
  for (const [file, console, inFile, onConsole] of filters) {
    test(`hive.log of ${file} and a console of ${console} take what they say`, async (t) => {
      const node = await DefaultNode.start((config) => {
        Object.assign(config.log!, { file_level: file, console_level: console });
      });
      t.after(() => node.stop());
      await makeLog(node);
      await node.process.stop();
      const notices = (levels: string[]) => levels.filter((level) => level !== 'info');
      assert.deepEqual(notices(levelsIn(logOf(node, 'hive.log'))), inFile);
      if (onConsole) assert.deepEqual(notices(levelsIn(logOf(node, 'console.log'))), onConsole);
      else assert.ok(!existsSync(join(node.directory, 'log', 'console.log')));
      assert.equal(node.process.stderr.includes('wrong key'), onConsole?.includes('warning') ?? false);
      assert.equal(logOf(node, 'error.log'), '');
    });
  }

  test('are opened anew at SIGHUP, so that they can be moved away', async (t) => {
    const node = await DefaultNode.start();
    t.after(() => node.stop());
    const names = readdirSync(join(node.directory, 'log'));
    assert.deepEqual(names.sort(), ['console.log', 'crash.log', 'error.log', 'hive.log']);
    await eventually(() => logOf(node, 'hive.log').includes('Started version'), 'the first lines');
    const path = (name: string) => join(node.directory, 'log', name);
    for (const name of names) renameSync(path(name), path(`${name}.1`));
    node.process.signal('SIGHUP');
    await eventually(() => names.every((name) => existsSync(path(name))), 'the new files');
    await ask(node, 'api', 'POST', '/api/KEY/router/disable');
    await eventually(() => logOf(node, 'hive.log').includes('New clients are refused'), 'a line in the new file');
    assert.ok(!logOf(node, 'hive.log.1').includes('New clients are refused'));
    assert.match(logOf(node, 'hive.log.1'), /"msg":"Started version/);
  });
});

/** In everything that clients, back ends and operators send, and in the configuration's secrets. */
const payload = 'PAYLOAD-MARKER';
const secret = 'SECRET-MARKER';

/** Actions that actions refuse, each for what they carry. */
const badOrders: Readonly<Record<string, object>> = {
  'odd action': { action: payload, args: payload },
  'trigger id': { action: 'send_ack', args: [], trigger_id: payload },
  'no trigger id': { action: 'send_ack', args: payload },
  'odd event': { action: 'send', args: payload },
  'odd state': { action: 'store', args: payload },
  'odd dispatch': { action: 'dispatch', args: { [payload]: payload } },
  'odd hooks': { action: 'add_hooks', args: { [payload]: [{ hook: payload, args: payload }] } },
  'odd hook args': {
    action: 'add_hooks',
    args: { x: [{ hook: 'hp.post', args: { connector: payload, endpoint: payload } }] },
  },
  'odd hook': { action: 'add_hooks', args: { [payload]: payload } },
  'odd removal': { action: 'remove_hooks', args: { [payload]: payload } },
  'odd pool': {
    action: 'start_connectors',
    args: { [payload]: { connector: payload, size: 1, overflow: 0, args: payload } },
  },
  'odd pool args': {
    action: 'start_connectors',
    args: { x: { connector: 'connector.http', size: 1, overflow: 0, args: { base_url: payload, [payload]: payload } } },
  },
  'odd pools': { action: 'stop_connectors', args: payload },
  'unknown pool': { action: 'stop_connectors', args: [payload] },
  'odd publish': { action: 'publish', args: { event: { action: payload }, cids: payload } },
  'odd channels': { action: 'publish', args: { event: [], cids: { [payload]: null } } },
  'unknown channels': { action: 'join', args: { [payload]: payload } },
  'private channels': { action: 'join', args: { closed: payload } },
};

/** A back end whose answers are good actions, bad ones, and no actions at all. */
async function startBackEnd(): Promise<{ port: number; close: () => void }> {
  const answers: Record<string, readonly [number, string]> = {
    '/good': [200, JSON.stringify({ action: 'send', args: { name: 'answer', args: [payload] } })],
    '/rubbish': [200, payload],
    '/none': [200, JSON.stringify({ fly: payload })],
    '/unknown': [200, JSON.stringify({ action: 'fly', args: payload })],
    '/fails': [500, payload],
    '/error': [200, JSON.stringify({ action: 'error', args: payload })],
    '/state': [200, JSON.stringify({ action: 'store', args: { nick: payload } })],
    '/stop': [200, JSON.stringify({ action: 'stop', args: payload })],
  };
  for (const [name, order] of Object.entries(badOrders)) answers[`/${name}`] = [200, JSON.stringify(order)];
  const server = createServer((request, response) => {
    const [status, body] = answers[decodeURIComponent(request.url ?? '')] ?? [200, '[]'];
    request.resume().on('end', () => response.writeHead(status).end(body));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return { port: (server.address() as { port: number }).port, close: () => server.close() };
}

test('a busy node logs neither secrets nor payloads, also when things go wrong', async (t) => {
  const backEnd = await startBackEnd();
  t.after(backEnd.close);
  const endpoints = [
    ...Object.keys(badOrders),
    'good',
    'rubbish',
    'none',
    'unknown',
    'fails',
    'error',
    'state',
    'put',
    'stop',
  ];
  const node = await DefaultNode.start((config) => {
    Object.assign(config.hive!, { cluster_cookie: `cookie-${secret}` });
    config.api!.hash = `api-${secret}`;
    config.monitor!.hash = `monitor-${secret}`;
    Object.assign(config.log!, { file_level: 'info', console_level: 'info' });
    const args = { base_url: `http://127.0.0.1:${backEnd.port}`, max_connection_timeout: 2000, max_connections: 4 };
    config.connectors!.pools = { web: { connector: 'connector.http', size: 1, overflow: 1, args } };
    const hooks = config.clients!.hooks as Record<string, unknown>;
    const hook = (name: string, endpoint: string) => [{ hook: name, args: { connector: 'web', endpoint } }];
    for (const name of endpoints)
      hooks[name] = hook(name === 'put' ? 'hp.put' : 'hp.post', `/${encodeURIComponent(name)}`);
    hooks.ping = [{ hook: 'utils.console_dump', args: 'Look: ' }, ...(hooks.ping as unknown[])];
    const actions = config.clients!.actions as Record<string, unknown>;
    const action = (name: string, args: string | null = null) => [{ action: `action.${name}`, args }];
    const plain = ['send_ack', 'dispatch', 'add_hooks', 'remove_hooks', 'start_connectors', 'stop_connectors'];
    for (const name of plain) actions[name] = action(name);
    Object.assign(actions, {
      store: action('update_state'),
      publish: action('pubsub.publish', 'private'),
      join: action('pubsub.subscribe', 'public'),
    });
    Object.assign(config.pubsub!.channels as object, { closed: { privilege: 'private', timeout: 0 } });
    hooks.on_connect = hook('hp.post', '/state');
    hooks.on_disconnect = hook('hp.put', '/fails');
    // It is repeated until the node has stopped.
    config.hive!.graceful_termination_timeout = 500;
  });
  t.after(() => node.stop());

  const client = io(node.url, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    auth: { token: payload },
    query: { token: payload },
    extraHeaders: { cookie: `session=${payload}` },
  });
  await next(client, 'connect');
  const sid = client.id ?? '';
  const errors: unknown[] = [];
  client.on('hive_error', (error) => errors.push(error));
  const ended = next(client, 'disconnect');
  client.emit('subscribe', [`ping.${'room'}`]);
  client.emit('subscribe', [null, { [payload]: payload }]);
  client.emit('ping', { action: 'send', args: { name: 'pong', args: [payload] } });
  client.emit('on_connect', payload);
  client.send(payload);
  for (const name of endpoints.slice(0, -1)) client.emit(name, { secret: payload });
  const sink = await SocketClient.connect('0.9 websocket', node.url);

  const call = (path: string, body: unknown) => ask(node, 'api', 'POST', `/api/KEY/${path}`, body);
  await call(`clients/action/${sid}`, { action: 'send', args: { name: 'x', args: [payload] } });
  await call(`clients/action/${sid}`, { action: 'send', args: { [payload]: payload } });
  await call(`clients/action/${sid}`, `{${payload}`);
  await call(`clients/action/${sid}`, { [payload]: payload });
  await call(`clients/action/${sid}x`, { action: 'send', args: payload });
  await call('pubsub/action/ping.room', { action: 'fly', args: payload });
  await call('pubsub/action/ping.room', { action: 'send', args: payload });
  await call('pubsub/publish/ping.room', { name: 'x', args: [payload] });
  await call('pubsub/publish/ping.room', payload);
  await call(`pubsub/subscribe/${sid}`, [payload, null]);
  await call('batch', [{ method: 'POST', path: 'pubsub/publish/ping', body: payload }, payload]);
  // The right key in the wrong place.
  for (const path of ['/api/x/KEY/hive/version', '/api/hive/KEY', '/monitor/KEY', '/api/KEYx/KEY']) {
    await ask(node, 'api', 'GET', path);
  }
  await ask(node, 'monitor', 'GET', '/monitor/x/KEY');
  await eventually(() => errors.length >= 9 + Object.keys(badOrders).length, 'the errors');
  client.emit('stop', payload);
  await ended;
  sink.disconnect();
  await call('router/terminate', payload);
  await node.process.stop();

  const logs = readdirSync(join(node.directory, 'log')).map((name) => logOf(node, name));
  const everything = [...logs, node.process.stderr, node.process.stdout].join('\n');
  const telling = everything.split('\n').filter((line) => [payload, secret, sid].some((part) => line.includes(part)));
  assert.deepEqual(telling, []);
  assert.equal(logOf(node, 'crash.log'), '');
  assert.match(logOf(node, 'hive.log'), /"Look: ping, \d+ bytes of metadata"/);

  // What was hidden from the client can be found.
  for (const { description } of errors as { description: string }[]) {
    const [, reference] = /reference ([0-9a-f]{8})/.exec(description) ?? [];
    assert.ok(reference !== undefined && logOf(node, 'hive.log').includes(`"reference":"${reference}"`), description);
  }
  const codes = [...logOf(node, 'hive.log').matchAll(/"reference":"[^"]*".*?"error":"([^"]*)"/g)].map(
    ([, code]) => code,
  );
  for (const code of [
    'invalid_json',
    'bad_internal_event',
    'bad_channel_id',
    'http_error',
    'bad_external_event',
    'bad_hook_descriptor',
    'plugins_error',
    'no_config',
    'bad_http_connector_args',
    'bad_connector_id',
    'access_denied',
    'stopped',
  ]) {
    assert.ok(codes.includes(code), `${code} is not among ${codes}`);
  }
});
