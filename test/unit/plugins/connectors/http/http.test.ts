import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { BackEndReply, BackEndRequest } from '../../../../../src/plugins/connectors/back-end.ts';
import { httpConnector } from '../../../../../src/plugins/connectors/http/http.ts';
import type { PoolDescriptor } from '../../../../../src/plugins/types.ts';
import { type Connectors, startConnectors } from '../../../../support/connectors.ts';
import { eventually } from '../../../../support/eventually.ts';
import { freePorts } from '../../../../support/ports.ts';

let connectors: Connectors;
let listener: RequestListener;
let server: Server;
let connections = 0;
let base: string;

function listening(on: Server | TcpServer): Promise<number> {
  return new Promise((resolve) => on.listen(0, '127.0.0.1', () => resolve((on.address() as AddressInfo).port)));
}

type Client = 'fast' | 'undici';

function pool(client: Client, base_url: string, args: object = {}, sizes = { size: 2, overflow: 2 }): PoolDescriptor {
  return { connector: 'connector.http', ...sizes, args: { base_url, client, max_connection_timeout: 2000, ...args } };
}

let started = 0;

/** Asks through a fresh pool. */
async function ask(request: BackEndRequest, descriptor: PoolDescriptor, signal?: AbortSignal): Promise<BackEndReply> {
  started += 1;
  await connectors.pools.start(`pool${started}`, descriptor);
  return connectors.pools.get<unknown, BackEndReply>(`pool${started}`).request(request, signal);
}

async function body(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}

/** A server that says exactly this to every connection's first bytes. */
async function rawServer(t: { after(done: () => void): void }, answer: (socket: Socket) => void): Promise<string> {
  const raw = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => answer(socket));
  });
  const port = await listening(raw);
  t.after(() => void raw.close());
  return `http://127.0.0.1:${port}`;
}

before(async () => {
  connectors = await startConnectors();
  server = createServer((request, response) => listener(request, response));
  server.on('connection', () => {
    connections += 1;
  });
  base = `http://127.0.0.1:${await listening(server)}`;
});

after(async () => {
  await connectors.close();
  server.closeAllConnections();
  server.close();
});

