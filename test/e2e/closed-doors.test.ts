/** New clients that a node does not want are told why, whatever they speak; clients that are there notice nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { io } from 'socket.io-client';
import { DefaultNode } from '../support/default-node.ts';
import { next } from '../support/eventually.ts';
import type { Failure } from '../support/operator.ts';
import { SocketClient } from '../support/socket-clients.ts';

test('a full node answers no_slots, one with closed doors router_error, and an open one lets them in', async (t) => {
  const node = await DefaultNode.start((config) => {
    config.hive!.max_client_slots = 1;
  });
  t.after(() => node.stop());

  async function refusals(): Promise<string[]> {
    const client = io(node.url, { transports: ['websocket'], forceNew: true, reconnection: false });
    await next(client, 'connect_error');
    client.disconnect();
    const handshakes = ['/socket.io/1/', '/socket.io/?EIO=4&transport=polling', '/socket.io/?EIO=3&transport=polling'];
    return Promise.all(
      handshakes.map(async (path) => {
        const handshake = await fetch(node.url + path);
        return `${handshake.status} ${((await handshake.json()) as Failure).error}`;
      }),
    );
  }

  const first = await SocketClient.connect('4.8 websocket', node.url);
  assert.deepEqual(await refusals(), new Array(3).fill('503 no_slots'));
  await node.api('POST', 'router/disable');
  assert.deepEqual(await refusals(), new Array(3).fill('503 router_error'));
  assert.ok(first.connected);
  await first.disconnect();
  await node.api('POST', 'router/enable');
  const second = await SocketClient.connect('4.8 websocket', node.url);
  await second.disconnect();
});
