/**
 * A client that was opened while the server of clients was stopping, after it had closed its connections, was forgotten without
 * having been closed: its slot was taken for as long as the node ran.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestServer } from '../support/client-server.ts';
import { eventually } from '../support/eventually.ts';
import { request } from '../support/raw-client.ts';

test('a client whose handshake comes while the server stops is closed', async () => {
  const server = await startTestServer();
  const { host } = server;
  let closing: Promise<void> | undefined;
  // The server has looked whether it may, and closes all connections before it makes this one.
  host.refusal = () => {
    closing ??= server.close();
    return undefined;
  };
  const answer = request(`${server.url}/socket.io/?EIO=3&transport=polling`).catch(() => undefined);
  const session = await host.session();
  await answer;
  await closing;
  assert.deepEqual(session.closed, ['shutdown']);
});

test('a 0.9 client that is opened while the server stops is closed', async () => {
  const server = await startTestServer();
  const { host } = server;
  let open: (() => void) | undefined;
  host.onOpen = () =>
    new Promise<void>((resolve) => {
      open = resolve;
    });
  const answer = request(`${server.url}/socket.io/1/`).catch(() => undefined);
  await eventually(() => open !== undefined, 'the handshake');
  const closing = server.close();
  open!();
  await closing;
  await answer;
  assert.deepEqual((await host.session()).closed, ['shutdown']);
});
