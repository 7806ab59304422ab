import assert from 'node:assert/strict';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import type { SocketApp, WebSocket } from '../../../../src/web/sockets/types.ts';
import { eventually } from '../../../support/eventually.ts';
import { behavior, serve, testAdapter, testLibraries } from '../../../support/socket-libraries.ts';
import { first, frame, type TcpClient, upgradeRequest } from '../../../support/tcp-client.ts';

type Socket = WebSocket<object>;

/** Clients and their sockets on the server, in the same order. */
async function pairs(
  count: number,
  connect: () => TcpClient,
  opened: Socket[],
  headers?: string,
): Promise<[TcpClient, Socket][]> {
  const all: [TcpClient, Socket][] = [];
  for (let i = 0; i < count; i += 1) all.push([await connect().upgrade(headers), opened.at(-1)!]);
  return all;
}

function collecting(opened: Socket[], compression = false): (app: SocketApp) => void {
  return (app) =>
    app.ws('/*', {
      ...behavior({ maxPayloadLength: 100_000, compression }),
      open: (socket) => {
        opened.push(socket);
      },
    });
}

testLibraries('a publish reaches all subscribers, text as text and bytes as bytes', async (t, library) => {
  const opened: Socket[] = [];
  const { app, connect } = await serve(t, library, collecting(opened));
  const all = await pairs(3, connect, opened);
  for (const [, socket] of all.slice(0, 2)) socket.subscribe('news');
  assert.equal(app.numSubscribers('news'), 2);
  assert.equal(app.numSubscribers('other'), 0);
  app.publish('news', 'text', false, false);
  app.publish('news', Buffer.from('bytes'), true, false);
  app.publish('other', 'nobody', false, false);
  for (const [, socket] of all) socket.send('end');
  for (const [client] of all.slice(0, 2)) {
    const frames = await client.frames(3);
    assert.deepEqual(
      frames.map(({ payload }) => payload.toString()),
      ['text', 'bytes', 'end'],
    );
    assert.deepEqual(
      frames.map((each) => each.first),
      [first.text, first.binary, first.text],
    );
  }
  assert.equal((await all[2]![0].frame()).payload.toString(), 'end');
});

testLibraries('publishes to several topics and sends to single sockets keep their order', async (t, library) => {
  const opened: Socket[] = [];
  const { app, connect } = await serve(t, library, collecting(opened));
  const all = await pairs(4, connect, opened);
  for (const [i, [, socket]] of all.entries()) {
    socket.subscribe('a');
    if (i % 2 === 0) socket.subscribe('b');
  }
  const expected: string[][] = all.map(() => []);
  for (let n = 0; n < 500; n += 1) {
    const text = `${n}${'x'.repeat(n * 3)}`;
    if (n % 3 === 0) app.publish('a', text, false, false);
    else if (n % 3 === 1) app.publish('b', text, false, false);
    else all[n % 4]![1].send(text);
    for (const i of all.keys()) {
      if (n % 3 === 0 || (n % 3 === 1 && i % 2 === 0) || (n % 3 === 2 && i === n % 4)) expected[i]!.push(text);
    }
    if (n % 50 === 49) await new Promise(setImmediate);
  }
  for (const [i, [client]] of all.entries()) {
    const frames = await client.frames(expected[i]!.length);
    assert.deepEqual(
      frames.map(({ payload }) => payload.toString()),
      expected[i],
    );
  }
});

testLibraries(
  'what was published before a socket leaves a topic still arrives, and nothing after',
  async (t, library) => {
    const opened: Socket[] = [];
    const { app, connect } = await serve(t, library, collecting(opened));
    const [[client, socket]] = (await pairs(1, connect, opened)) as [[TcpClient, Socket]];
    socket.subscribe('a');
    socket.subscribe('b');
    assert.deepEqual(socket.getTopics().sort(), ['a', 'b']);
    app.publish('a', '1', false, false);
    socket.unsubscribe('a');
    assert.equal(socket.isSubscribed('a'), false);
    assert.equal(socket.isSubscribed('b'), true);
    app.publish('a', '2', false, false);
    app.publish('b', '3', false, false);
    const frames = await client.frames(2);
    assert.deepEqual(
      frames.map(({ payload }) => payload.toString()),
      ['1', '3'],
    );
  },
);