for (const client of ['fast', 'undici'] as const) {
  describe(`asked by the client ${client}`, () => {
    const http = (url: string, args?: object, sizes?: { size: number; overflow: number }) =>
      pool(client, url, args, sizes);

    test('a GET brings status and body, and the connection is used again', async () => {
      listener = (request, response) => response.end(`${request.method} ${request.url}`);
      await connectors.pools.start(`kept ${client}`, http(`${base}/api`));
      const pool = connectors.pools.get(`kept ${client}`);
      assert.deepEqual(await pool.request({ method: 'GET', endpoint: '/one?a=b' }), {
        status: 200,
        body: 'GET /api/one?a=b',
      });
      connections = 0;
      assert.deepEqual(await pool.request({ method: 'GET', endpoint: '/two' }), { status: 200, body: 'GET /api/two' });
      assert.equal(connections, 0);
    });

    test('a POST sends its body as JSON with its length in bytes', async () => {
      listener = async (request, response) => {
        const { 'content-type': type, 'content-length': length, host } = request.headers;
        response.end(JSON.stringify({ type, length, host, body: await body(request) }));
      };
      const answer = await ask({ method: 'POST', endpoint: '/x', body: '"é€"' }, http(base));
      const expected = { type: 'application/json', length: '7', host: base.slice('http://'.length), body: '"é€"' };
      assert.deepEqual(JSON.parse(answer.body), expected);
    });

    test('the endpoint is appended to the base URL to the letter', async () => {
      listener = (request, response) => response.end(request.url);
      assert.equal((await ask({ method: 'GET', endpoint: 'b' }, http(`${base}/a`))).body, '/ab');
    });

    test('204 is an answer with an empty body, and so is any other status an answer', async () => {
      listener = (_request, response) => response.writeHead(204).end();
      assert.deepEqual(await ask({ method: 'POST', endpoint: '/', body: '{}' }, http(base)), { status: 204, body: '' });
      listener = (_request, response) => response.writeHead(503).end('later');
      assert.deepEqual(await ask({ method: 'GET', endpoint: '/' }, http(base)), { status: 503, body: 'later' });
    });

    test('an HTTP/1.0 answer that ends with its connection is complete', async (t) => {
      const raw = await rawServer(t, (socket) =>
        socket.end('HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n[1,2]'),
      );
      const descriptor = http(raw);
      assert.deepEqual(await ask({ method: 'POST', endpoint: '/', body: '{}' }, descriptor), {
        status: 200,
        body: '[1,2]',
      });
    });

    test('an answer in several pieces is put together', async () => {
      listener = (_request, response) => {
        response.write('é'.repeat(40_000));
        setImmediate(() => response.end('!'));
      };
      assert.equal((await ask({ method: 'GET', endpoint: '/' }, http(base))).body, `${'é'.repeat(40_000)}!`);
    });

    test('a back end that is not there gives http_error with address and reason', async () => {
      const [port] = await freePorts(1);
      await assert.rejects(ask({ method: 'GET', endpoint: '/x' }, http(`http://127.0.0.1:${port}`)), {
        code: 'http_error',
        message: `GET http://127.0.0.1:${port}/x: connect ECONNREFUSED 127.0.0.1:${port}`,
      });
    });

    test('a connection that is reset gives http_error', async (t) => {
      const raw = await rawServer(t, (socket) => socket.resetAndDestroy());
      await assert.rejects(ask({ method: 'POST', endpoint: '/', body: '{}' }, http(raw)), {
        code: 'http_error',
        message: /ECONNRESET|closed/,
      });
    });

    test('nonsense instead of HTTP gives http_error', async (t) => {
      const raw = await rawServer(t, (socket) => socket.end('220 mail.example ESMTP\r\n'));
      await assert.rejects(ask({ method: 'GET', endpoint: '/' }, http(raw)), { code: 'http_error' });
    });

    test('a slow answer fails at the limit and does not disturb the next request', async () => {
      let held: ServerResponse | undefined;
      listener = (request, response) => {
        if (request.url === '/slow') held = response;
        else response.end('quick');
      };
      await connectors.pools.start(
        `slow ${client}`,
        http(base, { max_connection_timeout: 100 }, { size: 1, overflow: 0 }),
      );
      const pool = connectors.pools.get<unknown, BackEndReply>(`slow ${client}`);
      await assert.rejects(pool.request({ method: 'GET', endpoint: '/slow' }), {
        code: 'http_error',
        message: /no complete answer in time/,
      });
      held?.end('late');
      assert.equal((await pool.request({ method: 'GET', endpoint: '/quick' })).body, 'quick');
    });

    test('a body without end is cut off', async () => {
      listener = (_request, response) => {
        const piece = Buffer.alloc(1024 * 1024);
        const pump = (): void => {
          while (!response.destroyed && response.write(piece));
          if (!response.destroyed) response.once('drain', pump);
        };
        pump();
      };
      await assert.rejects(ask({ method: 'GET', endpoint: '/' }, http(base, { max_connection_timeout: 20_000 })), {
        code: 'http_error',
        message: /size/i,
      });
    });

    test('an aborted request is given up at once, and its connection closed', async () => {
      let closed = false;
      const abort = new AbortController();
      listener = (request) => {
        request.socket.once('close', () => {
          closed = true;
        });
        abort.abort();
      };
      const descriptor = http(base, { max_connection_timeout: 60_000 });
      await assert.rejects(ask({ method: 'GET', endpoint: '/' }, descriptor, abort.signal), {
        code: 'connector_error',
      });
      await eventually(() => closed, 'the connection to be closed');
    });

    test('an endpoint that makes no path gives http_error', async () => {
      await assert.rejects(ask({ method: 'GET', endpoint: 'no slash' }, http(base)), { code: 'http_error' });
    });

    test('no more than size + overflow requests run at once', async () => {
      const waiting: ServerResponse[] = [];
      listener = (_request, response) => void waiting.push(response);
      await connectors.pools.start(`narrow ${client}`, http(base, {}, { size: 1, overflow: 1 }));
      const pool = connectors.pools.get<unknown, BackEndReply>(`narrow ${client}`);
      const answers = [1, 2, 3].map(() => pool.request({ method: 'GET', endpoint: '/' }));
      await eventually(() => waiting.length === 2, 'two requests');
      waiting.shift()?.end('first');
      await Promise.race(answers);
      await eventually(() => waiting.length === 2, 'the third request');
      for (const response of waiting) response.end('rest');
      assert.deepEqual(
        (await Promise.all(answers)).map(({ status }) => status),
        [200, 200, 200],
      );
    });

    test('gets, posts and posts without interest in the answer are counted', async () => {
      listener = (_request, response) => response.end();
      await connectors.pools.start(`counted ${client}`, http(base));
      const pool = connectors.pools.get(`counted ${client}`);
      await pool.request({ method: 'GET', endpoint: '/' });
      await pool.request({ method: 'POST', endpoint: '/', body: '{}' });
      await pool.request({ method: 'POST', endpoint: '/', body: '{}', async: true });
      const counts = { requests: 3, errors: 0, sync_gets: 1, sync_posts: 1, async_posts: 1 };
      const counted = { workers: 2, capacity: 4, busy: 0, waiting: 0, ...counts };
      const { latency, ...metrics } = connectors.counter(`connectors.http.counted ${client}`) as Record<
        string,
        unknown
      >;
      assert.deepEqual(metrics, counted);
      assert.equal((latency as { count: number }).count, 3);
    });
  });
}

test('base URLs that cannot work are refused with a reason', () => {
  const reasons = {
    'not a url': 'is not a URL',
    'ftp://127.0.0.1/': 'must start with http:// or https://',
    'http://me:secret@127.0.0.1/': 'must not contain a user name or password',
    'http://127.0.0.1/#top': 'must not contain a fragment (#)',
  };
  for (const [base_url, reason] of Object.entries(reasons)) {
    const refusal = httpConnector.check?.(
      { base_url, max_connection_timeout: 1, client: 'fast' },
      connectors.services.config,
    );
    assert.deepEqual(refusal, { code: 'bad_http_connector_args', path: 'base_url', reason });
  }
  const config = connectors.services.config;
  assert.equal(
    httpConnector.check?.({ base_url: 'https://example.com', max_connection_timeout: 1, client: 'fast' }, config),
    undefined,
  );
});

test('a probe says whether the back end listens', async () => {
  await httpConnector.probe({ base_url: base, max_connection_timeout: 1, client: 'fast' });
  const [port] = await freePorts(1);
  await assert.rejects(
    httpConnector.probe({ base_url: `http://127.0.0.1:${port}/`, max_connection_timeout: 1, client: 'fast' }),
    {
      code: 'connectors_error',
      message: /cannot be reached: connect ECONNREFUSED/,
    },
  );
});
