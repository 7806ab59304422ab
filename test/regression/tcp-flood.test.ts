/**
 * A TCP back end that always has more, and many gets at once. Each get made the node read on, however many frames waited
 * already: 200 gets took 1.8 GB. And all that came in one piece was kept, not only 64 frames of it.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { BackEndReply } from '../../src/plugins/connectors/back-end.ts';
import { tcpConnector } from '../../src/plugins/connectors/tcp/tcp.ts';
import { encodeFrame } from '../../src/protocol/backend/framing.ts';
import { startConnectors } from '../support/connectors.ts';
import { eventually } from '../support/eventually.ts';

const gets = 200;
/** What the node keeps beyond the frames that wait: pieces of 64 KiB, in the mailbox and unread, and what its stream has read ahead. */
const slackBytes = 6 * 64 * 1024;

/** Sends the same frame as often and as fast as it is read. */
function flood(socket: Socket, frame: Buffer): void {
  const piece = Buffer.concat(Array.from({ length: Math.ceil(65_536 / frame.length) }, () => frame));
  const more = (): void => {
    while (!socket.destroyed && socket.write(piece));
  };
  socket.on('drain', more).on('error', () => {});
  more();
}

for (const [what, payload, kept] of [
  ['small frames', '[]', 64],
  ['frames of 100 KB', JSON.stringify(['x'.repeat(100_000)]), 11],
] as const) {
  test(`${what}: as many are read as are asked for, and few more`, async (t: TestContext) => {
    const frame = encodeFrame('news', payload);
    const server = createServer((socket) => flood(socket, frame)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const args = { host: '127.0.0.1', port, restart_timeout: 0, max_connection_timeout: 20_000 };
    const pools = { news: { connector: 'connector.tcp', size: 1, overflow: gets, args } };
    const plugins = [{ ...tcpConnector, name: 'connector.tcp' }];
    const connectors = await startConnectors({ pools, plugins, rentTimeout: 20_000 });
    t.after(async () => {
      await connectors.close();
      server.close();
    });
    const request = () =>
      connectors.pools.get<unknown, BackEndReply>('news').request({ method: 'GET', endpoint: 'news' });
    const state = () =>
      [...connectors.kernel.cells()]
        .filter(({ label }) => label === 'news worker')
        .map(({ actor }) => actor.inspect() as { waiting: number; bytesRead: number });
    const bounded = (taken: number): void => {
      let read = 0;
      for (const { waiting, bytesRead } of state()) {
        assert.ok(waiting <= kept, `${waiting} frames wait`);
        read += bytesRead;
      }
      const most = taken * frame.length + state().length * (kept * frame.length + slackBytes);
      assert.ok(read <= most, `${read} bytes were read, at most ${most} should be`);
    };
    await eventually(() => state().some(({ waiting }) => waiting === kept), 'frames that wait');
    bounded(0);
    for (let round = 1; round <= 3; round += 1) {
      const replies = await Promise.all(Array.from({ length: gets }, request));
      assert.ok(replies.every(({ body }) => body === payload));
      await eventually(() => state().every(({ waiting }) => waiting === kept), 'frames that wait again');
      bounded(round * gets);
    }
  });
}
