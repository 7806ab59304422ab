import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import dns, { type LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, Socket } from 'node:net';
import { after, type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { TimingWheel } from '../../../../../src/kernel/timers.ts';
import { HttpConnection, type HttpRequest } from '../../../../../src/plugins/connectors/http/connection.ts';
import { eventually } from '../../../../support/eventually.ts';
import { missing } from '../../../../support/programs.ts';

const wheel = new TimingWheel(1);
after(() => wheel.stop());

const ok = (text: string, ...lines: string[]): string =>
  ['HTTP/1.1 200 OK', ...lines, `Content-Length: ${text.length}`, '', text].join('\r\n');

/** A server that answers each piece of data that comes. */
class BackEnd {
  readonly sockets: Socket[] = [];
  readonly received: string[] = [];
  closed = 0;
  readonly #server: Server;

  constructor(t: TestContext, answer: (socket: Socket, connection: number) => void) {
    this.#server = createServer((socket) => {
      const connection = this.sockets.push(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.closed += 1;
      });
      socket.on('data', (data) => {
        this.received.push(data.toString());
        answer(socket, connection);
      });
    });
    t.after(() => {
      for (const socket of this.sockets) socket.destroy();
      this.#server.close();
    });
  }

  async listen(): Promise<string> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }
}

function connectionTo(t: TestContext, url: string, connectTimeoutMs = 5000, maxIdleMs?: number): HttpConnection {
  const connection = new HttpConnection({ url: new URL(url), connectTimeoutMs, maxBodyBytes: 1000, maxIdleMs, wheel });
  t.after(() => connection.close());
  return connection;
}

const get: HttpRequest = { method: 'GET', path: '/', headers: null, body: null };

function post(body: string | null, path = '/p'): HttpRequest {
  return { method: 'POST', path, headers: ['content-type', 'text/plain'], body };
}

function ask(connection: HttpConnection, request = get): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    connection.dispatch(request, {
      onRequestStart: () => {},
      onResponseStart: (_, status) => {
        text = `${status} `;
      },
      onResponseData: (_, piece) => {
        text += piece;
      },
      onResponseEnd: () => resolve(text),
      onResponseError: (_, error) => reject(error),
    });
  });
}

test('requests are written as HTTP/1.1, with the length of their body in bytes', async (t) => {
  const backEnd = new BackEnd(t, (socket) => socket.write(ok('')));
  const url = await backEnd.listen();
  const connection = connectionTo(t, url);
  const start = (line: string) => `${line} HTTP/1.1\r\nhost: ${new URL(url).host}\r\nconnection: keep-alive\r\n`;
  const start2 = `${start('POST /p')}content-type: text/plain\r\n`;
  const expected = [
    [get, `${start('GET /')}\r\n`],
    [post('{}'), `${start2}content-length: 2\r\n\r\n{}`],
    [post('"é€"'), `${start2}content-length: 7\r\n\r\n"é€"`],
    [post(null), `${start2}content-length: 0\r\n\r\n`],
  ] as const;
  for (const [request, text] of expected) {
    backEnd.received.length = 0;
    await ask(connection, request);
    assert.deepEqual(backEnd.received, [text]);
  }
  assert.equal(backEnd.sockets.length, 1);
});

test('paths that would end the first line are refused', async (t) => {
  const connection = connectionTo(t, 'http://127.0.0.1:9');
  for (const path of ['', 'x', '/a b', '/a\r\nx: y', '/a\n', '/€']) {
    assert.throws(() => connection.dispatch({ ...get, path }, {} as never), /the path must start with a slash/, path);
  }
});

test('a second request at the same time is refused', async (t) => {
  const backEnd = new BackEnd(t, (socket) => socket.write(ok('a')));
  const connection = connectionTo(t, await backEnd.listen());
  const first = ask(connection);
  await assert.rejects(ask(connection), /busy/);
  assert.equal(await first, '200 a');
});

test('the connection is opened anew where the back end does not keep it', async (t) => {
  const endings: Record<string, (socket: Socket) => void> = {
    'it says so': (socket) => socket.write(ok('a', 'Connection: close')),
    'it says that it will soon': (socket) => socket.write(ok('a', 'Keep-Alive: timeout=2')),
    'it says more than it was asked': (socket) => socket.write(`${ok('a')}${ok('b')}`),
    'it speaks HTTP/1.0': (socket) => socket.end('HTTP/1.0 200 OK\r\n\r\na'),
  };
  for (const [name, answer] of Object.entries(endings)) {
    const backEnd = new BackEnd(t, answer);
    const connection = connectionTo(t, await backEnd.listen());
    assert.equal(await ask(connection), '200 a', name);
    assert.equal(await ask(connection), '200 a', name);
    assert.equal(backEnd.sockets.length, 2, name);
    await eventually(() => backEnd.closed === 2, `the end of the connection when ${name}`);
  }
});

