/** Today's Socket.IO client against the client server, over every way it can connect. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { HiveError } from '../../src/observe/errors.ts';
import { eventPacket, MessagePacket } from '../../src/protocol/packet.ts';
import { startTestServer, type TestServer } from '../support/client-server.ts';
import { eventually, next } from '../support/eventually.ts';

const ways: Record<string, Partial<ManagerOptions>> = {
  websocket: { transports: ['websocket'] },
  polling: { transports: ['polling'] },
  upgrade: { transports: ['polling', 'websocket'] },
};

for (const [way, options] of Object.entries(ways)) {
  describe(`socket.io-client 4 over ${way}`, () => {
    let server: TestServer;
    const sockets: Socket[] = [];

    const connect = (more: Partial<ManagerOptions & SocketOptions> = {}) => {
      const socket = io(server.url, { ...options, reconnection: false, forceNew: true, ...more });
      sockets.push(socket);
      return socket;
    };

    const connected = async () => {
      const socket = connect();
      await next(socket, 'connect');
      if (way === 'upgrade') {
        await eventually(() => socket.io.engine.transport.name === 'websocket', 'the upgrade');
      }
      return { socket, session: await server.host.session() };
    };

    before(async () => {
      server = await startTestServer();
    });

    after(async () => {
      for (const socket of sockets) socket.disconnect();
      await server.close();
      assert.deepEqual(server.crashes, []);
    });

    test('connects with the sid of its client and hands over its handshake', async () => {
      const socket = connect({ auth: { token: 'x' }, query: { room: 'a b' }, extraHeaders: { 'x-app': 'demo' } });
      await next(socket, 'connect');
      const session = await server.host.session();
      assert.equal(socket.id, session.sid);
      const { handshake, protocol, namespace } = session.request;
      assert.deepEqual(handshake.auth, { token: 'x' });
      assert.equal(handshake.query.room, 'a b');
      assert.equal(handshake.headers['x-app'], 'demo');
      assert.equal(handshake.address, '127.0.0.1');
      assert.equal(handshake.transport, way === 'websocket' ? 'websocket' : 'polling');
      assert.deepEqual([protocol, namespace], ['eio4', '/']);
    });

    test('echoes events in order', async () => {
      const { socket } = await connected();
      const received: unknown[] = [];
      socket.on('echo', (...args) => received.push(args));
      for (let n = 0; n < 100; n += 1) socket.emit('echo', n, { text: 'grüße 😀 \u2028' });
      await eventually(() => received.length === 100, 'the echoes');
      assert.deepEqual(
        received,
        Array.from({ length: 100 }, (_, n) => [n, { text: 'grüße 😀 \u2028' }]),
      );
    });

    test('acknowledges both ways', async () => {
      const { socket, session } = await connected();
      assert.deepEqual(await socket.emitWithAck('save', 1, 'two'), 1);
      socket.on('ask', (question, answer) => answer(`${question}!`));
      session.sink.send(eventPacket('ask', ['why'], '7+'));
      const ack = await eventually(() => session.received.find(({ type }) => type === 'ack'), 'the acknowledgement');
      assert.deepEqual(ack, { type: 'ack', id: 7, args: ['why!'] });
    });

    test('receives messages as the event of that name', async () => {
      const { socket, session } = await connected();
      const message = next(socket, 'message');
      session.sink.send(new MessagePacket({ a: 1 }, true));
      assert.deepEqual(await message, { a: 1 });
    });

    test('publishes reach members, in order with what is sent to them alone', async () => {
      const { socket, session } = await connected();
      const received: number[] = [];
      socket.on('n', (n) => received.push(n));
      session.sink.join('room');
      for (let n = 0; n < 20; n += 1) {
        if (n % 3 === 0) session.sink.send(eventPacket('n', [n]));
        else assert.equal(server.topics.publish('room', eventPacket('n', [n])), 1);
      }
      session.sink.leave('room');
      assert.equal(server.topics.publish('room', eventPacket('n', [99])), 0);
      session.sink.send(eventPacket('n', [20]));
      await eventually(() => received.includes(20), 'the last event');
      assert.deepEqual(
        received,
        Array.from({ length: 21 }, (_, n) => n),
      );
    });

    test('what is sent and published while on_connect runs comes behind the connect packet, once', async () => {
      server.host.onAttach = async (session) => {
        session.sink.join('early');
        session.sink.send(eventPacket('n', [1]));
        server.topics.publish('early', eventPacket('n', [2]));
        await new Promise(setImmediate);
        session.sink.send(eventPacket('n', [3]));
        server.topics.publish('early', eventPacket('n', [4]));
      };
      const socket = connect();
      const received: unknown[] = [];
      socket.onAny((_name, n) => received.push(n));
      socket.on('connect', () => received.push('connect'));
      await next(socket, 'connect');
      server.host.onAttach = () => {};
      assert.equal(server.topics.publish('early', eventPacket('n', [5])), 1);
      await eventually(() => received.includes(5), 'the last event');
      assert.deepEqual(received, ['connect', 1, 2, 3, 4, 5]);
    });

    test('a refused client gets the reason', async () => {
      server.host.onAttach = () => {
        throw new HiveError('stopped', 'Not today.');
      };
      const error = await next(connect(), 'connect_error');
      server.host.onAttach = () => {};
      assert.ok(error instanceof Error);
      assert.equal(error.message, 'Not today.');
      assert.deepEqual('data' in error && error.data, { error: 'stopped', description: 'Not today.' });
    });

    test('an unknown namespace is refused', async () => {
      const socket = io(`${server.url}/nowhere`, { ...options, reconnection: false, forceNew: true });
      sockets.push(socket);
      const error = await next(socket, 'connect_error');
      assert.ok(error instanceof Error);
      assert.equal(error.message, 'Invalid namespace');
    });

    test('a full or closed server refuses the handshake', async () => {
      server.host.refusing = new HiveError('no_slots');
      await next(connect(), 'connect_error');
      server.host.refusing = undefined;
    });

    test('leaving ends the session once', async () => {
      const { socket, session } = await connected();
      socket.disconnect();
      await eventually(() => session.closed.length > 0, 'the end');
      assert.equal(session.closed.length, 1);
      assert.match(session.closed[0]!, /client_disconnect|transport_closed/);
    });

    test('a stopped client is told not to come back', async () => {
      const { socket, session } = await connected();
      const disconnect = next(socket, 'disconnect');
      session.sink.send(eventPacket('last', ['words']));
      const last = next(socket, 'last');
      session.sink.end('stopped');
      session.sink.send(eventPacket('too', ['late']));
      assert.equal(await last, 'words');
      assert.equal(await disconnect, 'io server disconnect');
      assert.deepEqual(session.closed, []);
    });
  });
}
