import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { closeServer, readBody } from '../../../src/web/http.ts';
import { sockets } from '../../support/sockets.ts';

test('a body whose sender goes away fails', async (t) => {
  const app = sockets.createApp();
  let begun = (): void => {};
  const started = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const read = new Promise((resolve) => {
    app.post('/*', (res) => {
      readBody(res, 100).then(resolve, resolve);
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
