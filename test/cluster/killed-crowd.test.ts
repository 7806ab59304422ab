/** A node with a thousand clients is killed: what they and back ends notice of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DurableCrowd } from '../support/durable-crowd.ts';
import { oldClients } from '../support/matrix-clients.ts';
import { missing } from '../support/programs.ts';
import { SocketClient } from '../support/socket-clients.ts';

const skip = missing('redis-server');
const lease = 3000;

test('a thousand clients go on elsewhere, and miss nothing of what is published all the while', { skip }, async (t) => {
  const crowd = await DurableCrowd.start(t, { lease });
  await crowd.enter(1000);
  await crowd.publish(5, 1, 2);
  await crowd.haveAll();
  const killed = crowd.kill(0);
  crowd.lead(1, 2);
  const talk = crowd.talk(1);
  await killed;
  for (const client of crowd.clients) await client.connected(2, 60_000);
  await talk.end();
  await crowd.publish(5, 1, 2);
  await crowd.back(1);
  assert.deepEqual(crowd.told('on_disconnect'), []);
  const recovered = crowd.told('on_recover');
  assert.deepEqual(new Set(recovered.map(({ sid }) => sid)), new Set(crowd.sids));
  for (const { sid, state, session } of recovered) {
    assert.deepEqual([state.nick, session.epoch], [`nick of ${sid}`, 1]);
  }
});

test('without recovery, the nodes that live tell a thousand departures, of all generations, each once', {
  skip,
}, async (t) => {
  const crowd = await DurableCrowd.start(t, { lease, window: 0 });
  await crowd.enter(1000);
  const old = oldClients(crowd.proxy.url);
  t.after(() => {
    for (const client of old) client.disconnect();
  });
  for (const client of old) await client.connected(1);
  const oldest = (['0.9 websocket', '0.9 xhr-polling'] as const).map((kind) =>
    SocketClient.connect(kind, crowd.proxy.url),
  );
  await Promise.all(oldest);
  const sids = crowd.told('on_connect').map(({ sid }) => sid);
  assert.equal(sids.length, crowd.clients.length + old.length + oldest.length);
  for (const { socket } of crowd.clients) socket.io.reconnection(false);
  await crowd.kill(0);
  const told = await crowd.departed(sids, lease + 5000);
  for (const { sid, trigger, key, state, node } of told) {
    assert.deepEqual([trigger, key, state.nick], ['node_lost', `${sid}/end`, `nick of ${sid}`]);
    assert.notEqual(node, 'relay0@127.0.0.1');
  }
});
