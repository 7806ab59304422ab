/** What a client may send how fast, and compression. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { eventPacket } from '../../src/protocol/packet.ts';
import { startTestServer, type TestServer } from '../support/client-server.ts';
import { eventually } from '../support/eventually.ts';
import { RawSocket, request } from '../support/raw-client.ts';

describe('with max_packets_per_second', () => {
  let server: TestServer;
  const refused = () => server.metrics.counter('clients.transports.too_many_packets').value;

  before(async () => {
    // Twenty in ten seconds.
    server = await startTestServer({ socketio: { max_packets_per_second: 2 } });
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
    // The connect packet was one of them. On a slow machine ten seconds may end in between.
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

const tail = Buffer.of(0, 0, 0xff, 0xff);

/** A WebSocket that compresses, down to the bytes; only short frames. */
class CompressingSocket {
  readonly messages: string[] = [];
  readonly #socket: Socket;
  /** Whether the server agreed. */
  readonly compressed: boolean;
  bytesRead = 0;
  #rest = Buffer.alloc(0);

  private constructor(socket: Socket, head: string) {
    this.#socket = socket;
    this.compressed = /permessage-deflate/i.test(head);
    this.#read(Buffer.from(head.slice(head.indexOf('\r\n\r\n') + 4), 'latin1'));
    socket.on('data', (data) => this.#read(data)).on('error', () => {});
  }

  /** With the default namespace connected. */
  static async connect(port: number): Promise<CompressingSocket> {
    const socket = connect(port, '127.0.0.1');
    socket.write(
      'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
        'Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n',
    );
    const head = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
    const client = new CompressingSocket(socket, head.toString('latin1'));
    client.send('40');
    await eventually(() => client.messages.length === 2, 'the connect packet');
    return client;
  }

  /** Returns the size of the frame. */
  send(text: string): number {
    const plain = Buffer.from(text);
    const deflated = deflateRawSync(plain, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -tail.length);
    const data = this.compressed ? deflated : plain;
    const length = data.length < 126 ? [0x80 | data.length] : [0x80 | 126, data.length >> 8, data.length & 255];
    const frame = Buffer.concat([Buffer.of(this.compressed ? 0xc1 : 0x81, ...length, 0, 0, 0, 0), data]);
    this.#socket.write(frame);
    return frame.length;
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(data: Buffer): void {
    this.bytesRead += data.length;
    this.#rest = Buffer.concat([this.#rest, data]);
    while (this.#rest.length >= 2) {
      const short = this.#rest[1]! < 126;
      if (!short && this.#rest.length < 4) return;
      const start = short ? 2 : 4;
      const end = start + (short ? this.#rest[1]! : this.#rest.readUInt16BE(2));
      if (this.#rest.length < end) return;
      const payload = this.#rest.subarray(start, end);
      const isCompressed = (this.#rest[0]! & 0x40) !== 0;
      const finishFlush = constants.Z_SYNC_FLUSH;
      const plain = isCompressed ? inflateRawSync(Buffer.concat([payload, tail]), { finishFlush }) : payload;
      this.messages.push(plain.toString());
      this.#rest = this.#rest.subarray(end);
    }
  }
}

test('compression works both ways, for what is sent and for what is published', async () => {
  const server = await startTestServer({ socketio: { compression: true } });
  const client = await CompressingSocket.connect(server.port);
  assert.ok(client.compressed);
  const { bytesRead, messages } = client;
  const echo = `42["echo","${'x'.repeat(50_000)}"]`;
  assert.ok(client.send(echo) < 1000);
  await eventually(() => messages[2] === echo, 'the echo');
  const session = server.host.sessions.at(-1)!;
  session.sink.join('room');
  server.topics.publish('room', eventPacket('news', ['y'.repeat(50_000)]));
  await eventually(() => messages[3]?.startsWith('42["news"'), 'the publish');
  assert.ok(client.bytesRead - bytesRead < 1000);
  client.send(`42["x","${'z'.repeat(150_000)}"]`);
  await eventually(() => session.closed.length > 0, 'the end');
  assert.deepEqual(session.closed, ['payload_too_large']);
  const bomber = await CompressingSocket.connect(server.port);
  const victim = server.host.sessions.at(-1)!;
  bomber.send(`42["x","${'z'.repeat(20_000_000)}"]`);
  await eventually(() => victim.closed.length > 0, 'the end of the bomb');
  assert.deepEqual(victim.closed, ['payload_too_large']);
  for (const socket of [client, bomber]) socket.close();
  await server.close();
});

test('compression is off by default', async () => {
  const server = await startTestServer();
  const client = await CompressingSocket.connect(server.port);
  assert.equal(client.compressed, false);
  client.close();
  await server.close();
});
