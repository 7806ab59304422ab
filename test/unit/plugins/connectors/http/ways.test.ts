/** The ways to a back end: connections of the workers' own, shared ones, and TLS. They differ in nothing that can be seen. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, type TestContext, test } from 'node:test';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import type { BackEndReply } from '../../../../../src/plugins/connectors/back-end.ts';
import { Authority } from '../../../../support/certificates.ts';
import { startConnectors } from '../../../../support/connectors.ts';
import { eventually } from '../../../../support/eventually.ts';
import { missing } from '../../../../support/programs.ts';

const skipTls = missing('openssl');
const certificate = skipTls ? undefined : new Authority({ after }).issue('IP:127.0.0.1');

interface Way {
  readonly args: object;
  readonly tls?: boolean;
}

const ways: Record<string, Way> = {
  'connections of its own': { args: {} },
  'connections of its own through undici': { args: { client: 'undici' } },
  'shared connections': { args: { max_connections: 1 } },
  TLS: { args: {}, tls: true },
};

function serve(listener: RequestListener, tls: boolean): Server {
  if (!tls) return createServer(listener);
  const { cert_file, key_file } = certificate!;
  return createTlsServer({ cert: readFileSync(cert_file), key: readFileSync(key_file) }, listener);
}

/** A back end, a pool that leads to it, and how many connections were made. */
async function start(t: TestContext, { args, tls = false }: Way, listener: RequestListener, more: object = {}) {
  const server = serve(listener, tls);
  let connections = 0;
  server.on(tls ? 'secureConnection' : 'connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const base_url = `http${tls ? 's' : ''}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const connectors = await startConnectors();
  t.after(() => connectors.close());
  await connectors.pools.start('way', {
    connector: 'connector.http',
    size: 2,
    overflow: 0,
    args: { base_url, max_connection_timeout: 10_000, ...args, ...more },
  });
  const pool = connectors.pools.get<unknown, BackEndReply>('way');
  const post = (endpoint: string, signal?: AbortSignal) =>
    pool.request({ method: 'POST', endpoint, body: '"é"' }, signal);
  await eventually(() => tls || connections === 1, 'the probe');
  connections = 0;
  return { post, connections: () => connections };
}

/** The test's authority is in no list: certificates are not looked at meanwhile. */
function trustAnybody(t: TestContext): void {
  const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  t.after(() => {
    if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
  });
}

for (const [name, way] of Object.entries(ways)) {
  const options = { skip: way.tls ? skipTls : false };
  const prepare = (t: TestContext) => way.tls && trustAnybody(t);

  test(`${name}: requests follow each other on one connection`, options, async (t) => {
    prepare(t);
    const { post, connections } = await start(t, way, (request, response) => {
      const { 'content-type': type, 'content-length': length } = request.headers;
      request.on('data', (data) => response.end(`${request.method} ${request.url} ${type} ${length} ${data}`));
    });
    for (const endpoint of ['/a', '/b', '/c']) {
      const body = `POST ${endpoint} application/json 4 "é"`;
      assert.deepEqual(await post(endpoint), { status: 200, body });
    }
    assert.equal(connections(), 1);
  });

  test(`${name}: what is late is given up, and its connection closed`, options, async (t) => {
    prepare(t);
    let closed = false;
    const listener: RequestListener = (request, response) => {
      if (request.url === '/quick') response.end('quick');
      else request.socket.once('close', () => (closed = true));
    };
    const { post } = await start(t, way, listener, { max_connection_timeout: 300 });
    await assert.rejects(post('/slow'), { code: 'http_error', message: /\/slow: no complete answer in time/ });
    await eventually(() => closed, 'the end of the connection');
    assert.equal((await post('/quick')).body, 'quick');
  });

  test(`${name}: what nobody wants any more is given up, and its connection closed`, options, async (t) => {
    prepare(t);
    let closed = false;
    const abort = new AbortController();
    const { post } = await start(t, way, (request, response) => {
      if (request.url === '/quick') return void response.end('quick');
      request.socket.once('close', () => (closed = true));
      abort.abort();
    });
    await assert.rejects(post('/slow', abort.signal), { code: 'connector_error' });
    await eventually(() => closed, 'the end of the connection');
    assert.equal((await post('/quick')).body, 'quick');
  });

  test(`${name}: a body may have 16 MiB`, options, async (t) => {
    prepare(t);
    const most = 16 * 1024 * 1024;
    const { post } = await start(t, way, (request, response) => {
      response.end(Buffer.alloc(most + (request.url === '/more' ? 1 : 0), 'a'));
    });
    assert.equal((await post('/most')).body.length, most);
    await assert.rejects(post('/more'), { code: 'http_error', message: /size/i });
  });
}

/** By path: headers and body of an answer, and what is to be read in it; `undefined`: nothing, but an error. */
const bodies: Record<string, { headers: Record<string, string>; body: Buffer; text: string | RegExp }> = {};
const text = '{"price":"5 €"}';
const add = (path: string, headers: Record<string, string>, body: Buffer, read: string | RegExp = text): void => {
  bodies[`/${path}`] = { headers, body, text: read };
};
const plain = Buffer.from(text);
const encoding = (name: string) => ({ 'content-encoding': name });
const charset = (name: string) => ({ 'content-type': `application/json; charset=${name}` });
add('plain', {}, plain);
add('gzip', encoding('gzip'), gzipSync(plain));
add('x-gzip', encoding('X-GZIP'), gzipSync(plain));
add('br', encoding('br'), brotliCompressSync(plain));
add('deflate', encoding('deflate'), deflateSync(plain));
add('raw-deflate', encoding('deflate'), deflateRawSync(plain));
add('twice', encoding('deflate, gzip'), gzipSync(deflateSync(plain)));
add('identity', encoding('identity'), plain);
add('big', encoding('gzip'), gzipSync(Buffer.alloc(1_000_000, 'x')), 'x'.repeat(1_000_000));
add('bomb', encoding('gzip'), gzipSync(Buffer.alloc(17 * 1024 * 1024)), /exceeds the size of 16777216 bytes when/);
add(
  'br-bomb',
  encoding('br'),
  brotliCompressSync(Buffer.alloc(17 * 1024 * 1024)),
  /exceeds the size of 16777216 bytes when/,
);
add('zstd', encoding('zstd'), plain, /content encoding "zstd" is not understood/);
add('broken', encoding('gzip'), plain, /is not gzip: incorrect header check/);
add('short', encoding('gzip'), gzipSync(plain).subarray(0, 20), /is not gzip: unexpected end of file/);
add('mark', {}, Buffer.from(`\uFEFF${text}`));
add('mark-gzip', { ...encoding('gzip'), ...charset('utf-8') }, gzipSync(`\uFEFF${text}`));
add('utf-8', charset('UTF-8'), plain);
add('latin-9', charset('"iso-8859-15"'), Buffer.from(text.replace('€', '\xa4'), 'latin1'));
add('windows', charset('windows-1252'), Buffer.from(text.replace('€', '\x80'), 'latin1'));
add('utf-16', charset('utf-16le'), Buffer.from(`\uFEFF${text}`, 'utf16le'));
add('unknown', charset('klingon'), plain, /charset "klingon" is not understood/);
add('damaged', {}, Buffer.from('"\xfc"', 'latin1'), /is not UTF-8, and no other charset is named/);
add('damaged-16', charset('utf-16le'), Buffer.from([0x22, 0, 0x22]), /is not utf-16le/);

for (const [name, way] of Object.entries(ways)) {
  test(`${name}: bodies are read whatever their encoding and charset, or refused by name`, {
    skip: way.tls ? skipTls : false,
  }, async (t) => {
    if (way.tls) trustAnybody(t);
    let accepted: unknown;
    let status = 200;
    const { post, connections } = await start(t, way, (request, response) => {
      accepted = request.headers['accept-encoding'];
      const { headers, body } = bodies[request.url!]!;
      response.writeHead(status, headers).end(body);
    });
    for (const [path, { text }] of Object.entries(bodies)) {
      if (typeof text === 'string') assert.equal((await post(path)).body, text, path);
      else await assert.rejects(post(path), { code: 'http_error', message: text }, path);
    }
    assert.equal(accepted, 'gzip, deflate, br');
    assert.equal(connections(), 1);
    // What is wrong anyway is told by its status, not by its body.
    status = 500;
    assert.deepEqual(await post('/damaged'), { status: 500, body: '' });
    assert.deepEqual(await post('/gzip'), { status: 500, body: text });
  });

  test(`${name}: max_idle says how long a connection is kept`, { skip: way.tls ? skipTls : false }, async (t) => {
    if (way.tls) trustAnybody(t);
    let open = 0;
    const listener: RequestListener = (request, response) => {
      open += 1;
      request.socket.once('close', () => (open -= 1));
      response.end();
    };
    const brief = await start(t, way, listener, { max_idle: 50 });
    await brief.post('/');
    await eventually(() => open === 0, 'the end of the idle connection');
    const none = await start(t, way, listener, { max_idle: 0 });
    for (let n = 0; n < 3; n += 1) await none.post('/');
    assert.equal(none.connections(), 3);
  });
}

test('a certificate of nobody known is refused', { skip: skipTls }, async (t) => {
  const { post } = await start(t, { args: {}, tls: true }, (_, response) => response.end());
  await assert.rejects(post('/'), { code: 'http_error', message: /certificate/ });
});