testLibraries('a socket that is gone is in no topic', async (t, library) => {
  const opened: Socket[] = [];
  const { app, connect } = await serve(t, library, collecting(opened));
  const [one, other] = await pairs(2, connect, opened);
  for (const [, socket] of [one!, other!]) socket.subscribe('a');
  one![1].end(1000);
  assert.equal(app.numSubscribers('a'), 1);
  other![0].destroy();
  await eventually(() => app.numSubscribers('a') === 0, 'the other to be gone');
  app.publish('a', 'nobody', false, false);
});

testLibraries('a subscriber that reads nothing is dropped, and others get everything', async (t, library) => {
  const opened: Socket[] = [];
  const { app, connect } = await serve(t, library, collecting(opened));
  const [slow, good] = await pairs(2, connect, opened);
  for (const [, socket] of [slow!, good!]) socket.subscribe('a');
  slow![0].socket.pause();
  let published = 0;
  while (app.numSubscribers('a') === 2) {
    app.publish('a', `${published}`.padEnd(100_000), false, false);
    published += 1;
    assert.ok(published < 1000, 'without end');
    await eventually(() => good![1].getBufferedAmount() === 0, 'the good one to read');
  }
  const frames = await good![0].frames(published);
  assert.deepEqual(
    frames.map(({ payload }) => Number(payload)),
    Array.from({ length: published }, (_, i) => i),
  );
});

const deflating =
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n';

testLibraries('with compression, each client gets what it understands, in order', async (t, library) => {
  const opened: Socket[] = [];
  const { app, connect } = await serve(t, library, collecting(opened, true));
  const all = [...(await pairs(1, connect, opened, deflating)), ...(await pairs(1, connect, opened))];
  for (const [, socket] of all) socket.subscribe('a');
  const texts = ['x'.repeat(5000), 'short', 'y'.repeat(70_000), 'ö'.repeat(3000)];
  app.publish('a', texts[0]!, false, true);
  app.publish('a', texts[1]!, false, true);
  for (const [, socket] of all) socket.send(texts[2]!, false, true);
  app.publish('a', texts[3]!, false, true);
  for (const [i, [client]] of all.entries()) {
    const frames = await client.frames(4);
    assert.deepEqual(frames.map(plain), texts);
    const compressed = frames.filter((each) => (each.first & 0x40) !== 0).length;
    assert.ok(i === 0 ? compressed >= 3 : compressed === 0, `${compressed} compressed`);
  }
});

testAdapter(
  'a client that compresses is understood, and odd offers of compression are declined',
  async (t, library) => {
    const received: unknown[] = [];
    const { connect } = await serve(t, library, (app) =>
      app.ws('/*', {
        ...behavior({ maxPayloadLength: 100_000, compression: true }),
        message: (_socket, data) => {
          received.push(data);
        },
      }),
    );
    const client = await connect().upgrade(deflating);
    client.send(frame(0xc1, deflateRawSync(Buffer.from('x'.repeat(1000)))));
    await eventually(() => received.length === 1, 'the message');
    assert.equal(received[0], 'x'.repeat(1000));
    for (const offer of ['permessage-deflate; server_max_window_bits=9', 'permessage-deflate; what=1', 'x;;;"', '=']) {
      const odd = connect().send(upgradeRequest(`Sec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: ${offer}\r\n`));
      const head = await odd.until(/\r\n\r\n/);
      assert.match(head, /^HTTP\/1\.1 101 /);
      assert.doesNotMatch(head, /Sec-WebSocket-Extensions/i);
    }
  },
);

function plain({ first: kind, payload }: { first: number; payload: Buffer }): string {
  const isCompressed = (kind & 0x40) !== 0;
  const whole = Buffer.concat([payload, Buffer.from([0, 0, 0xff, 0xff])]);
  return (isCompressed ? inflateRawSync(whole, { finishFlush: constants.Z_SYNC_FLUSH }) : payload).toString();
}
