/** Every argument of the built-in connectors has its effect on a running node and real servers; a missing check fails. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer, type Server } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { builtIn } from '../../src/plugins/built-in.ts';
import type { BackEndReply } from '../../src/plugins/connectors/back-end.ts';
import type { ConnectorPlugin } from '../../src/plugins/types.ts';
import { Authority } from '../support/certificates.ts';
import { DefaultNode, writeDefaultConfig } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { HiveProcess } from '../support/hive-process.ts';
import type { Failure } from '../support/operator.ts';
import { freePorts } from '../support/ports.ts';
import { findProgram, missing } from '../support/programs.ts';
import { RedisServer } from '../support/redis.ts';
import { startCluster, startSentinel } from '../support/redis-sets.ts';
import { SocketClient } from '../support/socket-clients.ts';
import { TcpBackEnd, TcpBackEndServer } from '../support/tcp-back-end.ts';

type Check = (t: TestContext) => Promise<void>;

const insider = fileURLToPath(new URL('../support/insider-plugin.js', import.meta.url));
/** Whom the node trusts. */
const authority = findProgram('openssl') === undefined ? undefined : new Authority({ after });

let node: DefaultNode;
/** A client in whose name pools are started, asked and stopped. */
let operator: SocketClient;
let numbers = 0;

before(async () => {
  const env = authority === undefined ? {} : { NODE_EXTRA_CA_CERTS: authority.file };
  node = await DefaultNode.start((config) => {
    config.plugins = [insider] as never;
    config.hive!.mode = 'development';
    config.connectors!.rent_timeout = 5000;
    config.clients!.hooks = {
      order: [{ hook: 'utils.dispatch', args: null }],
      request: [{ hook: 'insider.request', args: null }],
    };
    const actions = ['start_connectors', 'stop_connectors', 'send_event'];
    config.clients!.actions = Object.fromEntries(
      actions.map((name) => [name, [{ action: `action.${name}`, args: null }]]),
    );
  }, env);
  operator = await SocketClient.connect('4.8 websocket', node.url);
});

after(async () => {
  await operator?.disconnect();
  await node?.stop();
});

/** Has an order performed that says nothing if it succeeds. */
async function order(action: string, args: unknown): Promise<void> {
  const name = `done ${++numbers}`;
  operator.emit('order', { action, args }, { action: 'send_event', args: { name, args: [] } });
  const done = () => operator.received.find((event) => event.name === name || event.name === 'hive_error');
  await operator.until(() => done() !== undefined, `the end of ${action}`);
  assert.equal(done()!.name, name, JSON.stringify(done()!.args));
}

