/** Pools through real sockets: TCP back ends in both modes, and pools that come and go while the node runs. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { BackEnd } from '../support/back-end.ts';
import { DefaultNode, writeDefaultConfig } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { hive } from '../support/hive-process.ts';
import { freePorts } from '../support/ports.ts';
import { SocketClient } from '../support/socket-clients.ts';
import { TcpBackEnd, TcpBackEndServer } from '../support/tcp-back-end.ts';

let node: DefaultNode;
let backEnd: BackEnd;
let caller: TcpBackEnd;
let called: TcpBackEndServer;
let calledPort: number;

before(async () => {
  const [port] = await freePorts(1);
  backEnd = await BackEnd.start();
  called = new TcpBackEndServer();
  calledPort = await called.listen();
  node = await DefaultNode.start((config) => {
    Object.assign(config.hive!, { mode: 'development' });
    const tcp = (args: object) => ({
      connector: 'connector.tcp',
      size: 1,
      overflow: 1,
      args: { restart_timeout: 0, ...args },
    });
    Object.assign(config.connectors!, {
      pools: {
        backend: {
          connector: 'connector.http',
          size: 2,
          overflow: 2,
          args: { base_url: backEnd.url, max_connection_timeout: 2000 },
        },
        comes: tcp({ port }),
        goes: tcp({ host: '127.0.0.1', port: calledPort }),
      },
    });
    const actions = ['send_event', 'add_hooks', 'start_connectors', 'stop_connectors'].map((name) => `action.${name}`);
    const hooks = ['comes', 'goes'].flatMap((connector) =>
      ['get', 'put', 'post'].map((name) => [
        `${name} ${connector}`,
        [{ hook: `hp.${name}`, args: { connector, endpoint: name } }],
      ]),
    );
    Object.assign(config.clients!, {
      actions: Object.fromEntries(actions.map((action) => [action, [{ action, args: null }]])),
      hooks: {
        ...Object.fromEntries(hooks),
        ask: [{ hook: 'hp.post', args: { connector: 'backend', endpoint: '/ask' } }],
        echo: [{ hook: 'utils.echo', args: null }],
      },
    });
  });
  caller = await TcpBackEnd.connect(port!);
});

after(async () => {
  caller?.socket.destroy();
  called?.close();
  await node?.stop();
  await backEnd?.stop();
});

interface Order {
  action: string;
  args: unknown;
}

const say = (name: string, ...args: unknown[]): Order => ({ action: 'action.send_event', args: { name, args } });

/** The answer of the HTTP back end to the next `ask`. */
function order(client: SocketClient, ...orders: Order[]): void {
  backEnd.answers.set('/ask', { body: orders });
  client.emit('ask');
}

async function metric(path: string): Promise<Record<string, unknown>> {
  const answer = await node.monitor('GET', path);
  const tree = (await answer.json()) as Record<string, unknown>;
  return path.split('.').reduce((at, segment) => at[segment] as Record<string, unknown>, tree);
}

/** What the three hooks do with a back end at the other end of a connection. */
async function converse(client: SocketClient, pool: string, connection: TcpBackEnd): Promise<void> {
  client.emit(`put ${pool}`, 1);
  const put = await connection.next();
  assert.equal(put.endpoint, 'put');
  assert.deepEqual(JSON.parse(put.payload).trigger, { name: `put ${pool}`, args: [1] });
  client.emit(`post ${pool}`, 'ö');
  const post = await connection.next();
  assert.equal(post.endpoint, 'post');
  assert.deepEqual(JSON.parse(post.payload).trigger.args, ['ö']);
  connection.send('post', JSON.stringify([say('answered', 'ü'), say('again')]));
  assert.equal(await client.event('answered'), 'ü');
  await client.event('again');
  connection.send('get', JSON.stringify(say('pushed', 3)));
  client.emit(`get ${pool}`);
  assert.equal(await client.event('pushed'), 3);
  assert.deepEqual(connection.frames, []);
  const gauges = { workers: 1, capacity: 2, busy: 0, waiting: 0 };
  const { latency, ...metrics } = await metric(`connectors.tcp.${pool}`);
  assert.deepEqual(metrics, { ...gauges, errors: 0, recv: 2, requests: 3, send: 2 });
  assert.equal((latency as { count: number }).count, 3);
}

test('hp.get, put and post speak with a back end that connects to the node', async () => {
  const client = await SocketClient.connect('4.8 websocket', node.url);
  await converse(client, 'comes', caller);
  await client.disconnect();
});

test('hp.get, put and post speak with a back end that the node connects to', async () => {
  const client = await SocketClient.connect('4.8 websocket', node.url);
  const connection = await eventually(() => called.open[0], 'the connection');
  await converse(client, 'goes', connection);
  await client.disconnect();
});

