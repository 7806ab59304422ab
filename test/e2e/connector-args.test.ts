/** Every argument of the built-in connectors has its effect on real sockets; a missing check fails. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { builtIn } from '../../src/plugins/built-in.ts';
import type { BackEndReply } from '../../src/plugins/connectors/back-end.ts';
import type { ConnectorPlugin } from '../../src/plugins/types.ts';
import { Authority } from '../support/certificates.ts';
import { startConnectors } from '../support/connectors.ts';
import { writeDefaultConfig } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { HiveProcess } from '../support/hive-process.ts';
import { freePorts } from '../support/ports.ts';
import { missing } from '../support/programs.ts';
import { RedisServer } from '../support/redis.ts';
import { SocketClient } from '../support/socket-clients.ts';
import { TcpBackEnd, TcpBackEndServer } from '../support/tcp-back-end.ts';

type Check = (t: TestContext) => Promise<void>;

const plugins = Object.entries(builtIn.connectors).map(([name, plugin]) => ({
  ...(plugin as ConnectorPlugin<never>),
  name,
}));

/** A running pool with these args, and what asks it. */
async function pool(t: TestContext, connector: string, args: object, size = 1) {
  const descriptor = { connector, size, overflow: 0, args };
  const connectors = await startConnectors({ pools: { it: descriptor }, plugins, rentTimeout: 5000 });
  t.after(() => connectors.close());
  return <Reply>(request: object) => connectors.pools.get('it').request<Reply>(request);
}

async function port(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await eventually(() => server.listening, 'the server to listen');
  t.after(() => void server.close());
  return (server.address() as AddressInfo).port;
}

async function http(t: TestContext, listener: RequestListener, args: object = {}, size = 1) {
  const server = createServer(listener);
  t.after(() => server.closeAllConnections());
  let connections = 0;
  server.on('connection', () => {
    connections += 1;
  });
  const base_url = `http://127.0.0.1:${await port(t, server)}/`;
  const ask = await pool(t, 'connector.http', { base_url, max_connection_timeout: 5000, ...args }, size);
  const get = async (endpoint: string) => (await ask<BackEndReply>({ method: 'GET', endpoint })).body;
  return { get, connections: () => connections };
}

async function tcp(t: TestContext, args: object) {
  const ask = await pool(t, 'connector.tcp', { restart_timeout: 0, max_connection_timeout: 5000, ...args });
  return async (body: string) => (await ask<BackEndReply>({ method: 'POST', endpoint: 'echo', body })).body;
}

/** A server that echoes what it gets, and a pool that connects to it. */
async function calling(t: TestContext, args: object = {}) {
  const server = new TcpBackEndServer((connection) => connection.echo());
  t.after(() => server.close());
  const post = await tcp(t, { host: '127.0.0.1', port: await server.listen(), ...args });
  return { post, server };
}

async function redis(t: TestContext, args: object, options: string[] = []) {
  const server = await RedisServer.start(options);
  t.after(() => server.stop());
  const base = { host: '127.0.0.1', port: server.port, database: 0, password: '', tls: false };
  const times = { restart_timeout: 0, reconnect_timeout: 100, max_reconnect_timeout: 5000 };
  const ask = await pool(t, 'connector.redis', { ...base, ...times, ...args });
  const run = async (...command: string[]) => (await ask<unknown[]>({ commands: [command] }))[0];
  return { run, server };
}

const guarded = ['--requirepass', 'open', '--user', 'hive', 'on', '>sesame', '~*', '+@all'];