/** A pool with these args on the running node, and what asks it. */
async function pool(t: TestContext, connector: string, args: object, size = 1) {
  const name = `pool${++numbers}`;
  await order('start_connectors', { [name]: { connector, size, overflow: 0, args } });
  t.after(() => order('stop_connectors', [name]));
  return async <Reply>(request: object): Promise<Reply> => {
    const id = ++numbers;
    operator.emit('request', id, name, request);
    const answer = () => operator.received.find((event) => event.name === 'answered' && event.args[0] === id);
    await operator.until(() => answer() !== undefined, `the answer of ${connector}`);
    const { reply, error } = answer()!.args[1] as { reply: Reply; error?: Failure };
    if (error) throw Object.assign(new Error(error.description), { code: error.error });
    return reply;
  };
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

async function redis(t: TestContext, args: object, options: Parameters<typeof RedisServer.start>[0] = []) {
  const server = await RedisServer.start(options);
  t.after(() => server.stop());
  const base = { host: '127.0.0.1', port: server.port, database: 0, password: '', tls: false };
  const times = { restart_timeout: 0, reconnect_timeout: 100, max_reconnect_timeout: 5000 };
  const ask = await pool(t, 'connector.redis', { ...base, ...times, ...args });
  const run = async (...command: string[]) => (await ask<unknown[]>({ commands: [command] }))[0];
  return { run, server };
}

/** A pool that finds its master by a Sentinel with a user of its own. */
async function guardedSentinel(t: TestContext, args: object = {}) {
  const master = await RedisServer.start();
  const sentinel = await startSentinel(master, 'main', 'open', ['user hive on >sesame ~* &* +@all']);
  t.after(() => Promise.all([master.stop(), sentinel.stop()]));
  const all = { sentinels: [`127.0.0.1:${sentinel.port}`], master_name: 'main', sentinel_password: 'open', ...args };
  const ask = await pool(t, 'connector.redis', { reconnect_timeout: 100, max_reconnect_timeout: 300, ...all });
  return { answer: async () => (await ask<unknown[]>({ commands: [['info', 'server']] }))[0], master };
}

async function viaSentinel(t: TestContext, args?: object): Promise<void> {
  const { answer, master } = await guardedSentinel(t, args);
  assert.match(String(await answer()), new RegExp(`tcp_port:${master.port}`));
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
    max_idle: async (t) => {
      const { get, connections } = await http(t, (_, response) => response.end('a'), { max_idle: 0 });
      await eventually(() => connections() === 1, 'the probe');
      for (const endpoint of ['1', '2']) assert.equal(await get(endpoint), 'a');
      assert.equal(connections(), 3);
    },
    client: async (t) => {
      const { get } = await http(t, (_, response) => response.end('a'), { client: 'undici' });
      assert.equal(await get('a'), 'a');
      // What undici says of a path that it cannot send.
      await assert.rejects(get('\n'), { code: 'http_error', message: /invalid request path/i });
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
    url: async (t) => {
      const server = await RedisServer.start(guarded);
      t.after(() => server.stop());
      const url = `redis://hive:sesame@127.0.0.1:${server.port}/3`;
      const ask = await pool(t, 'connector.redis', { url, reconnect_timeout: 100 });
      const [user, list] = await ask<unknown[]>({
        commands: [
          ['acl', 'whoami'],
          ['client', 'list'],
        ],
      });
      assert.equal(user, 'hive');
      assert.match(String(list), / db=3 /);
    },
    sentinels: (t) => viaSentinel(t),
    master_name: async (t) => {
      const { answer } = await guardedSentinel(t, { master_name: 'other' });
      await assert.rejects(answer(), { code: 'redis_error', message: /^Redis other of the Sentinels/ });
    },
    sentinel_username: (t) => viaSentinel(t, { sentinel_username: 'hive', sentinel_password: 'sesame' }),
    sentinel_password: async (t) => {
      const { answer } = await guardedSentinel(t, { sentinel_password: 'wrong' });
      await assert.rejects(answer(), { code: 'redis_error', message: /WRONGPASS/ });
    },
    cluster: async (t) => {
      const nodes = await startCluster(2);
      t.after(() => Promise.all(nodes.map((node) => node.stop())));
      const cluster = [`127.0.0.1:${nodes[0]!.port}`];
      const ask = await pool(t, 'connector.redis', { cluster, reconnect_timeout: 100 });
      for (const key of ['a', 'b']) assert.deepEqual(await ask({ commands: [['set', key, 1]] }), ['OK']);
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
      const encrypted = (by: Authority) => (port: number) => {
        const { cert_file, key_file, ca_file } = by.issue('IP:127.0.0.1');
        const files = ['--tls-cert-file', cert_file, '--tls-key-file', key_file, '--tls-ca-cert-file', ca_file];
        return ['--port', '0', '--tls-port', `${port}`, '--tls-auth-clients', 'no', ...files];
      };
      const { run } = await redis(t, { tls: true }, encrypted(authority!));
      assert.match(String(await run('client', 'info')), / addr=127\.0\.0\.1/);
      const soon = { max_reconnect_timeout: 200 };
      for (const [args, options, reason] of [
        [{ tls: true, host: 'localhost' }, encrypted(authority!), /altnames|does not match/i],
        [{ tls: true }, encrypted(new Authority(t)), /certificate/i],
        [{ tls: true }, [], /is unreachable/],
        [{ tls: false }, encrypted(authority!), /is unreachable/],
      ] as const) {
        const { run } = await redis(t, { ...args, ...soon }, options);
        await assert.rejects(run('ping'), { code: 'redis_error', message: reason });
      }
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

for (const [name, plugin] of Object.entries(builtIn.connectors)) {
  const { args } = plugin as ConnectorPlugin<never>;
  describe(`every argument of ${name} has its effect`, {
    skip: name === 'connector.redis' && missing('redis-server'),
  }, () => {
    for (const arg of Object.keys((args as { properties: object }).properties)) {
      test(arg, { skip: arg === 'tls' && missing('openssl') }, (t) =>
        (checks[name]?.[arg] ?? assert.fail(`no check for ${arg} of ${name}`))(t),
      );
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