test('an idle connection is closed before the back end does it', async (t) => {
  const backEnd = new BackEnd(t, (socket) => socket.write(ok('a', 'Keep-Alive: timeout=3')));
  const connection = connectionTo(t, await backEnd.listen());
  assert.equal(await ask(connection), '200 a');
  assert.equal(wheel.pending, 1);
  await eventually(() => backEnd.closed === 1, 'the end of the idle connection');
  assert.equal(wheel.pending, 0);
});

test('what comes unasked closes an idle connection', async (t) => {
  const backEnd = new BackEnd(t, (socket) => socket.write(ok('a')));
  const connection = connectionTo(t, await backEnd.listen());
  await ask(connection);
  backEnd.sockets[0]!.write(ok('forged'));
  await eventually(() => backEnd.closed === 1, 'the end of the connection');
  assert.equal(await ask(connection), '200 a');
});

test('an answer that comes before the request is out ends the connection', async (t) => {
  const backEnd = new BackEnd(t, (socket) => {
    if (backEnd.received.length === 1) socket.pause().write(ok('too large'));
  });
  const connection = connectionTo(t, await backEnd.listen());
  assert.equal(await ask(connection, post('x'.repeat(30_000_000))), '200 too large');
  assert.equal(wheel.pending, 0, 'the connection is kept');
  backEnd.sockets[0]!.resume();
  await eventually(() => backEnd.closed === 1, 'the end of the connection');
});

test('an answer that is cut off is an error', async (t) => {
  for (const text of ['', 'HTTP/1.1 200 OK\r\n', ok('whole').slice(0, -1)]) {
    const backEnd = new BackEnd(t, (socket) => socket.end(text));
    await assert.rejects(ask(connectionTo(t, await backEnd.listen())), /the connection was closed by the back end/);
  }
});

/**
 * Answers each connection with one of its arguments, and resets it when that has been read, which cannot be seen from there. Node's
 * own sockets end connections before they reset them.
 */
const resetting = `
import socket, struct, sys, time
server = socket.create_server(('127.0.0.1', 0))
print(server.getsockname()[1], flush=True)
for text in sys.argv[1:]:
    client, _ = server.accept()
    client.recv(65536)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    client.sendall(text.encode())
    time.sleep(0.1)
    client.close()
`;

test('an answer that ends with its connection may end with a reset', { skip: missing('python3') }, async (t) => {
  const answers = ['HTTP/1.0 200 OK\r\n\r\na', ok('whole').slice(0, -1)];
  const server = spawn('python3', ['-c', resetting, ...answers], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => server.kill());
  const [port] = await once(server.stdout, 'data');
  const connection = connectionTo(t, `http://127.0.0.1:${Number(port)}`);
  assert.equal(await ask(connection), '200 a');
  await assert.rejects(ask(connection), { code: 'ECONNRESET' });
});

test('a connection that is closed fails its request, and can be used again', async (t) => {
  const backEnd = new BackEnd(t, (socket, connection) => connection > 1 && socket.write(ok('a')));
  const connection = connectionTo(t, await backEnd.listen());
  const asked = ask(connection);
  await eventually(() => backEnd.received.length === 1, 'the request');
  connection.close();
  await assert.rejects(asked, /the connection was closed/);
  assert.equal(await ask(connection), '200 a');
});

test('an aborted request closes the connection, and the next one opens another', async (t) => {
  const backEnd = new BackEnd(t, (socket, connection) => connection > 1 && socket.write(ok('a')));
  const connection = connectionTo(t, await backEnd.listen());
  const never = () => assert.fail('the handler was called');
  const deaf = { onResponseStart: never, onResponseData: never, onResponseEnd: never, onResponseError: never };
  connection.dispatch(get, { ...deaf, onRequestStart: () => {} });
  await eventually(() => backEnd.received.length === 1, 'the request');
  connection.abort();
  assert.equal(await ask(connection), '200 a');
  await eventually(() => backEnd.closed === 1, 'the end of the first connection');
  connection.dispatch(get, { ...deaf, onRequestStart: (controller) => controller.abort(new Error('too late')) });
  assert.equal(await ask(connection), '200 a');
});

