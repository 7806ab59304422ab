/** Every client that people use, over every way it can connect. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventPacket } from '../../src/protocol/packet.ts';
import { type FakeSession, startTestServer, type TestServer } from '../support/client-server.ts';
import { eventually } from '../support/eventually.ts';
import { type MatrixClient, matrixClient, missingPython, type Way } from '../support/matrix-clients.ts';
import { freePorts } from '../support/ports.ts';

const matrix: Record<string, Way[]> = {
  '4.8': ['polling', 'websocket', 'upgrade'],
  '2.5': ['polling', 'websocket', 'upgrade'],
  '1.7': ['polling', 'websocket', 'upgrade'],
  '0.9': ['polling', 'websocket'],
  python: ['polling', 'websocket', 'upgrade'],
};

const text = 'grüße 日本 😀';
/** Node's build of the 0.9 client makes up an origin for its WebSockets. */
const anyOrigin = { allowed_origins: ['*', null] };
const bytes = { _binary: Buffer.from([0, 1, 4, 127, 128, 255]).toString('base64') };

for (const [library, ways] of Object.entries(matrix)) {
  const skip = library === 'python' ? missingPython() : false;
  for (const way of ways) {
    describe(`the client ${library} over ${way}`, { skip }, () => {
      let server: TestServer;
      let client: MatrixClient;
      let session: FakeSession;

      before(async () => {
        // A port of its own choice could not be taken again at once.
        server = await startTestServer({ hive: { port: (await freePorts(1))[0]!, ...anyOrigin } });
        client = await matrixClient(library, way, server.url).connected(1);
        session = await server.host.session();
      });

      after(async () => {
        client.disconnect();
        await server.close();
        assert.deepEqual(server.crashes, []);
      });

      test('connects, and moves to a WebSocket if it is to', async () => {
        if (way === 'upgrade') {
          await eventually(() => session.transports.includes('websocket'), 'the upgrade');
          assert.equal(session.request.handshake.transport, 'polling');
        } else {
          assert.deepEqual(session.transports, [way]);
        }
      });

      test('gets an acknowledgement, and gives one', async () => {
        assert.deepEqual(await client.call('save', [1, text]), [1, text]);
        session.sink.send(eventPacket('ask', [text], '7+'));
        assert.deepEqual(await client.next('ask'), [text]);
        const ack = await eventually(() => session.received.find(({ type }) => type === 'ack'), 'the acknowledgement');
        assert.deepEqual(ack, { type: 'ack', id: 7, args: [text] });
      });

      test('gets events in the order in which they were sent', async () => {
        for (let n = 0; n < 20; n += 1) client.emit('echo', [n, text]);
        const expected = Array.from({ length: 20 }, (_, n) => [n, text]);
        assert.deepEqual(await client.nextEvents('echo', 20), expected);
      });

      test('sends and gets bytes', { skip: library === '0.9' && 'the protocol knows none' }, async () => {
        client.emit('echo', [bytes, text, [bytes]]);
        assert.deepEqual(await client.next('echo'), [bytes, text, [bytes]]);
        assert.deepEqual(await client.call('save', [bytes]), [bytes]);
        session.received.length = 0;
        session.sink.send(eventPacket('ask', [bytes], '8+'));
        const ack = await eventually(() => session.received.find(({ type }) => type === 'ack'), 'the acknowledgement');
        assert.deepEqual(ack, { type: 'ack', id: 8, args: [bytes] });
      });

      test('gets what is published to its room', async () => {
        session.sink.join('room');
        server.topics.publish('room', eventPacket('news', [1, text]));
        server.topics.publish('room', eventPacket('news', [2, bytes]));
        session.sink.send(eventPacket('news', [3]));
        assert.deepEqual(await client.nextEvents('news', 3), [[1, text], [2, bytes], [3]]);
      });

      test('comes back after the server was restarted', async () => {
        const { port } = server;
        await server.close();
        assert.equal(session.closed.length, 1);
        server = await startTestServer({ hive: { port, ...anyOrigin } });
        await client.connected(2);
        session = await server.host.session();
        client.emit('echo', ['again']);
        assert.deepEqual(await client.next('echo'), ['again']);
      });

      test('leaves', async () => {
        client.disconnect();
        await eventually(() => session.closed.length > 0, 'the end of the session');
        assert.match(session.closed[0]!, /client_disconnect|transport_closed/);
      });
    });
  }
}
