/** `connector.tcp` that listens: back ends connect to it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import type { BackEndReply } from '../../../../../src/plugins/connectors/back-end.ts';
import { tcpConnector } from '../../../../../src/plugins/connectors/tcp/tcp.ts';
import { encodeFrame } from '../../../../../src/protocol/backend/framing.ts';
import { type Connectors, startConnectors } from '../../../../support/connectors.ts';
import { eventually } from '../../../../support/eventually.ts';
import { freePorts } from '../../../../support/ports.ts';
import { TcpBackEnd } from '../../../../support/tcp-back-end.ts';

interface Cleaner {
  after(done: () => Promise<void>): void;
}

interface Setup {
  size?: number;
  rentTimeout?: number;
  args?: object;
}

const plugins = [{ ...tcpConnector, name: 'connector.tcp' }];

async function started(t: Cleaner, { size = 2, rentTimeout = 5000, args = {} }: Setup = {}) {
  const [port] = await freePorts(1);
  const all = { port, host: '127.0.0.1', listening: true, restart_timeout: 0, max_connection_timeout: 5000, ...args };
  const pools = { work: { connector: 'connector.tcp', size, overflow: 0, args: all } };
  const connectors = await startConnectors({ pools, plugins, rentTimeout });
  t.after(() => connectors.close());
  /** A back end that the pool has taken in. */
  const join = async (): Promise<TcpBackEnd> => {
    const before = workers(connectors);
    const backEnd = await TcpBackEnd.connect(port!);
    await eventually(() => workers(connectors) === before + 1, 'the connection to be a worker');
    return backEnd;
  };
  return { connectors, port: port!, join };
}

function workers(connectors: Connectors): number {
  return connectors.counter('connectors.tcp.work.workers') as number;
}

function counter(connectors: Connectors, name: string): unknown {
  return connectors.counter(`connectors.tcp.work.${name}`);
}

async function get(connectors: Connectors, endpoint: string, signal?: AbortSignal): Promise<string> {
  const request = { method: 'GET', endpoint };
  return (await connectors.pools.get<unknown, BackEndReply>('work').request(request, signal)).body;
}

async function post(connectors: Connectors, endpoint: string, body: string, async = false): Promise<string> {
  const request = { method: 'POST', endpoint, body, async };
  return (await connectors.pools.get<unknown, BackEndReply>('work').request(request)).body;
}

test('a post sends a frame and receives one', async (t) => {
  const { connectors, join } = await started(t);
  const backEnd = await join();
  const answer = post(connectors, 'quote', '{"q":"ü"}');
  assert.deepEqual(await backEnd.next(), { endpoint: 'quote', payload: '{"q":"ü"}' });
  backEnd.send('quote', '[1]');
  assert.equal(await answer, '[1]');
  assert.deepEqual([counter(connectors, 'send'), counter(connectors, 'recv')], [1, 1]);
});

test('a put sends a frame and receives none', async (t) => {
  const { connectors, join } = await started(t);
  const backEnd = await join();
  await post(connectors, 'note', 'a', true);
  await post(connectors, 'note', 'b', true);
  assert.deepEqual([(await backEnd.next()).payload, (await backEnd.next()).payload], ['a', 'b']);
  assert.deepEqual([counter(connectors, 'send'), counter(connectors, 'recv')], [2, 0]);
});

test('a get sends nothing and receives a frame, also one that came before', async (t) => {
  const { connectors, join } = await started(t);
  const backEnd = await join();
  const first = get(connectors, 'news');
  await eventually(() => counter(connectors, 'recv') === 1, 'the get to wait');
  backEnd.send('news', '1');
  assert.equal(await first, '1');
  backEnd.send('news', '2');
  backEnd.send('news', '3');
  assert.equal(await get(connectors, 'news'), '2');
  assert.equal(await get(connectors, 'news'), '3');
  assert.deepEqual([counter(connectors, 'send'), counter(connectors, 'recv'), backEnd.frames.length], [0, 3, 0]);
});