const checks: Record<string, Record<string, Check>> = {
  'connector.http': {
    base_url: async (t) => {
      const { get } = await http(t, ({ url }, response) => response.end(url));
      assert.equal(await get('a?b=c'), '/a?b=c');
    },
    max_connection_timeout: async (t) => {
      const { get } = await http(t, () => {}, { max_connection_timeout: 100 });
      await assert.rejects(get('a'), { code: 'http_error', message: /no complete answer in time/ });
    },
    max_connections: async (t) => {
      const { get, connections } = await http(t, (_, response) => response.end('a'), { max_connections: 1 }, 4);
      await eventually(() => connections() === 1, 'the probe');
      assert.deepEqual(await Promise.all([get('1'), get('2'), get('3'), get('4')]), ['a', 'a', 'a', 'a']);
      assert.equal(connections(), 2);
    },
    max_connect_timeout: async (t) => {
      // Takes the connection, but never ends its TLS handshake.
      const silent = createTcpServer((socket) => t.after(() => socket.destroy()));
      const base_url = `https://127.0.0.1:${await port(t, silent)}/`;
      const args = { base_url, max_connection_timeout: 60_000, max_connect_timeout: 100 };
      const ask = await pool(t, 'connector.http', args);
      await assert.rejects(ask({ method: 'GET', endpoint: '' }), { code: 'http_error', message: /Connect Timeout/i });
    },
  },
  'connector.tcp': {
    host: async (t) => {
      const { post, server } = await calling(t);
      assert.equal(await post('a'), 'a');
      assert.equal(server.connections.length, 1);
    },
    port: async (t) => {
      const [free] = await freePorts(1);
      const post = await tcp(t, { port: free });
      const answer = post('a');
      (await TcpBackEnd.connect(free!)).echo();
      assert.equal(await answer, 'a');
    },
    listening: async (t) => {
      const [free] = await freePorts(1);
      const post = await tcp(t, { host: '127.0.0.2', port: free, listening: true });
      await assert.rejects(TcpBackEnd.connect(free!), { code: 'ECONNREFUSED' });
      const answer = post('a');
      new TcpBackEnd(connect(free!, '127.0.0.2')).echo();
      assert.equal(await answer, 'a');
    },
    restart_timeout: async (t) => {
      const { post, server } = await calling(t, { restart_timeout: 50 });
      await eventually(() => server.connections.length > 2, 'further connections');
      assert.equal(await post('a'), 'a');
    },
    max_connection_timeout: async (t) => {
      const { post, server } = await calling(t, { max_connection_timeout: 100 });
      const [connection] = await eventually(
        () => server.connections.length > 0 && server.connections,
        'the connection',
      );
      connection!.answer = undefined;
      await assert.rejects(post('a'), { code: 'tcp_error', message: /no frame came within 100 ms/ });
      await connection!.untilClosed();
    },
  },
  'connector.redis': {
    host: async (t) => {
      const { run } = await redis(t, { host: 'localhost' });
      assert.equal(await run('ping'), 'PONG');
    },
    port: async (t) => {
      const [free] = await freePorts(1);
      const { run } = await redis(t, { port: free, max_reconnect_timeout: 50 });
      await assert.rejects(run('ping'), { code: 'redis_error', message: new RegExp(`ECONNREFUSED 127.0.0.1:${free}`) });
    },
    database: async (t) => {
      const { run } = await redis(t, { database: 3 });
      assert.match(String(await run('client', 'list')), / db=3 /);
    },
    password: async (t) => {
      const { run } = await redis(t, { password: 'open' }, guarded);
      assert.equal(await run('acl', 'whoami'), 'default');
    },
    username: async (t) => {
      const { run } = await redis(t, { username: 'hive', password: 'sesame' }, guarded);
      assert.equal(await run('acl', 'whoami'), 'hive');
    },
    tls: async (t) => {
      const { run } = await redis(t, { tls: true, max_reconnect_timeout: 200 });
      await assert.rejects(run('ping'), { code: 'redis_error', message: /is unreachable/ });
    },
    restart_timeout: async (t) => {
      const { run } = await redis(t, { restart_timeout: 50 });
      const first = await run('client', 'id');
      await eventually(async () => (await run('client', 'id')) !== first, 'another connection');
    },
    reconnect_timeout: async (t) => {
      const { run, server } = await redis(t, { reconnect_timeout: 300 });
      await run('ping');
      await server.stop();
      const since = performance.now();
      const waiting = run('ping');
      await server.start();
      assert.equal(await waiting, 'PONG');
      assert.ok(performance.now() - since >= 250, 'not before the pause');
    },
    max_reconnect_timeout: async (t) => {
      const { run, server } = await redis(t, { max_reconnect_timeout: 200 });
      await run('ping');
      await server.stop();
      await assert.rejects(run('ping'), { code: 'redis_error' });
    },
  },
};

for (const { name, args } of plugins) {
  describe(`every argument of ${name} has its effect`, {
    skip: name === 'connector.redis' && missing('redis-server'),
  }, () => {
    for (const arg of Object.keys((args as { properties: object }).properties)) {
      test(arg, (t) => (checks[name]?.[arg] ?? assert.fail(`no check for ${arg} of ${name}`))(t));
    }
  });
}

test('an https back end is reached if its authority is known', { skip: missing('openssl') }, async (t) => {
  const certificate = new Authority(t).issue('IP:127.0.0.1');
  const tls = { cert: readFileSync(certificate.cert_file), key: readFileSync(certificate.key_file) };
  const server = createHttpsServer(tls, (_, response) =>
    response.end(JSON.stringify({ action: 'say', args: { name: 'secret', args: ['kept'] } })),
  );
  t.after(() => server.closeAllConnections());
  const base_url = `https://127.0.0.1:${await port(t, server)}`;
  let url = '';
  const directory = join(certificate.ca_file, '..');
  const file = await writeDefaultConfig(directory, 'hive.json', ({ hive, connectors, clients }) => {
    url = `http://127.0.0.1:${hive!.port}`;
    const backend = {
      connector: 'connector.http',
      size: 1,
      overflow: 0,
      args: { base_url, max_connection_timeout: 5000 },
    };
    Object.assign(hive!, { mode: 'development' });
    Object.assign(connectors!, { pools: { backend } });
    Object.assign(clients!, {
      actions: { say: [{ action: 'action.send_event', args: null }] },
      hooks: { ask: [{ hook: 'hp.get', args: { connector: 'backend', endpoint: '/' } }] },
    });
  });
  for (const env of [{ NODE_EXTRA_CA_CERTS: certificate.ca_file }, {}]) {
    const node = await HiveProcess.run(file, env);
    const client = await SocketClient.connect('4.8 websocket', url);
    client.emit('ask');
    if ('NODE_EXTRA_CA_CERTS' in env) assert.equal(await client.event('secret'), 'kept');
    else assert.equal((await client.event<{ error: string }>('hive_error')).error, 'http_error');
    await client.disconnect();
    await node.stop();
  }
});
