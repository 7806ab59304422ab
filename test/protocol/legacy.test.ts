/** Socket.IO 0.9 below the client library: the wire of the 2014 server without its faults. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { HiveError } from '../../src/observe/errors.ts';
import { decodeBatch, encodeBatch } from '../../src/protocol/legacy.ts';
import { eventPacket } from '../../src/protocol/packet.ts';
import { type SettingsChange, startTestServer, type TestServer } from '../support/client-server.ts';
import { eventually } from '../support/eventually.ts';
import { RawSocket, request } from '../support/raw-client.ts';

let server: TestServer;

const socketio: SettingsChange['socketio'] = { heartbeat_timeout: 15_000, reconnect_timeout: 120_000 };

before(async () => {
  server = await startTestServer({ socketio });
});

after(async () => {
  await server.close();
  assert.deepEqual(server.crashes, []);
});

const post = (url: string, body: string) => request(url, { method: 'POST', body });

const handshake = async (from = server) => {
  const { body } = await request(`${from.url}/socket.io/1/`);
  const id = body.split(':')[0]!;
  const url = (transport: string) => `${from.url}/socket.io/1/${transport}/${id}`;
  return { url, id, session: from.host.sessions.at(-1)! };
};

const polling = async (from = server) => {
  const { url, session, id } = await handshake(from);
  assert.equal((await request(url('xhr-polling'))).body, '1:::');
  return { poll: url('xhr-polling'), session, id };
};

const socket = async (from = server) => {
  const { url, session, id } = await handshake(from);
  const raw = new RawSocket(url('websocket'));
  assert.equal(await raw.next(), '1:::');
  return { raw, session, id, url };
};

test('the handshake tells the terms, with or without slash and query', async () => {
  for (const path of ['/socket.io/1/', '/socket.io/1', '/socket.io/1/?t=1700000000000&jsonp=0']) {
    const { status, body, headers } = await request(server.url + path);
    assert.equal(status, 200);
    assert.match(body, /^[0-9a-f]{32}:17:120:websocket,flashsocket,xhr-polling$/);
    assert.equal(headers.get('content-type'), 'text/plain; charset=UTF-8');
  }
});

test('a refused handshake says why', async () => {
  for (const [error, status] of [
    [new HiveError('no_slots'), 503],
    [new HiveError('router_error'), 503],
  ] as const) {
    server.host.refusing = error;
    const answer = await request(`${server.url}/socket.io/1/`);
    assert.deepEqual([answer.status, JSON.parse(answer.body)], [status, error.toJSON()]);
  }
  server.host.refusing = undefined;
  server.host.onOpen = () => {
    throw new Error('secret');
  };
  const answer = await request(`${server.url}/socket.io/1/`);
  server.host.onOpen = () => {};
  assert.deepEqual([answer.status, JSON.parse(answer.body).error], [500, 'internal_error']);
  assert.equal(answer.body.includes('secret'), false);
  assert.equal(server.crashes.splice(0).length, 1);
});

test('wrong methods and unknown paths are refused', async () => {
  const { url } = await handshake();
  const cases: [string, string, number][] = [
    ['PUT', `${server.url}/socket.io/1/`, 405],
    ['DELETE', url('xhr-polling'), 405],
    ['GET', url('websocket'), 400],
    ['GET', url('jsonp-polling'), 404],
    ['GET', `${server.url}/socket.io/1/xhr-polling`, 404],
    ['GET', `${url('xhr-polling')}/more`, 404],
    ['GET', `${server.url}/socket.io/2/`, 404],
    ['GET', `${server.url}/socket.io/socket.io.js`, 404],
  ];
  for (const [method, target, status] of cases) {
    assert.equal((await request(target, { method })).status, status, `${method} ${target}`);
  }
});

test('a poll after a post brings the answers as one batch, counted in UTF-16 units', async () => {
  const { poll } = await polling();
  const answer = await post(poll, '5:::{"name":"echo","args":["ä😀"]}');
  assert.deepEqual([answer.status, answer.body], [200, '']);
  await post(poll, encodeBatch(['5:::{"name":"echo","args":1}', '5:::{"name":"x"}']));
  const batch = (await request(poll)).body;
  assert.deepEqual(decodeBatch(batch), ['5:::{"name":"echo","args":["ä😀"]}', '5:::{"name":"echo","args":1}']);
  assert.ok(batch.startsWith('\ufffd34\ufffd'), batch);
});

test('a waiting poll collects for poll_timeout', async () => {
  const { poll, session } = await polling();
  const requests = server.metrics.counter('clients.transports.http.requests');
  const { value } = requests;
  const answer = request(poll);
  await eventually(() => requests.value > value, 'the poll');
  session.sink.send(eventPacket('a', []));
  await new Promise(setImmediate);
  session.sink.send(eventPacket('b', []));
  assert.deepEqual(decodeBatch((await answer).body), ['5:::{"name":"a","args":[]}', '5:::{"name":"b","args":[]}']);
});

test('the newest of two polls counts', async () => {
  const { poll, session } = await polling();
  const requests = server.metrics.counter('clients.transports.http.requests');
  const { value } = requests;
  const controller = new AbortController();
  const first = request(poll, { signal: controller.signal });
  await eventually(() => requests.value > value, 'the first poll');
  const second = request(poll);
  assert.equal((await first).body, '8:::');
  session.sink.send(eventPacket('a', []));
  assert.deepEqual(decodeBatch((await second).body), ['5:::{"name":"a","args":[]}']);
  assert.deepEqual(session.closed, []);
});

test('unknown sessions are told to start anew, at once', async () => {
  const unknown = `${server.url}/socket.io/1/xhr-polling/${'0'.repeat(40)}`;
  for (const answer of [await request(unknown), await post(unknown, '5:::{"name":"x"}')]) {
    assert.deepEqual([answer.status, answer.body], [404, '7:::1+0']);
  }
  const raw = new RawSocket(unknown.replace('xhr-polling', 'websocket'));
  assert.equal(await raw.next(), '7:::1+0');
  assert.equal(await raw.closed(), 1000);
});

test('posts before the first poll are refused', async () => {
  const { url } = await handshake();
  assert.equal((await post(url('xhr-polling'), '5:::{"name":"x"}')).status, 400);
  assert.equal((await request(url('xhr-polling'))).body, '1:::');
});

test('a session has one transport', async () => {
  const { raw, session, url } = await socket();
  const second = new RawSocket(url('websocket'));
  await second.closed();
  assert.equal((await request(url('xhr-polling'))).status, 400);
  assert.equal((await post(url('xhr-polling'), '5:::{"name":"x"}')).status, 400);
  assert.deepEqual([session.received, session.closed], [[], []]);
  raw.send('5:::{"name":"echo"}');
  assert.equal(await raw.next(), '5:::{"name":"echo","args":[]}');
  raw.close();
});

test('a flash socket is a WebSocket', async () => {
  const { url } = await handshake();
  const raw = new RawSocket(url('flashsocket'));
  assert.equal(await raw.next(), '1:::');
  raw.close();
});

test('a disconnect request ends the session in whatever state it is', async () => {
  const generic = await handshake();
  const poller = await polling();
  const connected = await socket();
  for (const { id, session } of [generic, poller, connected]) {
    const answer = await request(`${server.url}/socket.io/1//${id}/?disconnect=1`);
    assert.deepEqual([answer.status, answer.body], [200, '0:::']);
    assert.deepEqual(session.closed, ['client_disconnect']);
  }
  assert.equal(await connected.raw.next(), '0:::');
  assert.equal(await connected.raw.closed(), 1000);
  const other = await handshake();
  assert.equal((await request(`${other.url('websocket')}?disconnect`)).body, '0:::');
  assert.deepEqual(other.session.closed, ['client_disconnect']);
});

test('every packet type has its effect', async () => {
  const { raw, session } = await socket();
  for (const text of [
    '1::',
    '2::',
    '7:::1',
    '8::',
    '3:::hi',
    '4:::{"a":1}',
    '6:::4+[1]',
    '5:3+::{"name":"save","args":[2]}',
  ]) {
    raw.send(text);
  }
  assert.equal(await raw.next(), '6:::3+[2]');
  raw.send('1::/chat');
  assert.equal(await raw.next(), '7::/chat:Invalid namespace');
  assert.deepEqual(
    session.received.map(({ type }) => type),
    ['message', 'message', 'ack', 'event'],
  );
  raw.send('0::');
  assert.equal(await raw.next(), '0:::');
  assert.equal(await raw.closed(), 1000);
  assert.deepEqual(session.closed, ['client_disconnect']);
});

test('an event with unusable data is answered with an error event', async () => {
  const { raw, session } = await socket();
  for (const data of ['{', '[]', '5', '{"args":[0]}', '{"name":5}']) {
    raw.send(`5:::${data}`);
    assert.match(await raw.next(), /^5:::\{"name":"hive_error","args":\[\{"error":"bad_external_event"/);
  }
  assert.equal(session.rejected.length, 5);
  raw.close();
});

test('malformed packets: an error packet and the end of a socket, status 400 for a post', async () => {
  const { raw, session } = await socket();
  raw.send('garbage');
  assert.match(await raw.next(), /^7:::/);
  assert.equal(await raw.closed(), 1007);
  assert.deepEqual(session.closed, ['bad_packet']);
  const batched = await socket();
  batched.raw.send('\ufffd3\ufffd2::');
  assert.equal(await batched.raw.closed(), 1007);
  const { poll, session: poller } = await polling();
  for (const body of ['garbage', '\ufffd3\ufffd2::rest', '5:x::{}', '9:::']) {
    const answer = await post(poll, body);
    assert.equal(answer.status, 400);
    assert.match(answer.body, /^7:::/);
  }
  assert.deepEqual(poller.closed, []);
  assert.equal((await post(poll, 'a'.repeat(100_001))).status, 413);
});

test('binary and oversized frames are refused with their codes', async () => {
  const { raw } = await socket();
  raw.send(new Uint8Array([1]));
  assert.equal(await raw.closed(), 1003);
  const big = await socket();
  big.raw.send(`3:::${'a'.repeat(100_000)}`);
  assert.equal(await big.raw.closed(), 1009);
});

test('a stopped poller hears of it with its next poll, and then is unknown', async () => {
  const { poll, session } = await polling();
  session.sink.send(eventPacket('last', []));
  session.sink.end('stopped');
  assert.equal((await post(poll, '5:::{"name":"x"}')).status, 404);
  assert.deepEqual(decodeBatch((await request(poll)).body), ['5:::{"name":"last","args":[]}', '0:::']);
  assert.equal((await request(poll)).status, 404);
});

test('time-outs end what is idle', async (t) => {
  const quick = await startTestServer({
    hive: { websocket_ping_timeout: 100 },
    socketio: { init_timeout: 500, heartbeat_timeout: 1000, reconnect_timeout: 1000, session_timeout: 1500 },
  });
  t.after(() => quick.close());
  const generic = await handshake(quick);
  await eventually(() => generic.session.closed.length > 0, 'init_timeout');
  assert.deepEqual(generic.session.closed, ['connect_timeout']);

  const absent = await polling(quick);
  const present = await polling(quick);
  const silent = await socket(quick);
  const beats = request(present.poll);
  await eventually(() => absent.session.closed.length > 0, 'reconnect_timeout');
  assert.deepEqual(absent.session.closed, ['transport_closed']);
  assert.equal((await beats).body, '8:::');
  assert.equal(await silent.raw.next(), '2:::');
  await eventually(() => silent.session.closed.length > 0, 'session_timeout');
  assert.deepEqual(silent.session.closed, ['session_timeout']);
  assert.equal(await silent.raw.next(), '0:::');
  assert.equal(await silent.raw.closed(), 1000);
});
