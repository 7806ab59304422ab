/** What all protocols share: origins, slow readers, the end of the server. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { WebSocket } from 'undici';
import { eventPacket } from '../../src/protocol/packet.ts';
import { startTestServer, type TestServer } from '../support/client-server.ts';
import { eventually } from '../support/eventually.ts';
import { RawSocket, rawUpgrade, request, textFrame } from '../support/raw-client.ts';

let server: TestServer;

before(async () => {
  server = await startTestServer();
});

after(async () => {
  await server.close();
  assert.deepEqual(server.crashes, []);
});

const paths = ['/socket.io/?EIO=4&transport=polling', '/socket.io/1/'];

test('an allowed origin is named in the answer, and caches are warned', async () => {
  for (const path of paths) {
    for (const origin of ['http://good.example', 'https://a.b.shop.example:8443']) {
      const { status, headers } = await request(server.url + path, { headers: { origin } });
      assert.equal(status, 200);
      assert.equal(headers.get('access-control-allow-origin'), origin);
      assert.equal(headers.get('access-control-allow-credentials'), 'true');
      assert.equal(headers.get('vary'), 'Origin');
    }
    const { status, headers } = await request(server.url + path);
    assert.equal(status, 200);
    assert.equal(headers.get('access-control-allow-origin'), null);
  }
});

test('other origins are refused on every way in and learn nothing', async () => {
  for (const origin of [
    'http://evil.example',
    'http://good.example:81',
    'http://shop.example',
    'http://xshop.example',
    'null',
  ]) {
    for (const path of [...paths, '/socket.io/1/xhr-polling/x']) {
      for (const method of ['GET', 'POST', 'OPTIONS']) {
        const { status, body, headers } = await request(server.url + path, { method, headers: { origin } });
        assert.deepEqual([status, JSON.parse(body).error], [403, 'bad_request'], `${method} ${path} from ${origin}`);
        assert.equal(headers.get('access-control-allow-origin'), null);
        assert.equal(headers.get('vary'), 'Origin');
      }
    }
    const raw = new RawSocket(`${server.url}/socket.io/?EIO=4&transport=websocket`, { origin });
    assert.equal(await raw.closed(), 1006);
  }
  assert.equal(server.host.sessions.filter(({ request }) => request.handshake.headers.origin === 'null').length, 0);
});

// No subprotocol was answered, upon which browsers close the WebSocket of a page that has named one.
test('a WebSocket gets the first subprotocol that it offers', async () => {
  const url = `${server.url.replace(/^http/, 'ws')}/socket.io/?EIO=4&transport=websocket`;
  const socket = new WebSocket(url, ['hive.v1', 'other']);
  await eventually(() => socket.readyState === WebSocket.OPEN, 'the socket to open');
  assert.equal(socket.protocol, 'hive.v1');
  socket.close();
  for (const [offer, answered] of [
    ['', undefined],
    [' a , b', 'a'],
    ['"no token", b', undefined],
    [',', undefined],
  ] as const) {
    const raw = connect(Number(new URL(server.url).port), '127.0.0.1');
    raw.write(
      'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ${offer}\r\n\r\n`,
    );
    const [head] = await once(raw, 'data');
    assert.match(String(head), /^HTTP\/1\.1 101 /);
    assert.equal(/^sec-websocket-protocol: *(.*)$/im.exec(String(head))?.[1], answered, offer);
    raw.destroy();
  }
});

test('requests without an origin need null in the list', async () => {
  const strict = await startTestServer({ hive: { allowed_origins: ['*'] } });
  for (const path of paths) {
    assert.equal((await request(strict.url + path)).status, 403);
    assert.equal((await request(strict.url + path, { headers: { origin: 'null' } })).status, 200);
  }
  await strict.close();
});

test('pre-flight requests are answered', async () => {
  for (const path of paths) {
    const { status, headers } = await request(server.url + path, {
      method: 'OPTIONS',
      headers: {
        origin: 'http://good.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type,x-app',
      },
    });
    assert.equal(status, 204);
    assert.equal(headers.get('access-control-allow-origin'), 'http://good.example');
    assert.equal(headers.get('access-control-allow-methods'), 'GET, POST');
    assert.equal(headers.get('access-control-allow-headers'), 'content-type,x-app');
  }
});

test('a taken port is an error that names it', async () => {
  await assert.rejects(startTestServer({ hive: { port: server.port } }), {
    code: 'port_taken',
    message: new RegExp(`127\\.0\\.0\\.1:${server.port}`),
  });
});

test('a client that does not read is cut off, whether it is sent to or published to; others are served', async () => {
  const bystander = new RawSocket(`${server.url}/socket.io/?EIO=4&transport=websocket`);
  await bystander.next();
  bystander.send('40');
  await bystander.next();
  server.host.sessions.at(-1)!.sink.join('flood');
  const data = 'x'.repeat(50_000);
  for (const way of ['send', 'publish']) {
    const tcp = await rawUpgrade(server.port, '/socket.io/?EIO=4&transport=websocket');
    const count = server.host.sessions.length;
    tcp.write(textFrame('40'));
    await eventually(() => server.host.sessions.length > count, 'the session');
    const session = server.host.sessions.at(-1)!;
    await eventually(() => session.sink !== undefined, 'the sink');
    tcp.pause();
    session.sink.join('flood');
    let sent = 0;
    let most = 0;
    await eventually(() => {
      sent += 1;
      if (way === 'send') session.sink.send(eventPacket('n', [sent, data]));
      else server.topics.publish('flood', eventPacket('n', [sent, data]));
      most = Math.max(most, session.sink.bufferedBytes);
      return session.closed.length > 0;
    }, `the end by ${way}`);
    assert.deepEqual(session.closed, ['too_slow']);
    assert.ok(most < 2_000_000, `${most} bytes buffered`);
    if (way === 'publish') await eventually(() => bystander.messages.length >= sent - 1, 'the bystander');
    tcp.destroy();
  }
  assert.equal(server.metrics.counter('clients.transports.too_slow').value, 2);
  bystander.close();
});

test('a poller that does not poll is cut off', async () => {
  for (const legacy of [false, true]) {
    const answer = await request(server.url + paths[legacy ? 1 : 0]);
    const session = await (async () => {
      if (legacy) await request(`${server.url}/socket.io/1/xhr-polling/${answer.body.split(':')[0]}`);
      else {
        const url = `${server.url}${paths[0]}&sid=${JSON.parse(answer.body.slice(1)).sid}`;
        await request(url, { method: 'POST', body: '40' });
        await request(url);
      }
      return server.host.sessions.at(-1)!;
    })();
    for (let n = 0; n < 30; n += 1) session.sink.send(eventPacket('n', ['x'.repeat(50_000)]));
    assert.deepEqual(session.closed, ['too_slow']);
    assert.equal(session.sink.bufferedBytes, 0);
  }
});

test('the end of the server ends all clients, so that they reconnect', async () => {
  const ending = await startTestServer();
  const raw = new RawSocket(`${ending.url}/socket.io/?EIO=4&transport=websocket`);
  await raw.next();
  raw.send('40');
  await raw.next();
  const id = (await request(`${ending.url}/socket.io/1/`)).body.split(':')[0];
  const poll = `${ending.url}/socket.io/1/xhr-polling/${id}`;
  await request(poll);
  const requests = ending.metrics.counter('clients.transports.http.requests');
  const { value } = requests;
  const waiting = request(poll);
  await eventually(() => requests.value > value, 'the poll');
  await ending.close();
  assert.equal(await raw.closed(), 1001);
  assert.deepEqual(raw.messages, []);
  assert.equal((await waiting).body, '7:::1+0');
  assert.deepEqual(
    ending.host.sessions.map(({ closed }) => closed),
    [['shutdown'], ['shutdown']],
  );
  await assert.rejects(fetch(ending.url));
});