test('an answer may be split at every byte', async (t) => {
  const { connectors, join } = await started(t);
  const backEnd = await join();
  const frame = encodeFrame('quote', '{"a":"€"}');
  for (let cut = 1; cut < frame.length; cut += 1) {
    const answer = post(connectors, 'quote', '');
    await backEnd.next();
    backEnd.socket.write(frame.subarray(0, cut));
    await new Promise(setImmediate);
    backEnd.socket.write(frame.subarray(cut));
    assert.equal(await answer, '{"a":"€"}');
  }
});

test('of two frames at once the first is the answer, the second waits for a get', async (t) => {
  const { connectors, join } = await started(t);
  const backEnd = await join();
  const answer = post(connectors, 'quote', '');
  await backEnd.next();
  backEnd.socket.write(Buffer.concat([encodeFrame('quote', 'answer'), encodeFrame('news', 'more')]));
  assert.equal(await answer, 'answer');
  const next = post(connectors, 'quote', '');
  await backEnd.next();
  backEnd.send('quote', 'next answer');
  assert.equal(await next, 'next answer');
  assert.equal(await get(connectors, 'news'), 'more');
});

test("an answer that comes too late is nobody's: its connection is closed", async (t) => {
  const { connectors, join } = await started(t, { args: { max_connection_timeout: 100 } });
  const late = await join();
  const error = { code: 'tcp_error', message: /^post quote \(127\.0\.0\.1:\d+\): no frame came within 100 ms$/ };
  await assert.rejects(post(connectors, 'quote', 'a'), error);
  late.send('quote', 'late');
  await late.untilClosed();
  assert.equal(workers(connectors), 0);
  (await join()).echo();
  assert.equal(await post(connectors, 'quote', 'b'), 'b');
  assert.equal(counter(connectors, 'errors'), 1);
  assert.match(connectors.warnings.join(), /closed: no frame came within 100 ms/);
});

test('an answer that stops in the middle of its frame fails at the limit', async (t) => {
  const { connectors, join } = await started(t, { args: { max_connection_timeout: 100 } });
  const backEnd = await join();
  const answer = post(connectors, 'quote', '');
  await backEnd.next();
  backEnd.socket.write(encodeFrame('quote', 'answer').subarray(0, -1));
  await assert.rejects(answer, { code: 'tcp_error', message: /no complete frame came within 100 ms$/ });
  await backEnd.untilClosed();
});

test('a back end that dies in the middle of a frame fails its request, and no other', async (t) => {
  const { connectors, join } = await started(t);
  const other = (await join()).echo();
  const dying = await join();
  const answer = post(connectors, 'quote', '');
  await dying.next();
  dying.socket.end(encodeFrame('quote', 'answer').subarray(0, 9));
  const error = { code: 'tcp_error', message: /: the back end has closed the connection$/ };
  await assert.rejects(answer, error);
  assert.equal(await post(connectors, 'quote', 'x'), 'x');
  assert.equal(workers(connectors), 1);
  const reset = post(connectors, 'quote', 'y');
  other.answer = () => other.socket.resetAndDestroy();
  await assert.rejects(reset, { code: 'tcp_error', message: /ECONNRESET/ });
});

test('malformed bytes close their connection with a line in the log', async (t) => {
  const { connectors, join } = await started(t);
  const idle = await join();
  idle.socket.write('GET / HTTP/1.1\r\n\r\n');
  await idle.untilClosed();
  const line = /^Connection with 127\.0\.0\.1:\d+: closed: The frame is malformed: first mark: unexpected byte 0x47\.$/;
  assert.match(connectors.warnings[0]!, line);
  const busy = await join();
  const answer = post(connectors, 'quote', '');
  await busy.next();
  busy.socket.write('\uFFFD99999999\uFFFD');
  await assert.rejects(answer, { code: 'tcp_error', message: /malformed: it is longer than 16777216 bytes/ });
  await busy.untilClosed();
});

