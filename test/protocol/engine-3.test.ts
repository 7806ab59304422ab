/** Engine.IO v3 below the client libraries: what differs from v4. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { HiveError } from '../../src/observe/errors.ts';
import { eventPacket } from '../../src/protocol/packet.ts';
import { startTestServer, type TestServer } from '../support/client-server.ts';
import { eventually } from '../support/eventually.ts';
import { RawSocket, request } from '../support/raw-client.ts';

let server: TestServer;
let base: string;

before(async () => {
  server = await startTestServer({
    socketio: { ping_interval: 300, ping_timeout: 200, connect_timeout: 400, namespaces: ['/', '/chat'] },
  });
  base = `${server.url}/socket.io/?EIO=3`;
});

after(async () => {
  await server.close();
  assert.deepEqual(server.crashes, []);
});

const connected = async (query = '') => {
  const { body } = await request(`${base}&transport=polling${query}`);
  const colon = body.indexOf(':');
  const length = Number(body.slice(0, colon));
  const { sid, ...terms } = JSON.parse(body.slice(colon + 2, colon + 1 + length));
  const url = `${base}&transport=polling&sid=${sid}`;
  if (colon + 1 + length === body.length) assert.equal((await request(url)).body, '2:40');
  return { url, terms, session: server.host.sessions.at(-1)! };
};

const socket = async () => {
  const raw = new RawSocket(`${base}&transport=websocket`);
  assert.match(await raw.next(), /^0\{/);
  assert.equal(await raw.next(), '40');
  return { raw, session: server.host.sessions.at(-1)! };
};

test('the default namespace is connected at once', async () => {
  const { terms, session } = await connected();
  assert.deepEqual(terms, { upgrades: ['websocket'], pingInterval: 300, pingTimeout: 200, maxPayload: 100_000 });
  assert.deepEqual([session.request.protocol, session.request.namespace], ['eio3', '/']);
  const { raw } = await socket();
  raw.send('40');
  raw.send('42["echo","x"]');
  assert.equal(await raw.next(), '42["echo","x"]');
  raw.close();
});

test('another namespace is connected when asked for, with its query', async () => {
  const { raw, session: root } = await socket();
  raw.send('40/chat?token=a%20b,');
  assert.equal(await raw.next(), '40/chat,');
  const session = server.host.sessions.at(-1)!;
  assert.equal(session.request.namespace, '/chat');
  assert.equal(session.request.handshake.query.token, 'a b');
  assert.equal(session.request.handshake.query.EIO, '3');
  assert.equal(root.request.handshake.query.token, undefined);
  raw.send('42/chat,["echo",1]');
  assert.equal(await raw.next(), '42/chat,["echo",1]');
  raw.send('41/chat,');
  await eventually(() => session.closed.length > 0, 'the end of that session');
  assert.deepEqual(root.closed, []);
  raw.send('40/nowhere');
  assert.equal(await raw.next(), '44/nowhere,"Invalid namespace"');
  raw.close();
});

test('a refused client gets the error', async () => {
  server.host.onAttach = () => {
    throw new HiveError('stopped', 'Not today.');
  };
  const raw = new RawSocket(`${base}&transport=websocket`);
  await raw.next();
  assert.equal(await raw.next(), '44{"error":"stopped","description":"Not today."}');
  server.host.onAttach = () => {};
  assert.equal(await raw.closed(), 1008);
});

test('the client pings; one that stops to do so goes', async () => {
  const { raw, session } = await socket();
  raw.send('2');
  assert.equal(await raw.next(), '3');
  raw.send('2probe');
  assert.equal(await raw.next(), '3probe');
  await raw.closed();
  assert.deepEqual(session.closed, ['ping_timeout']);
  assert.deepEqual(raw.messages, []);
});

test('both forms of a payload are understood', async () => {
  const { url, session } = await connected();
  assert.equal((await request(url, { method: 'POST', body: '12:42["echo",1]13:42["echo",2]' })).status, 400);
  const { url: again } = await connected();
  assert.equal((await request(again, { method: 'POST', body: '12:42["echo",1]11:42["x","é"]' })).body, 'ok');
  assert.equal((await request(again)).body, '12:42["echo",1]');
  assert.deepEqual(session.closed, ['bad_packet']);
  const text = '451-["echo",{"_placeholder":true,"num":0}]';
  const digits = [...String(text.length)].map(Number);
  const body = Buffer.concat([Buffer.from([0, ...digits, 255]), Buffer.from(text), Buffer.from([1, 3, 255, 4, 1, 2])]);
  const headers = { 'content-type': 'application/octet-stream' };
  assert.equal((await request(again, { method: 'POST', body, headers })).body, 'ok');
  assert.deepEqual(await polledBytes(again), body);
});

/** The body of a poll that is answered in bytes. */
async function polledBytes(url: string): Promise<Buffer> {
  const response = await fetch(url);
  assert.equal(response.headers.get('content-type'), 'application/octet-stream');
  return Buffer.from(await response.arrayBuffer());
}

// Bytes came in base64 always, a third larger.
test('polls are answered in bytes, unless the client has said that it takes none', async () => {
  for (const [query, bytes] of [
    ['', true],
    ['&b64=1', false],
  ] as const) {
    const { url, session } = await connected(query);
    session.sink.send(eventPacket('x', [{ _binary: 'AQI=' }]));
    const text = '451-["x",{"_placeholder":true,"num":0}]';
    if (bytes) {
      const digits = [...String(text.length)].map(Number);
      const head = Buffer.from([0, ...digits, 255]);
      assert.deepEqual(
        await polledBytes(url),
        Buffer.concat([head, Buffer.from(text), Buffer.from([1, 3, 255, 4, 1, 2])]),
      );
    } else {
      assert.equal((await request(url)).body, `${text.length}:${text}6:b4AQI=`);
    }
  }
});

test('frames carry a type byte', async () => {
  const { raw, session } = await socket();
  raw.send('451-["x",{"_placeholder":true,"num":0}]');
  raw.send(new Uint8Array([4, 1, 2]));
  await eventually(() => session.received.length > 0, 'the event');
  assert.deepEqual(session.received[0]?.type === 'event' && session.received[0].args, [{ _binary: 'AQI=' }]);
  raw.send('451-["x",{"_placeholder":true,"num":0}]');
  raw.send(new Uint8Array([1, 2]));
  assert.equal(await raw.closed(), 1003);
});

test('polling clients of all generations get what is published, each in its own form', async () => {
  const { url, session } = await connected('&b64=1');
  session.sink.join('room');
  server.topics.publish('room', eventPacket('news', ['é', { _binary: 'AQI=' }]));
  const text = '451-["news","\\u00e9",{"_placeholder":true,"num":0}]';
  assert.equal((await request(url)).body, `${text.length}:${text}6:b4AQI=`);
});

test('the session of one version is unknown to the other', async () => {
  const { url, session } = await connected();
  const { status, body } = await request(url.replace('EIO=3', 'EIO=4'));
  assert.deepEqual([status, JSON.parse(body).code], [400, 1]);
  assert.deepEqual(session.closed, []);
});

test('a version that is not enabled is refused', async () => {
  for (const [protocols, enabled] of [
    [['eio4'], 'EIO=4'],
    [['eio3'], 'EIO=3'],
  ] as const) {
    const other = await startTestServer({ socketio: { protocols: [...protocols] } });
    for (const version of ['EIO=3', 'EIO=4']) {
      const { status } = await request(`${other.url}/socket.io/?${version}&transport=polling`);
      assert.equal(status, version === enabled ? 200 : 400);
    }
    await other.close();
  }
});
