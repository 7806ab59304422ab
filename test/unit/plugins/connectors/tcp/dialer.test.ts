/** `connector.tcp` that connects to its back end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../../../../../src/config/types.ts';
import type { BackEndReply } from '../../../../../src/plugins/connectors/back-end.ts';
import { tcpConnector } from '../../../../../src/plugins/connectors/tcp/tcp.ts';
import type { PoolDescriptor } from '../../../../../src/plugins/types.ts';
import { type Connectors, type ConnectorsOptions, startConnectors } from '../../../../support/connectors.ts';
import { eventually } from '../../../../support/eventually.ts';
import { freePorts } from '../../../../support/ports.ts';
import { TcpBackEndServer } from '../../../../support/tcp-back-end.ts';

interface Cleaner {
  after(done: () => void | Promise<void>): void;
}

const plugins = [{ ...tcpConnector, name: 'connector.tcp' }];

function descriptor(port: number, sizes: { size: number; overflow: number }, args: object = {}): PoolDescriptor {
  const all = { host: '127.0.0.1', port, restart_timeout: 0, max_connection_timeout: 5000, ...args };
  return { connector: 'connector.tcp', ...sizes, args: all };
}

async function started(t: Cleaner, pool: PoolDescriptor, options: ConnectorsOptions = {}): Promise<Connectors> {
  const connectors = await startConnectors({ pools: { work: pool }, plugins, rentTimeout: 5000, ...options });
  t.after(() => connectors.close());
  return connectors;
}

async function listening(t: Cleaner, server: TcpBackEndServer, port?: number): Promise<number> {
  t.after(() => server.close());
  return server.listen(port);
}

function workers(connectors: Connectors): unknown {
  return connectors.counter('connectors.tcp.work.workers');
}

async function post(connectors: Connectors, body: string): Promise<string> {
  const request = { method: 'POST', endpoint: 'quote', body };
  return (await connectors.pools.get<unknown, BackEndReply>('work').request(request)).body;
}

test('size connections are there from the start, and answer', async (t) => {
  const server = new TcpBackEndServer((connection) => connection.echo());
  const connectors = await started(t, descriptor(await listening(t, server), { size: 3, overflow: 0 }));
  await eventually(() => workers(connectors) === 3, 'three connections');
  assert.equal(await post(connectors, 'a'), 'a');
  assert.equal(server.open.length, 3);
});

test('under load there are overflow connections, which are given up when they have been idle', async (t) => {
  const server = new TcpBackEndServer();
  const connectors = await started(t, descriptor(await listening(t, server), { size: 1, overflow: 1 }), {
    overflowIdle: 50,
  });
  await eventually(() => workers(connectors) === 1, 'the connection at rest');
  const answers = ['a', 'b', 'c'].map((body) => post(connectors, body));
  const waiting = () => server.connections.filter(({ frames }) => frames.length > 0);
  await eventually(() => waiting().length === 2, 'two requests on two connections');
  assert.equal(server.open.length, 2);
  for (let answered = 0; answered < 3; answered += 1) {
    const [connection] = await eventually(() => waiting().length > 0 && waiting(), 'the next request');
    const { endpoint, payload } = await connection!.next();
    connection!.send(endpoint, payload);
  }
  assert.deepEqual(await Promise.all(answers), ['a', 'b', 'c']);
  await eventually(() => workers(connectors) === 1, 'the overflow connection to go');
  await eventually(() => server.open.length === 1, 'its end at the back end');
});

test('a pool of size 0 connects when it is asked', async (t) => {
  const server = new TcpBackEndServer((connection) => connection.echo());
  const connectors = await started(t, descriptor(await listening(t, server), { size: 0, overflow: 1 }));
  assert.equal(workers(connectors), 0);
  assert.equal(await post(connectors, 'a'), 'a');
});

test('a back end that is down is tried again with growing pauses, and said so once', async (t) => {
  const [port] = await freePorts(1);
  const connectors = await started(t, descriptor(port!, { size: 2, overflow: 0 }), { rentTimeout: 300 });
  const message = new RegExp(
    `^Pool work: no connection got free within 300 ms \\(127\\.0\\.0\\.1:${port}: .*ECONNREFUSED`,
  );
  await assert.rejects(post(connectors, 'a'), { code: 'tcp_error', message });
  const outage = () => connectors.warnings.filter((line) => line.startsWith(`127.0.0.1:${port} cannot be reached: `));
  assert.equal(outage().length, 1);
  const server = new TcpBackEndServer((connection) => connection.echo());
  await listening(t, server, port);
  await eventually(() => workers(connectors) === 2, 'the connections');
  assert.equal(await post(connectors, 'b'), 'b');
  assert.equal(outage().length, 1);
});

test('a connection that its back end closes is made anew, without a storm', async (t) => {
  const server = new TcpBackEndServer((connection) => connection.socket.end());
  const connectors = await started(t, descriptor(await listening(t, server), { size: 1, overflow: 0 }), {
    rentTimeout: 500,
  });
  const since = performance.now();
  await assert.rejects(post(connectors, 'a'), { code: 'tcp_error' });
  await eventually(() => server.connections.length >= 3, 'further connections');
  const most = 1 + Math.ceil(Math.log2(1 + (performance.now() - since) / 100)) + 1;
  assert.ok(server.connections.length <= most, `${server.connections.length} connections`);
});

test('a connection that is restart_timeout old is replaced', async (t) => {
  const server = new TcpBackEndServer((connection) => connection.echo());
  const port = await listening(t, server);
  const connectors = await started(t, descriptor(port, { size: 1, overflow: 0 }, { restart_timeout: 50 }));
  await eventually(() => server.connections.length >= 4, 'further connections');
  assert.equal(await post(connectors, 'a'), 'a');
  assert.ok(server.open.length <= 2);
  assert.deepEqual(connectors.warnings, []);
});

test('a request that was sent is not sent again when its connection ends', async (t) => {
  const sent: string[] = [];
  const server = new TcpBackEndServer((connection) => {
    connection.answer = ({ payload }) => {
      sent.push(payload);
      connection.socket.destroy();
    };
  });
  const connectors = await started(t, descriptor(await listening(t, server), { size: 1, overflow: 0 }));
  await assert.rejects(post(connectors, 'a'), { code: 'tcp_error', message: /the back end has closed the connection/ });
  await assert.rejects(post(connectors, 'b'), { code: 'tcp_error' });
  assert.deepEqual(sent, ['a', 'b']);
});

test('args that make no sense are refused', () => {
  const servers = { hive: { host: '0.0.0.0', port: 1 }, api: { host: '127.0.0.1', port: 2 } };
  const base = { restart_timeout: 0, max_connection_timeout: 1 };
  const listener = { ...base, port: 5 };
  const pools = {
    one: { connector: 'connector.tcp', size: 1, overflow: 0, args: listener },
    dialer: { connector: 'connector.tcp', size: 1, overflow: 0, args: { ...base, host: 'h', port: 6 } },
    web: { connector: 'connector.http', size: 1, overflow: 0, args: { base_url: 'http://h' } },
  };
  const same = { ...base, port: 5 };
  const two = { connector: 'connector.tcp', size: 1, overflow: 0, args: same };
  const config = (all: object) =>
    ({ ...servers, monitor: { host: '127.0.0.1', port: 3 }, connectors: { pools: all } }) as unknown as Config;
  const refused = (args: typeof base & { port: number; host?: string; listening?: boolean }, all: object = pools) => {
    const refusal = tcpConnector.check?.(args, config(all));
    assert.ok(!refusal || refusal.code === 'bad_tcp_connector_args');
    return refusal && `${refusal.path} ${refusal.reason}`;
  };
  assert.equal(refused(listener), undefined);
  assert.equal(refused({ ...base, port: 0 }), undefined);
  assert.equal(refused({ ...base, port: 2 }), 'port is already the port of api.port');
  assert.equal(refused({ ...base, port: 2, host: '10.0.0.1', listening: true }), undefined);
  assert.equal(
    refused({ ...base, port: 1, host: '10.0.0.1', listening: true }),
    'port is already the port of hive.port',
  );
  assert.equal(refused(same, { ...pools, two }), 'port is already the port of connectors.pools.one');
  assert.equal(refused({ ...base, port: 2, host: '10.0.0.1' }), undefined);
  assert.equal(refused({ ...base, port: 0, host: 'h' }), 'port must be the port of the back end');
  assert.match(refused({ ...base, port: 5, listening: false })!, /^host is missing/);
});

test('hive check --probe can tell whether the back end is there', async (t) => {
  const server = new TcpBackEndServer();
  const port = await listening(t, server);
  const base = { restart_timeout: 0, max_connection_timeout: 1000 };
  await tcpConnector.probe({ ...base, host: '127.0.0.1', port });
  await tcpConnector.probe({ ...base, port });
  const [none] = await freePorts(1);
  await assert.rejects(tcpConnector.probe({ ...base, host: '127.0.0.1', port: none! }), { code: 'connectors_error' });
});
