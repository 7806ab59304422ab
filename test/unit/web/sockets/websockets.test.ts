import assert from 'node:assert/strict';
import type { WebSocket } from '../../../../src/web/sockets/types.ts';
import { eventually } from '../../../support/eventually.ts';
import { behavior, echoing, serve, testAdapter, testLibraries } from '../../../support/socket-libraries.ts';
import { first, frame, TcpClient } from '../../../support/tcp-client.ts';

testLibraries('messages of all lengths go both ways, as text and as bytes', async (t, library) => {
  const { connect } = await serve(t, library, (app) =>
    app.ws('/*', behavior({ ...echoing, maxPayloadLength: 200_000 })),
  );
  const client = await connect().upgrade();
  for (const length of [0, 1, 125, 126, 65_535, 65_536, 100_000]) {
    const text = 'ä'.repeat(length / 2) + 'x'.repeat(length % 2);
    client.send(frame(first.text, text));
    assert.deepEqual(await client.frame(), { first: first.text, payload: Buffer.from(text) });
    const bytes = Buffer.alloc(length, 0xff);
    client.send(frame(first.binary, bytes));
    assert.deepEqual(await client.frame(), { first: first.binary, payload: bytes });
  }
});

testLibraries('a message in fragments is one message, whatever comes between them', async (t, library) => {
  const { connect } = await serve(t, library, (app) => app.ws('/*', behavior(echoing)));
  const client = await connect().upgrade();
  client.send(frame(0x01, 'one '));
  client.send(frame(first.ping, 'hi'));
  client.send(frame(0x00, 'two '));
  client.send(frame(0x80, 'three'));
  assert.deepEqual(await client.frame(), { first: first.pong, payload: Buffer.from('hi') });
  assert.deepEqual(await client.frame(), { first: first.text, payload: Buffer.from('one two three') });
});

testLibraries('pings are answered, and both pings and pongs noticed', async (t, library) => {
  let pings = 0;
  let pongs = 0;
  const { connect } = await serve(t, library, (app) =>
    app.ws('/*', {
      ...behavior(),
      open: (socket) => socket.ping(),
      ping: () => {
        pings += 1;
      },
      pong: () => {
        pongs += 1;
      },
    }),
  );
  const client = await connect().upgrade();
  assert.equal((await client.frame()).first, first.ping);
  client.send(frame(first.pong)).send(frame(first.ping, 'x'));
  assert.deepEqual(await client.frame(), { first: first.pong, payload: Buffer.from('x') });
  assert.deepEqual([pings, pongs], [1, 1]);
});

testLibraries('what is sent when a socket opens comes first, and in order', async (t, library) => {
  const { connect } = await serve(t, library, (app) =>
    app.ws('/*', {
      ...behavior(echoing),
      open: (socket) => {
        assert.equal(socket.send('1'), 1);
        assert.equal(socket.send(new TextEncoder().encode('2').buffer, true), 1);
        assert.equal(socket.send(Buffer.from('3'), true), 1);
      },
    }),
  );
  const client = await connect().upgrade();
  client.send(frame(first.text, '4'));
  const frames = await client.frames(4);
  assert.deepEqual(
    frames.map(({ payload }) => payload.toString()),
    ['1', '2', '3', '4'],
  );
  assert.deepEqual(
    frames.map((each) => each.first),
    [first.text, first.binary, first.binary, first.text],
  );
});

testLibraries('a message that is too big ends its socket, with that reason', async (t, library) => {
  const ends: boolean[] = [];
  const { connect } = await serve(t, library, (app) =>
    app.ws('/*', behavior({ ...echoing, close: (_socket, messageTooBig) => void ends.push(messageTooBig) })),
  );
  for (const message of [
    frame(first.text, 'x'.repeat(1001)),
    Buffer.concat([frame(1, 'x'.repeat(600)), frame(0x80, 'x'.repeat(600))]),
  ]) {
    const client = await connect().upgrade();
    client.send(frame(first.text, 'x'.repeat(1000)));
    assert.equal((await client.frame()).payload.length, 1000);
    client.send(message);
    await client.closed();
  }
  await eventually(() => ends.length === 2, 'both ends');
  assert.deepEqual(ends, [true, true]);
});

testLibraries('a client’s close frame is answered with its code, and heard of once', async (t, library) => {
  const ends: boolean[] = [];
  const { connect } = await serve(t, library, (app) =>
    app.ws('/*', behavior({ close: (_socket, messageTooBig) => void ends.push(messageTooBig) })),
  );
  const client = await connect().upgrade();
  client.send(frame(first.close, Buffer.from([0x0f, 0xa0])));
  const answer = await client.frame();
  assert.equal(answer.first, first.close);
  assert.equal(answer.payload.readUInt16BE(), 4000);
  await client.closed();
  assert.deepEqual(ends, [false]);
});

