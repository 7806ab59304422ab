import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { connect } from 'node:tls';
import { closeServer } from '../../../../src/web/http/http.ts';
import { Authority } from '../../../support/certificates.ts';
import { next } from '../../../support/eventually.ts';
import { freePorts } from '../../../support/ports.ts';
import { behavior, echoing, serve, testAdapter, testLibraries } from '../../../support/socket-libraries.ts';
import { first, frame, TcpClient, upgradeRequest } from '../../../support/tcp-client.ts';

testLibraries('a port is had by one server alone, and may be had again when that has ended', async (t, library) => {
  const one = library.createApp();
  const listening = await one.listen('127.0.0.1', 0);
  const other = library.createApp();
  await assert.rejects(other.listen('127.0.0.1', listening.port), {
    code: 'port_taken',
    message: `Cannot listen on 127.0.0.1:${listening.port}: the port is taken or not allowed.`,
  });
  await closeServer(one, listening);
  const third = library.createApp();
  const again = await third.listen('127.0.0.1', listening.port);
  t.after(() => closeServer(third, again));
  assert.equal(again.port, listening.port);
});

testLibraries('a host that is not of this machine is told, and not that the port is taken', async (_t, library) => {
  // RFC 5737, RFC 6761: of nobody.
  await assert.rejects(library.createApp().listen('192.0.2.7', 0), {
    code: 'port_taken',
    message: 'Cannot listen on 192.0.2.7:0: 192.0.2.7 is no address of this machine.',
  });
  await assert.rejects(library.createApp().listen('nowhere.invalid', 0), {
    message: 'Cannot listen on nowhere.invalid:0: there is no host nowhere.invalid.',
  });
});

testLibraries('a certificate that cannot be read is an error that names it', async (_t, library) => {
  assert.throws(() => library.createApp({ cert_file: '/no/cert.pem', key_file: '/no/key.pem' }), {
    code: 'file_error',
    message: /^TLS cannot be served with \/no\/cert\.pem and \/no\/key\.pem: ENOENT/,
  });
});

testLibraries('requests and WebSockets are served over TLS', async (t, library) => {
  const files = new Authority(t).issue('IP:127.0.0.1');
  const { port } = await serve(
    t,
    library,
    (app) => {
      app.any('/*', (res) => res.end('secret'));
      app.ws('/*', behavior(echoing));
    },
    files,
  );
  const request = get({ port, host: '127.0.0.1', rejectUnauthorized: false, agent: false });
  const response = (await next(request, 'response')) as NodeJS.ReadableStream;
  assert.equal(String(await next(response, 'data')), 'secret');
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  t.after(() => socket.destroy());
  socket.write(upgradeRequest());
  assert.match(String(await next(socket, 'data')), /^HTTP\/1\.1 101 /);
  socket.write(frame(first.text, 'hello'));
  assert.deepEqual(await next(socket, 'data'), Buffer.from('\x81\x05hello', 'latin1'));
});

testAdapter('over TLS a request for another protocol is an ordinary request', async (t, library) => {
  const files = new Authority(t).issue('IP:127.0.0.1');
  const { port } = await serve(
    t,
    library,
    (app) => {
      app.any('/*', (res, req) => res.end(req.getUrl()));
      app.ws('/*', behavior());
    },
    files,
  );
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  t.after(() => socket.destroy());
  socket.write('GET /plain HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: TLS/1.0\r\n\r\n');
  assert.match(String(await next(socket, 'data')), /\r\n\r\n\/plain$/);
});

testLibraries('a pause refuses who comes, keeps who is there, and ends', async (t, library) => {
  const app = library.createApp();
  app.any('/*', (res) => res.end('here'));
  app.ws('/*', behavior(echoing));
  const [port] = (await freePorts(1)) as [number];
  const listening = await app.listen('127.0.0.1', port);
  t.after(() => closeServer(app, listening));
  const idle = new TcpClient(port);
  t.after(() => idle.destroy());
  const socket = await new TcpClient(port).upgrade();
  t.after(() => socket.destroy());
  idle.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await idle.until(/here/);
  for (let round = 0; round < 3; round += 1) {
    listening.pause();
    listening.pause();
    assert.equal(await whyNot(port), 'ECONNREFUSED');
    idle.send(`GET / HTTP/1.1\r\nHost: x\r\n\r\n`);
    await idle.until(new RegExp(`(?:here[^]*){${round + 2}}`));
    socket.send(frame(first.text, 'still'));
    assert.equal(String((await socket.frame()).payload), 'still');
    await Promise.all([listening.resume(), listening.resume()]);
    assert.equal(await whyNot(port), undefined);
  }
  // What was paused while it opened stays so.
  listening.pause();
  const opening = listening.resume();
  listening.pause();
  await opening;
  assert.equal(await whyNot(port), 'ECONNREFUSED');
  const other = library.createApp();
  const thief = await other.listen('127.0.0.1', port);
  await assert.rejects(listening.resume(), { code: 'port_taken' });
  await closeServer(other, thief);
  await listening.resume();
  assert.equal(await whyNot(port), undefined);
  listening.stop();
  await listening.resume();
  assert.equal(await whyNot(port), 'ECONNREFUSED');
});

/** Why nobody can connect to a port. */
async function whyNot(port: number): Promise<string | undefined> {
  const socket = connectTcp(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  } finally {
    socket.destroy();
  }
}