test('what is wrong with a pool of run time is said to the client that ordered it', async () => {
  const client = await SocketClient.connect('4.8 websocket', node.url);
  const cases: [Order, string, RegExp][] = [
    [
      {
        action: 'action.start_connectors',
        args: { a: { connector: 'connector.tpc', size: 1, overflow: 0, args: {} } },
      },
      'plugins_error',
      /Did you mean connector\.tcp/,
    ],
    [
      {
        action: 'action.start_connectors',
        args: { a: { connector: 'connector.tcp', size: 1, overflow: 0, args: {} } },
      },
      'bad_tcp_connector_args',
      /pools\.a\.args\.port/,
    ],
    [
      { action: 'action.start_connectors', args: { a: { connector: 'connector.tcp' } } },
      'bad_connector_descriptor',
      /pools\.a\.size/,
    ],
    [
      {
        action: 'action.start_connectors',
        args: { comes: { connector: 'connector.tcp', size: 1, overflow: 0, args: { port: 0, restart_timeout: 0 } } },
      },
      'already_started',
      /comes/,
    ],
    [{ action: 'action.stop_connectors', args: ['nothing'] }, 'bad_connector_id', /nothing/],
    [
      { action: 'action.add_hooks', args: { x: [{ hook: 'hp.get', args: { connector: 'nothing', endpoint: '' } }] } },
      'no_config',
      /no pool of that name/,
    ],
    [
      { action: 'action.add_hooks', args: { x: [{ hook: 'hp.get', args: { connector: 'goes', endpoint: 'a:b' } }] } },
      'bad_config',
      /colon/,
    ],
  ];
  for (const [wrong, code, description] of cases) {
    const answer = client.nextEvent<{ error: string; description: string }>('hive_error');
    order(client, wrong);
    const error = await answer;
    assert.equal(error.error, code);
    assert.match(error.description, description);
  }
  await client.disconnect();
});

/** A back end that counts how often it is asked for what, and answers; the args of a pool that leads to it. */
interface CountingBackEnd {
  readonly args: object;
  /** Connections of a pool to it. */
  connections(): number;
  close(): void | Promise<void>;
}

type CountedBackEnd = (asked: (metadata: string) => Order) => Promise<CountingBackEnd>;

const counted: Record<string, CountedBackEnd> = {
  'connector.tcp': async (asked) => {
    const server = new TcpBackEndServer((connection) => {
      connection.answer = ({ endpoint, payload }) => connection.send(endpoint, JSON.stringify(asked(payload)));
    });
    const port = await server.listen();
    const args = { host: '127.0.0.1', port, restart_timeout: 20 };
    return { args, connections: () => server.open.length, close: () => server.close() };
  },
  'connector.http': async (asked) => {
    const server = await BackEnd.start();
    server.answers.set('/work', ({ body }) => ({ body: asked(body), delayMs: 1 }));
    const args = { base_url: `${server.url}/`, max_connection_timeout: 5000 };
    return { args, connections: () => 0, close: () => server.stop() };
  },
};

for (const [connector, start] of Object.entries(counted)) {
  test(`a ${connector} pool that is started, used and stopped under load loses no request and doubles none`, async () => {
    const seen = new Map<string, number>();
    const server = await start((metadata) => {
      const id = (JSON.parse(metadata) as { trigger: { args: [string] } }).trigger.args[0];
      seen.set(id, (seen.get(id) ?? 0) + 1);
      return say('done', id);
    });
    const pool = { connector, size: 2, overflow: 30, args: server.args };
    const starting = { action: 'action.start_connectors', args: { late: pool } };
    const hook = { hook: 'hp.post', args: { connector: 'late', endpoint: 'work' } };
    const connect = () => SocketClient.connect('4.8 websocket', node.url);
    const operator = await connect();
    order(operator, starting, say('started'));
    await operator.event('started');
    const clients = await Promise.all(Array.from({ length: 8 }, connect));
    for (const client of clients) {
      order(client, { action: 'action.add_hooks', args: { work: [hook] } }, say('hooked'));
      await client.event('hooked');
    }
    const sent: string[][] = clients.map(() => []);
    const ended = (client: SocketClient) =>
      client.received.filter(({ name }) => name === 'done' || name === 'hive_error').length;
    for (let cycle = 0; cycle < 3; cycle += 1) {
      for (const [index, client] of clients.entries()) {
        for (let round = 0; round < 40; round += 1) {
          const id = `${index}-${sent[index]!.length}`;
          sent[index]!.push(id);
          client.emit('work', id);
        }
      }
      const before = 40 * cycle;
      await eventually(() => clients.some((client) => ended(client) > before + 5), 'the load to run');
      order(operator, { action: 'action.stop_connectors', args: ['late'] }, say(`stopped ${cycle}`));
      await operator.event(`stopped ${cycle}`);
      await eventually(() => server.connections() === 0, 'the connections to end');
      order(operator, starting, say(`started ${cycle}`));
      await operator.event(`started ${cycle}`);
      for (const [index, client] of clients.entries()) {
        await client.until(() => ended(client) === sent[index]!.length, 'the end of every request');
      }
    }
    let refused = 0;
    for (const [index, client] of clients.entries()) {
      const done = client.received.filter(({ name }) => name === 'done').map(({ args }) => args[0] as string);
      assert.equal(new Set(done).size, done.length, 'no answer twice');
      for (const id of sent[index]!) assert.equal(seen.get(id) ?? 0, done.includes(id) ? 1 : 0, `request ${id}`);
      for (const { name, args } of client.received) {
        if (name !== 'hive_error') continue;
        const { error, description } = args[0] as { error: string; description: string };
        assert.equal(error, 'bad_connector_id', description);
        refused += 1;
      }
    }
    assert.ok(seen.size > 0 && refused > 0, `${seen.size} done, ${refused} refused`);
    order(operator, { action: 'action.stop_connectors', args: ['late'] }, say('over'));
    await operator.event('over');
    await Promise.all([operator, ...clients].map((client) => client.disconnect()));
    await server.close();
  });
}