test('a frame of another endpoint is no answer', async (t) => {
  const { connectors, join } = await started(t);
  const backEnd = await join();
  backEnd.send('news', 'lost');
  backEnd.send('quote', 'kept');
  const message = /^get quote .*: a frame of the endpoint news came instead$/;
  await assert.rejects(get(connectors, 'quote'), { code: 'tcp_error', message });
  assert.equal(await get(connectors, 'quote'), 'kept');
  const answer = post(connectors, 'quote', '');
  await backEnd.next();
  backEnd.send('news', '');
  await assert.rejects(answer, { code: 'tcp_error', message: /a frame of the endpoint news came instead/ });
  await backEnd.untilClosed();
});

test('an endpoint with a colon is not sent', async (t) => {
  const { connectors, join } = await started(t);
  const backEnd = (await join()).echo();
  await assert.rejects(post(connectors, 'a:b', ''), {
    code: 'tcp_error',
    message: /The endpoint a:b contains a colon/,
  });
  assert.equal(await post(connectors, 'a', 'b'), 'b');
  assert.ok(!backEnd.closed);
});

test('without a back end a request waits rent_timeout for one, then fails', async (t) => {
  const { connectors, join } = await started(t, { rentTimeout: 100 });
  const message = 'Pool work: no connection got free within 100 ms (no back end is connected)';
  await assert.rejects(post(connectors, 'quote', ''), { code: 'tcp_error', message });
  const waiting = post(connectors, 'quote', 'a');
  (await join()).echo();
  assert.equal(await waiting, 'a');
});

test('no more than size + overflow requests wait; they are served in order', async (t) => {
  const { connectors, join } = await started(t, { size: 2 });
  const first = post(connectors, 'quote', '1');
  const second = post(connectors, 'quote', '2');
  const message = 'Pool work: 2 requests are waiting for a connection already';
  await assert.rejects(post(connectors, 'quote', '3'), { code: 'tcp_error', message });
  const backEnd = await join();
  assert.equal((await backEnd.next()).payload, '1');
  backEnd.send('quote', 'one');
  assert.equal(await first, 'one');
  assert.equal((await backEnd.next()).payload, '2');
  backEnd.send('quote', 'two');
  assert.equal(await second, 'two');
  assert.equal(counter(connectors, 'errors'), 1);
});

test('the connection that was used last is used next', async (t) => {
  const { connectors, join } = await started(t);
  const older = (await join()).echo();
  const newer = await join();
  for (const payload of ['a', 'b']) {
    const answer = post(connectors, 'quote', payload);
    assert.equal((await newer.next()).payload, payload);
    newer.send('quote', '');
    await answer;
  }
  newer.socket.destroy();
  await eventually(() => workers(connectors) === 1, 'the end of the connection');
  assert.equal(await post(connectors, 'quote', 'c'), 'c');
  assert.equal(older.closed, false);
});

test('an idle connection that its back end closes is noticed at once', async (t) => {
  const { connectors, join } = await started(t);
  const backEnd = await join();
  backEnd.socket.end();
  await eventually(() => workers(connectors) === 0, 'the end of the worker');
  assert.deepEqual(connectors.crashes, []);
});

test('a connection that is restart_timeout old is closed, but not while it has a request', async (t) => {
  const { connectors, join } = await started(t, { args: { restart_timeout: 100 } });
  const idle = await join();
  await idle.untilClosed();
  const busy = await join();
  const answer = post(connectors, 'quote', '');
  const since = performance.now();
  await busy.next();
  await eventually(() => performance.now() - since > 200, 'more than restart_timeout to pass');
  assert.ok(!busy.closed);
  busy.send('quote', 'answer');
  assert.equal(await answer, 'answer');
  await busy.untilClosed();
  assert.deepEqual(connectors.warnings, []);
});

test('a get whose client has ended lets go of the connection, and takes nothing', async (t) => {
  const { connectors, join } = await started(t);
  const backEnd = await join();
  const abort = new AbortController();
  const answer = get(connectors, 'news', abort.signal);
  await eventually(() => counter(connectors, 'recv') === 1, 'the get to wait');
  abort.abort();
  await assert.rejects(answer, { code: 'connector_error' });
  backEnd.send('news', 'kept');
  assert.equal(await get(connectors, 'news'), 'kept');
});

