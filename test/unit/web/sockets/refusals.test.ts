/** What RFC 9112 and RFC 6455 want refused, and that refusals reach the client. */
import assert from 'node:assert/strict';
import { BodyBudget, readBody } from '../../../../src/web/http/bodies.ts';
import { type HttpResponse, send, sendAtOnce, sendJson } from '../../../../src/web/http/http.ts';
import type { SocketApp } from '../../../../src/web/sockets/types.ts';
import { eventually } from '../../../support/eventually.ts';
import { behavior, serve, testAdapter, testLibraries } from '../../../support/socket-libraries.ts';
import { first, frame, upgradeRequest } from '../../../support/tcp-client.ts';

const ok = (app: SocketApp) => app.any('/*', (res, req) => res.end(`${req.getMethod()} ${req.getUrl()}`));
const sockets = (app: SocketApp) => {
  ok(app);
  app.ws('/*', behavior());
};

testAdapter('a head of more than 16 KiB is refused with 431, however long it is', async (t, library) => {
  const { connect } = await serve(t, library, ok);
  const head = (bytes: number) => `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(bytes)}\r\n\r\n`;
  await connect()
    .send(head(15 * 1024))
    .until(/get \/$/);
  assert.match(
    await connect()
      .send(head(17 * 1024))
      .closed(),
    /^HTTP\/1\.1 431 /,
  );
  assert.match(
    await connect()
      .send(head(2 * 1024 * 1024))
      .closed(),
    /^HTTP\/1\.1 431 /,
  );
});

testAdapter('two different lengths, and a length next to chunks, are refused with 400', async (t, library) => {
  const { connect } = await serve(t, library, ok);
  const post = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n';
  assert.match(await connect().send(`${post}Content-Length: 6\r\n\r\nhello`).closed(), /^HTTP\/1\.1 400 /);
  assert.match(await connect().send(`${post}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`).closed(), /^HTTP\/1\.1 400 /);
});

testLibraries(
  'two different lengths behind a proxy are refused with 400, two equal ones are one',
  async (t, library) => {
    const { connect } = await serve(t, library, ok);
    const post = 'POST / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 10.0.0.1\r\nContent-Length: 5\r\n';
    assert.match(await connect().send(`${post}Content-Length: 6\r\n\r\nhello`).closed(), /^HTTP\/1\.1 400 /);
    assert.match(
      await connect()
        .send(`${post}\r\nhello`)
        .until(/post \/$/),
      /^HTTP\/1\.1 200 /,
    );
  },
);

testLibraries('transfer codings other than chunked are refused', async (t, library) => {
  const { connect } = await serve(t, library, (app) => {
    const read = (res: HttpResponse) => void readBody(res, 100, new BodyBudget(100)).then(() => send(res, 200, 'read'));
    app.post('/*', read);
    app.any('/*', read);
  });
  for (const method of ['POST', 'PUT']) {
    const answer = (coding: string) =>
      connect().send(`${method} / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: ${coding}\r\n\r\n5\r\nhello\r\n0\r\n\r\n`);
    assert.match(await answer('gzip, chunked').closed(), /^HTTP\/1\.1 501 /);
    assert.match(await answer('gzip').closed(), /^HTTP\/1\.1 400 /);
    assert.match(await answer('chunked, gzip').closed(), /^HTTP\/1\.1 400 /);
    assert.match(await answer('CHUNKED').until(/read$/), /^HTTP\/1\.1 200 /);
  }
});