test('a name that leads to several addresses is tried at all of them', async (t) => {
  const backEnd = new BackEnd(t, (socket) => socket.write(ok('a')));
  const url = (await backEnd.listen()).replace('127.0.0.1', 'several.test');
  const addresses = [
    { address: '::1', family: 6 },
    { address: '127.0.0.1', family: 4 },
  ];
  const lookup = (_: string, __: unknown, found: (error: null, all: LookupAddress[]) => void) => found(null, addresses);
  t.mock.method(dns, 'lookup', lookup);
  assert.equal(await ask(connectionTo(t, url)), '200 a');
});

/**
 * A server on another thread, where things happen while this one looks away. It answers once on each connection; then `act`
 * runs on its socket, when it is told to.
 */
async function elsewhere(t: TestContext, act: string) {
  const told = new Int32Array(new SharedArrayBuffer(8));
  const program = `
    const { workerData: told, parentPort } = require('node:worker_threads');
    const server = require('node:net').createServer({ noDelay: true }, (socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.write(${JSON.stringify(ok('a'))}, () => {
        if (Atomics.load(told, 1) === 1) return;
        Atomics.wait(told, 0, 0);
        const done = () => { Atomics.store(told, 1, 1); Atomics.notify(told, 1); };
        ${act};
      }));
    });
    server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`;
  const worker = new Worker(program, { eval: true, workerData: told });
  t.after(() => worker.terminate());
  const [port] = await once(worker, 'message');
  /** Has it act, and looks away until that has been done. */
  const go = () => {
    Atomics.store(told, 0, 1);
    Atomics.notify(told, 0);
    assert.notEqual(Atomics.wait(told, 1, 0, 10_000), 'timed-out');
  };
  return { url: `http://127.0.0.1:${port}`, go };
}

/** Where requests come from: an immediate, or a socket, whose turn it is earlier in the round of the event loop. */
const origins: Record<string, (t: TestContext, task: () => void) => Promise<void>> = {
  async 'an immediate'(_, task) {
    setImmediate(task);
  },
  async 'a socket'(t, task) {
    const backEnd = new BackEnd(t, task);
    new Socket().connect(Number(new URL(await backEnd.listen()).port), '127.0.0.1').end('now');
  },
};

for (const [name, from] of Object.entries(origins)) {
  test(`a request on a connection that the back end has just closed goes over another one, when it comes from ${name}`, async (t) => {
    const { url, go } = await elsewhere(t, 'socket.on("close", done).destroy()');
    const connection = connectionTo(t, url);
    assert.equal(await ask(connection), '200 a');
    const second = new Promise((resolve) => {
      void from(t, () => {
        go();
        resolve(ask(connection, post('{}')));
      });
    });
    assert.equal(await second, '200 a');
  });

  test(`what has just come unasked is not taken for the answer, when the request comes from ${name}`, async (t) => {
    const { url, go } = await elsewhere(t, `socket.write(${JSON.stringify(ok('forged'))}, done)`);
    const connection = connectionTo(t, url);
    assert.equal(await ask(connection), '200 a');
    const second = new Promise((resolve) => {
      void from(t, () => {
        go();
        resolve(ask(connection));
      });
    });
    assert.equal(await second, '200 a');
  });
}

test('a connection that is not accepted in time is an error', async (t) => {
  // A backlog of one takes two connections when nobody accepts them; the system lets a third one wait.
  const program = `
    const { workerData: told, parentPort } = require('node:worker_threads');
    const server = require('node:net').createServer((socket) => socket.destroy());
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      parentPort.postMessage(server.address().port);
      Atomics.wait(told, 0, 0);
      process.exit();
    });`;
  const told = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(program, { eval: true, workerData: told });
  t.after(() => {
    Atomics.store(told, 0, 1);
    Atomics.notify(told, 0);
    return worker.terminate();
  });
  const [port] = await once(worker, 'message');
  for (let taken = 0; taken < 2; taken += 1) {
    const socket = new Socket().connect(port, '127.0.0.1');
    socket.on('error', () => {});
    t.after(() => void socket.destroy());
    await once(socket, 'connect');
  }
  await assert.rejects(
    ask(connectionTo(t, `http://127.0.0.1:${port}`, 50)),
    /connect timeout: no connection within 50 ms/,
  );
});