testLibraries('a socket that the server ends gets what was sent before, and the code', async (t, library) => {
  let ends = 0;
  const received: unknown[] = [];
  const { connect } = await serve(t, library, (app) =>
    app.ws('/*', {
      ...behavior(),
      message: (socket, data) => {
        received.push(data);
        if (received.length > 1) return;
        socket.send('bye');
        socket.end(4001);
        assert.equal(ends, 1, 'the end is heard of at once');
      },
      close: () => {
        ends += 1;
      },
    }),
  );
  const client = await connect().upgrade();
  client.send(Buffer.concat([frame(first.text, 'go'), frame(first.text, 'too late')]));
  const [bye, close] = await client.frames(2);
  assert.equal(bye!.payload.toString(), 'bye');
  assert.equal(close!.first, first.close);
  assert.equal(close!.payload.readUInt16BE(), 4001);
  client.send(frame(first.close, close!.payload));
  await client.closed();
  assert.deepEqual([ends, received.length], [1, 1]);
});

testLibraries('a socket that the server drops is gone at once', async (t, library) => {
  let ends = 0;
  const { connect } = await serve(t, library, (app) =>
    app.ws('/*', {
      ...behavior(),
      message: (socket) => {
        socket.close();
        assert.equal(ends, 1);
      },
      close: () => {
        ends += 1;
      },
    }),
  );
  const client = await connect().upgrade();
  client.send(frame(first.text, 'go'));
  assert.equal(await client.closed(), '');
  assert.equal(ends, 1);
});

testLibraries('a client that reads nothing is dropped at the limit of what may wait for it', async (t, library) => {
  let ends = 0;
  let socket: WebSocket<object> | undefined;
  const { connect } = await serve(t, library, (app) =>
    app.ws('/*', {
      ...behavior({ maxBackpressure: 500_000 }),
      open: (opened) => {
        socket = opened;
      },
      close: () => {
        ends += 1;
      },
    }),
  );
  const client = await connect().upgrade();
  client.socket.pause();
  const message = 'x'.repeat(100_000);
  const answers: number[] = [];
  let most = 0;
  while (answers.at(-1) !== 2) {
    answers.push(socket!.send(message));
    if (answers.at(-1) !== 2) most = Math.max(most, socket!.getBufferedAmount());
    assert.ok(answers.length < 1000, 'without end');
    if (answers.length % 5 === 0) await new Promise(setImmediate);
  }
  assert.equal(answers[0], 1);
  assert.ok(answers.includes(0), 'it waits first');
  assert.ok(most > 300_000 && most < 700_000, `${most} bytes`);
  client.socket.resume();
  await eventually(() => ends === 1, 'its end');
});

testLibraries('when a client reads again, what has piled up goes out and that is told', async (t, library) => {
  let socket: WebSocket<object> | undefined;
  let drained = 0;
  const { connect } = await serve(t, library, (app) =>
    app.ws('/*', {
      ...behavior({ maxBackpressure: 100_000_000 }),
      open: (opened) => {
        socket = opened;
      },
      drain: () => {
        drained += 1;
      },
    }),
  );
  const client = await connect().upgrade();
  client.socket.pause();
  let sent = 0;
  while (socket!.send('x'.repeat(100_000)) === 1) sent += 1;
  assert.ok(socket!.getBufferedAmount() > 0);
  client.socket.resume();
  const frames = await client.frames(sent + 1);
  assert.ok(frames.every(({ payload }) => payload.length === 100_000));
  await eventually(() => drained > 0 && socket!.getBufferedAmount() === 0, 'the rest');
});

testAdapter('a client that pings without reading the pongs is dropped', async (t, library) => {
  let ends = 0;
  const { connect } = await serve(t, library, (app) =>
    app.ws('/*', behavior({ maxBackpressure: 100_000, close: () => void ends++ })),
  );
  const client = await connect().upgrade();
  client.socket.pause();
  const pings = Buffer.concat(Array.from({ length: 1000 }, () => frame(first.ping, 'x'.repeat(125))));
  for (let i = 0; i < 200 && ends === 0; i += 1) {
    client.send(pings);
    await new Promise(setImmediate);
  }
  await eventually(() => ends === 1, 'the end of the socket');
});

testLibraries('the end of the server ends its sockets', async (t, library) => {
  let ends = 0;
  const app = library.createApp();
  app.ws('/*', behavior({ close: () => void ends++ }));
  app.any('/*', (res) => res.end('ok'));
  const listening = await app.listen('127.0.0.1', 0);
  const socket = await new TcpClient(listening.port).upgrade();
  const idle = new TcpClient(listening.port).send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  t.after(() => idle.destroy());
  t.after(() => socket.destroy());
  await idle.until(/ok$/);
  listening.stop();
  listening.stop();
  app.close();
  await Promise.all([socket.closed(), idle.closed()]);
  assert.equal(ends, 1);
});

/**
 * The old fault: 20.57 closed some sockets as soon as they were open, if their requests were answered after the handler had
 * returned, as those of sessions of other nodes are.
 */
testLibraries('WebSockets that are accepted later are open like any others', async (t, library) => {
  const { connect, app } = await serve(t, library, (made) =>
    made.ws(
      '/*',
      behavior({
        upgrade: (res, req, context) => {
          const key = req.getHeader('sec-websocket-key');
          res.onAborted(() => {});
          setImmediate(() => made.late(() => res.cork(() => res.upgrade({}, key, '', '', context))));
        },
        open: (socket) => {
          socket.subscribe('all');
          socket.send('open');
        },
      }),
    ),
  );
  const clients = await Promise.all(Array.from({ length: 50 }, () => connect().upgrade()));
  for (const client of clients) assert.equal((await client.frame()).payload.toString(), 'open');
  assert.equal(app.numSubscribers('all'), 50);
});
