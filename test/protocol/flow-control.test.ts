/** What a client may send how fast, and compression. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { eventPacket } from '../../src/protocol/packet.ts';
import { startTestServer, type TestServer } from '../support/client-server.ts';
import { eventually, next } from '../support/eventually.ts';
import { RawSocket, request } from '../support/raw-client.ts';

describe('with max_packets_per_second', () => {
  let server: TestServer;
  const refused = () => server.metrics.counter('clients.transports.too_many_packets').value;

  before(async () => {
    server = await startTestServer({ socketio: { max_packets_per_second: 20 } });
  });

  after(async () => {
    await server.close();
    assert.deepEqual(server.crashes, []);
  });

  const websocket = async () => {
    const raw = new RawSocket(`${server.url}/socket.io/?EIO=4&transport=websocket`);
    await raw.next();
    raw.send('40');
    await raw.next();
    return { raw, session: server.host.sessions.at(-1)! };
  };

  test('a client that sends more is closed with the reason, and others are not', async () => {
    const bystander = await websocket();
    const { raw, session } = await websocket();
    for (let n = 0; n < 100; n += 1) raw.send('42["x"]');
    assert.equal(await raw.closed(), 1008);
    assert.deepEqual(session.closed, ['too_many_packets']);
    // The connect packet was one of them. On a slow machine a second may end in between.
    assert.ok(session.received.length >= 19 && session.received.length < 100, String(session.received.length));
    assert.equal(refused(), 1);
    bystander.raw.send('42["echo"]');
    assert.equal(await bystander.raw.next(), '42["echo"]');
    bystander.raw.close();
  });

  test('the packets of a polling body count one by one', async () => {
    const url = `${server.url}/socket.io/?EIO=4&transport=polling`;
    const { sid } = JSON.parse((await request(url)).body.slice(1));
    await request(`${url}&sid=${sid}`, { method: 'POST', body: '40' });
    await request(`${url}&sid=${sid}`);
    const session = server.host.sessions.at(-1)!;
    const body = Array(50).fill('42["x"]').join('\x1e');
    assert.equal((await request(`${url}&sid=${sid}`, { method: 'POST', body })).status, 400);
    assert.deepEqual(session.closed, ['too_many_packets']);
    assert.equal(refused(), 2);
  });

  test('the same holds for 0.9 clients', async () => {
    const id = (await request(`${server.url}/socket.io/1/`)).body.split(':')[0];
    const raw = new RawSocket(`${server.url}/socket.io/1/websocket/${id}`);
    assert.equal(await raw.next(), '1:::');
    const session = server.host.sessions.at(-1)!;
    for (let n = 0; n < 50; n += 1) raw.send('5:::{"name":"x"}');
    assert.equal(await raw.closed(), 1008);
    assert.deepEqual(session.closed, ['too_many_packets']);
    assert.equal(refused(), 3);
  });
});

/** A WebSocket client whose wire can be looked at. */
interface CompressingSocket {
  readonly extensions: string;
  readonly _socket: { readonly bytesRead: number; readonly bytesWritten: number };
  on(event: 'message', listener: (data: Buffer) => void): void;
  once(event: string, listener: (value: unknown) => void): void;
  send(text: string): void;
  close(): void;
}

/** The one that socket.io-client uses. */
const require = createRequire(createRequire(import.meta.resolve('socket.io-client')).resolve('engine.io-client'));
const WebSocket = require('ws') as new (url: string, options: Record<string, unknown>) => CompressingSocket;

async function compressing(url: string) {
  const socket = new WebSocket(`${url}/socket.io/?EIO=4&transport=websocket`, { perMessageDeflate: { threshold: 0 } });
  const messages: string[] = [];
  socket.on('message', (data) => messages.push(String(data)));
  await next(socket, 'open');
  socket.send('40');
  await eventually(() => messages.length === 2, 'the connect packet');
  return { socket, messages };
}

test('compression works both ways, for what is sent and for what is published', async () => {
  const server = await startTestServer({ socketio: { compression: true } });
  const { socket, messages } = await compressing(server.url);
  assert.match(socket.extensions, /permessage-deflate/);
  const [read, written] = [socket._socket.bytesRead, socket._socket.bytesWritten];
  const echo = `42["echo","${'x'.repeat(50_000)}"]`;
  socket.send(echo);
  await eventually(() => messages[2] === echo, 'the echo');
  const session = server.host.sessions.at(-1)!;
  session.sink.join('room');
  server.topics.publish('room', eventPacket('news', ['y'.repeat(50_000)]));
  await eventually(() => messages[3]?.startsWith('42["news"'), 'the publish');
  assert.ok(socket._socket.bytesRead - read < 1000);
  assert.ok(socket._socket.bytesWritten - written < 1000);
  socket.send(`42["x","${'z'.repeat(150_000)}"]`);
  await eventually(() => session.closed.length > 0, 'the end');
  assert.deepEqual(session.closed, ['payload_too_large']);
  const { socket: bomber } = await compressing(server.url);
  const victim = server.host.sessions.at(-1)!;
  bomber.send(`42["x","${'z'.repeat(20_000_000)}"]`);
  await eventually(() => victim.closed.length > 0, 'the end of the bomb');
  assert.deepEqual(victim.closed, ['payload_too_large']);
  await server.close();
});

test('compression is off by default', async () => {
  const server = await startTestServer();
  const { socket } = await compressing(server.url);
  assert.equal(socket.extensions, '');
  socket.close();
  await server.close();
});