test('a stopped pool can be named no more, and its port is free', async () => {
  const client = await SocketClient.connect('4.8 websocket', node.url);
  const [port] = await freePorts(1);
  const pool = { connector: 'connector.tcp', size: 1, overflow: 0, args: { port, restart_timeout: 0 } };
  const start = { action: 'action.start_connectors', args: { once: pool } };
  const stop = { action: 'action.stop_connectors', args: ['once'] };
  order(client, start, stop, start, stop, say('through'));
  await client.event('through');
  const hook = { hook: 'hp.get', args: { connector: 'once', endpoint: '' } };
  order(client, { action: 'action.add_hooks', args: { x: [hook] } });
  assert.equal((await client.event<{ error: string }>('hive_error')).error, 'no_config');
  await assert.rejects(TcpBackEnd.connect(port!), { code: 'ECONNREFUSED' });
  assert.equal((await metric('connectors.tcp')).once, undefined);
  const log = () => readFileSync(join(node.directory, 'log', 'hive.log'), 'utf8');
  // The log is written a moment later.
  await eventually(() => log().includes(`Listening for back ends on 0.0.0.0:${port}"`), 'the line of the log');
  await client.disconnect();
});

test('hive check refuses TCP pools that cannot work', async () => {
  const file = await writeDefaultConfig(node.directory, 'wrong.json', ({ api, connectors }) => {
    const pool = (args: object) => ({ connector: 'connector.tcp', size: 1, overflow: 1, args });
    Object.assign(connectors!, {
      pools: {
        one: pool({ port: 7000, restart_timeout: 0 }),
        two: pool({ port: 7000, restart_timeout: 0 }),
        three: pool({ port: api!.port, restart_timeout: 0 }),
        four: pool({ port: 7000, restart_timeout: 0, listening: false }),
        five: pool({ port: 7000, restart_timeout: -1, hots: 'back-end' }),
      },
    });
  });
  const { code, stderr } = await hive(['check', file]);
  assert.equal(code, 1);
  for (const expected of [
    /two\.args\.port: 7000 → is already the port of connectors\.pools\.one/,
    /three\.args\.port: \d+ → is already the port of api\.port/,
    /four\.args\.host → is missing/,
    /five\.args\.restart_timeout: -1 → must be at least 0/,
    /five\.args\.hots → unknown key \(did you mean "host"\?\)/,
  ]) {
    assert.match(stderr, new RegExp(`^bad_tcp_connector_args: .*connectors\\.pools\\.${expected.source}`, 'm'));
  }
  assert.match(stderr, /5 problems/);
});

test('the puts of a stopping node reach a TCP back end, whose connection then ends', async (t) => {
  const server = new TcpBackEndServer();
  t.after(() => server.close());
  const port = await server.listen();
  const stopping = await DefaultNode.start((config) => {
    const args = { host: '127.0.0.1', port, restart_timeout: 0 };
    const pools = { tcp: { connector: 'connector.tcp', size: 1, overflow: 5, args } };
    Object.assign(config.connectors!, { pools });
    const hooks = { on_disconnect: [{ hook: 'hp.put', args: { connector: 'tcp', endpoint: 'bye' } }] };
    Object.assign(config.clients!, { hooks });
  });
  const clients = await Promise.all([1, 2, 3].map(() => SocketClient.connect('4.8 websocket', stopping.url)));
  await stopping.stop();
  await eventually(() => server.open.length === 0, 'the end of all connections');
  assert.deepEqual(
    server.connections.flatMap(({ frames }) => frames.map(({ endpoint }) => endpoint)),
    clients.map(() => 'bye'),
  );
});