test('a request whose client ends while it waits leaves the queue', async (t) => {
  const { connectors, join } = await started(t, { size: 1 });
  const abort = new AbortController();
  const gone = get(connectors, 'news', abort.signal);
  abort.abort();
  await assert.rejects(gone, { code: 'connector_error' });
  const waiting = get(connectors, 'news');
  (await join()).send('news', 'x');
  assert.equal(await waiting, 'x');
});

test('frames that nobody asks for are not read without end', async (t) => {
  const { connectors, join } = await started(t);
  const backEnd = await join();
  const big = 'x'.repeat(500_000);
  let written = 0;
  for (; written < 200 && backEnd.socket.write(encodeFrame('news', big)); written += 1) await new Promise(setImmediate);
  assert.ok(written < 200, 'the connection does not take everything');
  for (let read = 0; read < written; read += 1) assert.equal((await get(connectors, 'news')).length, big.length);
});

test('a port that is taken is said at the start', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  const args = { port, host: '127.0.0.1', listening: true, restart_timeout: 0, max_connection_timeout: 1 };
  const pools = { work: { connector: 'connector.tcp', size: 1, overflow: 0, args } };
  await assert.rejects(startConnectors({ pools, plugins }), {
    code: 'port_taken',
    message: new RegExp(`Cannot listen on 127\\.0\\.0\\.1:${port}: .*EADDRINUSE`),
  });
});

test("after a crash of the pools' supervisor back ends can connect again", async (t) => {
  const { connectors, port, join } = await started(t);
  const lost = await join();
  const supervisor = connectors.kernel.whereis('hive_connectors_pool_sup')!;
  connectors.kernel.exit(supervisor, supervisor, 'kill');
  await lost.untilClosed();
  const answer = post(connectors, 'quote', 'x');
  const again = async () => {
    const backEnd = await TcpBackEnd.connect(port).catch(() => undefined);
    await eventually(() => !backEnd || backEnd.closed || workers(connectors) === 1, 'the pool to take or refuse it');
    return workers(connectors) === 1 && backEnd;
  };
  (await eventually(again, 'the pool to listen again')).echo();
  assert.equal(await answer, 'x');
});

test('a node that stops gives the port back', async () => {
  const [port] = await freePorts(1);
  const args = { port, host: '127.0.0.1', listening: true, restart_timeout: 0, max_connection_timeout: 1 };
  const pools = { work: { connector: 'connector.tcp', size: 1, overflow: 0, args } };
  const connectors = await startConnectors({ pools, plugins });
  const backEnd = await TcpBackEnd.connect(port!);
  await eventually(() => workers(connectors) === 1, 'the connection to be a worker');
  await connectors.close();
  await backEnd.untilClosed();
  await (await startConnectors({ pools, plugins })).close();
});

test('back ends that vanish as soon as they come leave nothing behind', async (t) => {
  const { connectors, port, join } = await started(t, { size: 50 });
  const last = (await join()).echo();
  for (let round = 0; round < 20; round += 1) {
    const guests = await Promise.all(Array.from({ length: 10 }, () => TcpBackEnd.connect(port)));
    for (const [index, { socket }] of guests.entries()) {
      if (index % 2) socket.resetAndDestroy();
      else socket.end();
    }
  }
  await eventually(() => workers(connectors) === 1, 'all workers but one to end');
  assert.equal(await post(connectors, 'echo', 'x'), 'x');
  assert.ok(!last.closed);
  assert.deepEqual(connectors.crashes, []);
  assert.deepEqual(connectors.warnings, []);
});

test('more connections than a pool may have are refused, with one line in the log', async (t) => {
  const { connectors, port } = await started(t);
  const guests: TcpBackEnd[] = [];
  t.after(async () => guests.forEach(({ socket }) => void socket.destroy()));
  while (guests.length < 1024) {
    guests.push(...(await Promise.all(Array.from({ length: 64 }, () => TcpBackEnd.connect(port)))));
  }
  await eventually(() => workers(connectors) === 1024, 'all connections to be workers');
  const refused = [await TcpBackEnd.connect(port), await TcpBackEnd.connect(port)];
  for (const guest of refused) await guest.untilClosed();
  assert.deepEqual(connectors.warnings, ['Connections are refused: there are 1024 already']);
});
