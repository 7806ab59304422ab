import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { BodyBudget, readBody } from '../../../../src/web/http/bodies.ts';
import { closeServer, type HttpResponse, methodOf, send } from '../../../../src/web/http/http.ts';
import { serve, testLibraries } from '../../../support/socket-libraries.ts';
import { sockets } from '../../../support/sockets.ts';

test('a body whose sender goes away fails', async (t) => {
  const app = sockets.createApp();
  let begun = (): void => {};
  const started = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const read = new Promise((resolve) => {
    app.post('/*', (res) => {
      readBody(res, 100, new BodyBudget(100)).then(resolve, resolve);
      begun();
    });
  });
  const listening = await app.listen('127.0.0.1', 0);
  t.after(() => closeServer(app, listening));
  const socket = connect(listening.port, '127.0.0.1');
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf');
  await started;
  socket.destroy();
  assert.equal(((await read) as { code?: string }).code, 'bad_request');
});

// Node's client with kept-alive connections took such a connection for its next request, and found it closed.
testLibraries('who wants the connection closed after the answer is told that it is', async (t, library) => {
  const { connect } = await serve(t, library, (app) => {
    app.any('/*', (res: HttpResponse, req) => {
      methodOf(res, req);
      res.isLast = req.getUrl() === '/last';
      send(res, 200, 'fine');
    });
  });
  for (const [path, header] of [
    ['/', 'close'],
    ['/', 'Close'],
    ['/last', 'close'],
    ['/last', 'keep-alive'],
  ]) {
    const answer = await connect().send(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: ${header}\r\n\r\n`).closed();
    assert.equal(answer.match(/^Connection: close\r$/gim)?.length, 1, answer);
    assert.match(answer, /\r\n\r\nfine$/);
  }
  const kept = connect().send('GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n');
  assert.doesNotMatch(await kept.until(/fine$/), /^Connection:/im);
  assert.equal(kept.isClosed, false);
});
