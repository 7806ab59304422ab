/** Several namespaces on one connection: each is a client of its own. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { io, Manager, type Socket } from 'socket.io-client';
import { HiveError } from '../../src/observe/errors.ts';
import { eventPacket } from '../../src/protocol/packet.ts';
import { type FakeSession, startTestServer, type TestServer } from '../support/client-server.ts';
import { eventually, next } from '../support/eventually.ts';
import { RawSocket } from '../support/raw-client.ts';

let server: TestServer;

before(async () => {
  server = await startTestServer({ socketio: { namespaces: ['/', '/chat', '/news'], connect_timeout: 300 } });
});

after(async () => {
  await server.close();
  assert.deepEqual(server.crashes, []);
});

const sessionOf = (namespace: string): FakeSession =>
  server.host.sessions.findLast(({ request }) => request.namespace === namespace)!;

for (const transport of ['websocket', 'polling']) {
  test(`namespaces share a connection over ${transport}, but not what is sent`, async () => {
    const manager = new Manager(server.url, { transports: [transport], reconnection: false });
    const sockets = ['/', '/chat', '/news'].map((name) => manager.socket(name, { auth: { for: name } }));
    const received: Record<string, unknown[]> = { '/': [], '/chat': [], '/news': [] };
    for (const socket of sockets) {
      const { nsp } = socket as Socket & { nsp: string };
      socket.onAny((name, ...args) => received[nsp]!.push([name, ...args]));
    }
    await Promise.all(sockets.map((socket) => next(socket, 'connect')));
    const sessions = ['/', '/chat', '/news'].map(sessionOf);
    assert.deepEqual(
      sessions.map(({ request }) => request.handshake.auth),
      [{ for: '/' }, { for: '/chat' }, { for: '/news' }],
    );
    assert.deepEqual(
      sockets.map(({ id }) => id),
      sessions.map(({ sid }) => sid),
    );
    sessions[1]!.sink.join('room');
    sessions[2]!.sink.join('room');
    server.topics.publish('room', eventPacket('both', [{ _binary: 'AQI=' }]));
    for (const socket of sockets) socket.emit('echo', 'mine');
    await eventually(() => Object.values(received).flat().length === 5, 'the events');
    const both = ['both', Buffer.of(1, 2)];
    assert.deepEqual(received, {
      '/': [['echo', 'mine']],
      '/chat': [both, ['echo', 'mine']],
      '/news': [both, ['echo', 'mine']],
    });
    sockets[1]!.disconnect();
    await eventually(() => sessions[1]!.closed.length > 0, 'the end of one');
    sessions[2]!.sink.end('stopped');
    await next(sockets[2]!, 'disconnect');
    assert.equal(await sockets[0]!.timeout(5000).emitWithAck('still', 'here'), 'here');
    assert.deepEqual(sessions[0]!.closed, []);
    sockets[0]!.disconnect();
    await eventually(() => sessions[0]!.closed.length > 0, 'the end of the last');
  });
}

test('a refusal in one namespace leaves the others alone', async () => {
  server.host.onAttach = ({ request }) => {
    if (request.namespace === '/chat') throw new HiveError('stopped', 'Not here.');
  };
  const raw = new RawSocket(`${server.url}/socket.io/?EIO=4&transport=websocket`);
  await raw.next();
  raw.send('40');
  assert.match(await raw.next(), /^40\{/);
  raw.send('40/chat,');
  assert.match(await raw.next(), /^44\/chat,\{"message":"Not here\."/);
  raw.send('40/nowhere,');
  assert.equal(await raw.next(), '44/nowhere,{"message":"Invalid namespace"}');
  server.host.onAttach = () => {};
  raw.send('40/chat,');
  assert.match(await raw.next(), /^40\/chat,\{/);
  raw.send('41');
  raw.send('42/chat,["echo"]');
  assert.equal(await raw.next(), '42/chat,["echo"]');
  raw.send('41/chat,');
  assert.equal(await raw.closed(), 1008, 'connect_timeout holds again when nothing is connected');
});

test('the default namespace need not be served', async () => {
  const only = await startTestServer({ socketio: { namespaces: ['/chat'] } });
  const refused = io(only.url, { forceNew: true, reconnection: false });
  const error = await next(refused, 'connect_error');
  assert.ok(error instanceof Error && error.message === 'Invalid namespace');
  refused.disconnect();
  const old = new RawSocket(`${only.url}/socket.io/?EIO=3&transport=websocket`);
  assert.match(await old.next(), /^0\{/);
  old.send('40/chat');
  assert.equal(await old.next(), '40/chat,');
  old.close();
  await only.close();
});
