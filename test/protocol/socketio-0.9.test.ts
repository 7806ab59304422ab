/** The client library of Socket.IO 0.9 against the client server. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { HiveError } from '../../src/observe/errors.ts';
import { eventPacket, MessagePacket } from '../../src/protocol/packet.ts';
import { startTestServer, type TestServer } from '../support/client-server.ts';
import { eventually, next } from '../support/eventually.ts';
import { connectLegacy, type LegacySocket } from '../support/legacy-client.ts';

for (const transport of ['websocket', 'xhr-polling']) {
  describe(`socket.io-client 0.9 over ${transport}`, () => {
    let server: TestServer;
    const sockets: LegacySocket[] = [];

    const connect = (options: Record<string, unknown> = {}) => {
      const socket = connectLegacy(server.url, transport, options);
      sockets.push(socket);
      return socket;
    };

    const connected = async () => {
      const socket = connect();
      await next(socket, 'connect');
      return { socket, session: await server.host.session() };
    };

    before(async () => {
      server = await startTestServer({ hive: { allowed_origins: ['*', null] } });
    });

    after(async () => {
      for (const socket of sockets) socket.disconnect();
      await server.close();
      assert.deepEqual(server.crashes, []);
    });

    test('connects, and keeps its transport id to itself', async () => {
      const { socket, session } = await connected();
      assert.notEqual(socket.socket.sessionid, session.sid);
      assert.equal(session.request.protocol, '0.9');
      assert.deepEqual(session.transports, [transport === 'websocket' ? 'websocket' : 'polling']);
    });

    test('echoes events in order', async () => {
      const { socket } = await connected();
      const received: unknown[] = [];
      socket.on('echo', (...args: unknown[]) => received.push(args));
      for (let n = 0; n < 50; n += 1) socket.emit('echo', n, { text: 'grüße 😀' });
      socket.emit('echo');
      await eventually(() => received.length === 51, 'the echoes');
      assert.deepEqual(
        received.slice(0, 50),
        Array.from({ length: 50 }, (_, n) => [n, { text: 'grüße 😀' }]),
      );
      assert.deepEqual(received[50], []);
    });

    test('acknowledges both ways', async () => {
      const { socket, session } = await connected();
      const answer = await new Promise((resolve) =>
        socket.emit('save', 1, 'two', (...args: unknown[]) => resolve(args)),
      );
      assert.deepEqual(answer, [1, 'two']);
      socket.on('ask', (question: string, reply: (text: string) => void) => reply(`${question}!`));
      session.sink.send(eventPacket('ask', ['why'], '7+'));
      const ack = await eventually(() => session.received.find(({ type }) => type === 'ack'), 'the acknowledgement');
      assert.deepEqual(ack, { type: 'ack', id: 7, args: ['why!'] });
    });

    test('messages and JSON go both ways', async () => {
      const { socket, session } = await connected();
      const received: unknown[] = [];
      socket.on('message', (value: unknown) => received.push(value));
      session.sink.send(new MessagePacket('a:b: \ufffd text', false));
      session.sink.send(new MessagePacket({ a: 1 }, true));
      socket.send('hello');
      socket.json.send([1, 2]);
      await eventually(() => received.length === 2 && session.received.length === 2, 'the messages');
      assert.deepEqual(received, ['a:b: \ufffd text', { a: 1 }]);
      assert.deepEqual(session.received, [
        { type: 'message', data: 'hello', json: false },
        { type: 'message', data: [1, 2], json: true },
      ]);
    });

    test('publishes reach members, in order with what is sent to them alone', async () => {
      const { socket, session } = await connected();
      const received: number[] = [];
      socket.on('n', (n: number) => received.push(n));
      session.sink.join('room');
      for (let n = 0; n < 20; n += 1) {
        if (n % 3 === 0) session.sink.send(eventPacket('n', [n]));
        else assert.equal(server.topics.publish('room', eventPacket('n', [n])), 1);
      }
      session.sink.leave('room');
      assert.equal(server.topics.publish('room', eventPacket('n', [99])), 0);
      await eventually(() => received.length === 20, 'all events');
      assert.deepEqual(
        received,
        Array.from({ length: 20 }, (_, n) => n),
      );
    });

    test('the connect packet comes first and only after on_connect has accepted', async () => {
      server.host.onAttach = async (session) => {
        session.sink.send(eventPacket('n', [1]));
        await new Promise(setImmediate);
        session.sink.send(eventPacket('n', [2]));
      };
      const socket = connect();
      const received: unknown[] = [];
      socket.on('connect', () => received.push('connect'));
      socket.on('n', (n: number) => received.push(n));
      await eventually(() => received.length === 3, 'all packets');
      server.host.onAttach = () => {};
      assert.deepEqual(received, ['connect', 1, 2]);
    });

    test('a refused client fails to connect', async () => {
      server.host.onAttach = () => {
        throw new HiveError('stopped', 'Not today.');
      };
      const socket = connect();
      await next(socket, 'connect_failed');
      server.host.onAttach = () => {};
      assert.equal(socket.socket.connected, false);
    });

    test('an error while handshaking is the client’s to handle', async () => {
      server.host.refusing = new HiveError('no_slots');
      const error = await next(connect(), 'error');
      server.host.refusing = undefined;
      assert.equal(JSON.parse(String(error)).error, 'no_slots');
    });

    test('leaving ends the session once', async () => {
      const { socket, session } = await connected();
      socket.disconnect();
      await eventually(() => session.closed.length > 0, 'the end');
      assert.equal(session.closed.length, 1);
    });

    test('a stopped client is told not to come back', async () => {
      const { socket, session } = await connected();
      const last = next(socket, 'last');
      const disconnect = next(socket, 'disconnect');
      session.sink.send(eventPacket('last', ['words']));
      session.sink.end('stopped');
      assert.equal(await last, 'words');
      assert.equal(await disconnect, 'booted');
      assert.deepEqual(session.closed, []);
    });
  });
}