testLibraries('answers do not name the library', async (t, library) => {
  const { connect } = await serve(t, library, ok);
  const answer = await connect()
    .send('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    .until(/get \/$/);
  assert.doesNotMatch(answer, /uWebSockets|^server:/im);
});

testAdapter('what is no HTTP gets 400, and HTTP/1.1 without a host as well', async (t, library) => {
  const { connect } = await serve(t, library, ok);
  assert.match(await connect().send('hello\r\n\r\n').closed(), /^HTTP\/1\.1 400 /);
  assert.match(await connect().send('GET / HTTP/1.1\r\n\r\n').closed(), /^HTTP\/1\.1 400 /);
});

testAdapter('what is no HTTP behind a request that waits gets no answer in its place', async (t, library) => {
  const { connect } = await serve(t, library, (app) => app.any('/*', (res) => res.onAborted(() => {})));
  assert.equal(await connect().send('GET / HTTP/1.1\r\nHost: x\r\n\r\nhello\r\n\r\n').closed(), '');
});

testLibraries('the refusal of a body reaches a client that is still sending it', async (t, library) => {
  const { connect } = await serve(t, library, (app) =>
    app.post('/*', (res) => {
      readBody(res, 100, new BodyBudget(100)).then(
        () => {},
        () => sendJson(res, 413, { error: 'payload_too_large' }),
      );
    }),
  );
  const client = connect().send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n');
  client.send(Buffer.alloc(8_000_000, 'x'));
  assert.match(await client.closed(), /^HTTP\/1\.1 413 [\s\S]*payload_too_large/);
});

testLibraries('the refusal of a WebSocket is an ordinary answer', async (t, library) => {
  const refusing = behavior({
    upgrade: (res) => {
      res.writeStatus('400 Bad Request');
      res.writeHeader('Content-Type', 'application/json');
      res.end('{"code":1}');
    },
  });
  const { connect } = await serve(t, library, (app) => app.ws('/*', refusing));
  const answer = await connect()
    .send(upgradeRequest())
    .until(/\{"code":1\}$/);
  assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
  assert.match(answer, /\r\nContent-Length: 10\r\n/i);
});

testLibraries('the connection of a refused WebSocket takes further requests', async (t, library) => {
  let refusals = 0;
  const refusing = behavior({
    upgrade: (res) => {
      refusals += 1;
      sendAtOnce(res, 403, `no ${refusals}`);
    },
  });
  const { connect } = await serve(t, library, (app) => {
    ok(app);
    app.ws('/*', refusing);
  });
  const client = connect().send(upgradeRequest());
  assert.match(await client.until(/\r\nno 1$/), /^HTTP\/1\.1 403 /);
  await client.send(upgradeRequest()).until(/\r\nno 2$/);
  await client.send('GET /plain HTTP/1.1\r\nHost: x\r\n\r\n').until(/get \/plain$/);
});

testAdapter('requests for upgrades that come to nothing leave nothing behind, however many', async (t, library) => {
  const warnings: Error[] = [];
  const warned = (warning: Error) => warnings.push(warning);
  process.on('warning', warned);
  t.after(() => process.off('warning', warned));
  const { connect } = await serve(t, library, (app) => {
    ok(app);
    app.ws('/*', behavior({ upgrade: (res) => sendAtOnce(res, 403, 'no') }));
  });
  const h2c = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n';
  for (const request of [upgradeRequest(), h2c]) {
    const client = connect();
    let answers = 0;
    while (answers < 20 && !client.isClosed) {
      client.send(request);
      await eventually(() => client.isClosed || count(client.text) > answers, 'an answer');
      answers = count(client.text);
    }
    assert.ok(answers >= 5, `${answers} answers`);
    if (request !== h2c) assert.ok(client.isClosed, 'the connection is closed after some');
  }
  assert.deepEqual(warnings, []);
});

const count = (text: string) => text.match(/HTTP\/1\.1 \d/g)?.length ?? 0;

testAdapter('a refusal may close the connection, and waits as long as it has to', async (t, library) => {
  const refusing = behavior({ upgrade: (res) => void setImmediate(() => res.end('no', true)) });
  const { connect } = await serve(t, library, (app) => app.ws('/*', refusing));
  assert.match(await connect().send(upgradeRequest()).closed(), /^HTTP\/1\.1 200 [\s\S]*\r\nno$/);
});

testAdapter('a client that goes away before its WebSocket was answered is an aborted request', async (t, library) => {
  let begun = 0;
  let aborted = 0;
  const late = behavior({
    upgrade: (res) => {
      begun += 1;
      res.onAborted(() => {
        aborted += 1;
      });
    },
  });
  const { connect } = await serve(t, library, (app) => app.ws('/*', late));
  const client = connect().send(upgradeRequest());
  await eventually(() => begun === 1, 'the request');
  client.socket.resetAndDestroy();
  await eventually(() => aborted === 1, 'its end');
});

testLibraries('other versions of WebSockets are refused with 426 and the one there is', async (t, library) => {
  const { connect } = await serve(t, library, sockets);
  for (const headers of ['', 'Sec-WebSocket-Version: 8\r\n', 'Sec-WebSocket-Version: 14\r\n']) {
    const answer = await connect().send(upgradeRequest(headers)).closed();
    assert.match(answer, /^HTTP\/1\.1 426 Upgrade Required\r\n/);
    assert.match(answer, /\r\nSec-WebSocket-Version: 13\r\n/);
  }
});

testAdapter('a request for a WebSocket with a bad key is refused', async (t, library) => {
  const { connect } = await serve(t, library, sockets);
  const request = upgradeRequest().replace('dGhlIHNhbXBsZSBub25jZQ==', 'short');
  assert.match(await connect().send(request).closed(), /^HTTP\/1\.1 400 /);
});

testAdapter('a request for another protocol is an ordinary request', async (t, library) => {
  const { connect } = await serve(t, library, (app) => {
    sockets(app);
    app.post('/*', (res) => {
      readBody(res, 100, new BodyBudget(100)).then((body) => sendJson(res, 200, body.toString()));
    });
  });
  const h2c = 'Host: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n';
  const client = connect();
  await client.send(`GET /1 HTTP/1.1\r\n${h2c}\r\n`).until(/get \/1$/);
  await client.send(`POST /2 HTTP/1.1\r\n${h2c}Content-Length: 5\r\n\r\nhello`).until(/"hello"$/);
  await client.send('GET /3 HTTP/1.1\r\nHost: x\r\n\r\n').until(/get \/3$/);
});

testAdapter(
  'a request for a WebSocket that has a body or is of HTTP/1.0 is an ordinary request',
  async (t, library) => {
    const { connect } = await serve(t, library, sockets);
    const request = upgradeRequest('Sec-WebSocket-Version: 13\r\nContent-Length: 5\r\n');
    await connect()
      .send(`${request}hello`)
      .until(/get \/socket$/);
    await connect()
      .send(upgradeRequest().replace('HTTP/1.1', 'HTTP/1.0'))
      .until(/get \/socket$/);
  },
);

testAdapter('a server without WebSockets takes a request for one as an ordinary request', async (t, library) => {
  const { connect } = await serve(t, library, ok);
  await connect()
    .send(upgradeRequest())
    .until(/get \/socket$/);
});

testAdapter('frames that are not masked end the socket with 1002', async (t, library) => {
  const { connect } = await serve(t, library, sockets);
  const client = await connect().upgrade();
  client.send(Buffer.from([first.text, 2, 0x68, 0x69]));
  const { first: kind, payload } = await client.frame();
  assert.equal(kind, first.close);
  assert.equal(payload.readUInt16BE(), 1002);
  await client.closed();
});

testAdapter('text that is not UTF-8 ends the socket with 1007', async (t, library) => {
  const { connect } = await serve(t, library, sockets);
  const client = await connect().upgrade();
  client.send(frame(first.text, Buffer.from([0xff, 0xfe])));
  const { first: kind, payload } = await client.frame();
  assert.equal(kind, first.close);
  assert.equal(payload.readUInt16BE(), 1007);
});
