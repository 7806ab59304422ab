/**
 * Socket.IO's own client loses its connection and comes back. Old fault: a client that was cut for two seconds heard two of four
 * messages, and came back as a stranger.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { RecoveryNode, soonPings } from '../support/recovery-scene.ts';

let hive: RecoveryNode;

before(async () => {
  hive = await RecoveryNode.start(({ socketio }) => Object.assign(socketio!, soonPings));
});
after(() => hive.stop());

const bytes = Buffer.from([0, 1, 127, 128, 255]);
const encoded = { _binary: bytes.toString('base64') };

for (const [name, transports] of [
  ['a WebSocket', ['websocket']],
  ['polling', ['polling']],
  ['polling that is upgraded', ['polling', 'websocket']],
] as const) {
  test(`a client that was cut off hears all it has missed, once and in order: ${name}`, async () => {
    const ann = await hive.visit({ transports });
    const recovered = await hive.count('recovered');
    await ann.publish(1);
    await ann.heard(1);

    ann.proxy.cut();
    await ann.publish(2, 3);
    await ann.send(4);
    await ann.publish(5);
    await ann.comeBack();
    await ann.publish(6);

    assert.deepEqual(await ann.heard(6), [1, 2, 3, 4, 5, 6]);
    assert.deepEqual(ann.client.connects, [false, true]);
    assert.equal(ann.client.sids[1], ann.sid);
    await eventually(() => ann.told.length === 3, 'three hooks');
    const [connect, suspend, recover] = ann.told;
    assert.equal(connect, 'on_connect null');
    // A server that learns of the new connection first.
    assert.match(suspend!, /^on_suspend "(transport_closed|replaced)"$/);
    assert.match(recover!, /^on_recover {"away_ms":\d+}$/);
    assert.equal(await hive.count('recovered'), recovered + 1);
  });

  test(`it comes back again and again, with and without events in between: ${name}`, async () => {
    const ann = await hive.visit({ transports });
    // At once after its first connect packet, with nothing received.
    await ann.lose();
    await ann.publish(1);
    await ann.comeBack();
    await ann.heard(1);
    for (let round = 0; round < 2; round += 1) {
      await ann.lose();
      await ann.comeBack();
    }
    await ann.lose();
    await ann.publish(2);
    await ann.comeBack();
    await ann.heard(2);
    // What it was sent again is not sent a third time.
    await ann.lose();
    await ann.comeBack();
    await ann.publish(3);
    assert.deepEqual(await ann.heard(3), [1, 2, 3]);
    assert.deepEqual(ann.client.connects, [false, true, true, true, true, true]);
    assert.equal(new Set(ann.client.sids).size, 1);
  });

  test(`bytes come back as bytes: ${name}`, async () => {
    const ann = await hive.visit({ transports });
    await ann.publish(encoded);
    await ann.heard(1);
    await ann.lose();
    await ann.publish(encoded, 'text', { deep: [encoded, encoded] });
    await ann.send(encoded);
    await ann.comeBack();
    await ann.publish(encoded);
    assert.deepEqual(await ann.heard(6), [bytes, bytes, 'text', { deep: [bytes, bytes] }, bytes, bytes]);
    assert.equal(new Set(ann.client.positions).size, 6);
  });
}

test('every event has a position, however it comes; acknowledgements and events that want one have none', async () => {
  const ann = await hive.visit();
  const { socket } = ann.client;
  const raw: unknown[][] = [];
  socket.onAny((...all: unknown[]) => raw.push(all));
  socket.on('wants', (...all: unknown[]) => (all.at(-1) as (answer: string) => void)('yes'));
  hive.backEnd.answers.set('/ask', {
    body: [
      { action: 'send', args: { name: 'answer', args: [] } },
      { action: 'ack', args: ['done'], trigger_id: '0+' },
    ],
  });
  await ann.publish(1);
  await ann.act({ action: 'message', args: 'hello' });
  await ann.act({ action: 'send', args: { name: 'wants', args: [1] }, trigger_id: '7+' });
  assert.deepEqual(await socket.timeout(5000).emitWithAck('ask'), 'done');
  socket.emit('echo', 'x');
  socket.emit('on_connect');
  await eventually(() => raw.length === 6, 'six events');
  const position = /^[\w-]{8}[0-9a-z]+$/;
  for (const [name, ...args] of raw) {
    if (name === 'wants') assert.equal(typeof args.at(-1), 'function');
    else assert.match(String(args.at(-1)), position, String(name));
  }
  assert.deepEqual(
    raw.map(([name]) => name),
    ['news', 'message', 'wants', 'answer', 'echo', 'hive_error'],
  );
  const without = raw.find(([name]) => name === 'wants')!;
  assert.deepEqual(without.slice(0, 2), ['wants', 1]);
  assert.equal(without.length, 3);
});

test('the namespaces of one connection are recovered each for itself', async () => {
  const ann = await hive.visit();
  const heard: unknown[] = [];
  const recovered: boolean[] = [];
  const side = ann.client.socket.io.socket('/side');
  side.on('news', (first: unknown) => heard.push(first));
  side.on('connect', () => recovered.push(side.recovered));
  await eventually(() => recovered.length === 1, 'the second namespace');
  const sid = side.id!;
  assert.notEqual(sid, ann.sid);
  await hive.call(`pubsub/subscribe/${sid}`, [ann.room]);
  await ann.publish(1);
  await ann.heard(1);
  await ann.lose();
  await ann.publish(2);
  await hive.call(`clients/action/${sid}`, { action: 'send', args: { name: 'news', args: ['side'] } });
  await ann.send('main');
  await ann.comeBack();
  await eventually(() => recovered.length === 2, 'the second namespace again');
  await ann.publish(3);
  assert.deepEqual(await ann.heard(4), [1, 2, 'main', 3]);
  await eventually(() => heard.length === 4, 'all news there');
  assert.deepEqual(heard, [1, 2, 'side', 3]);
  assert.deepEqual(recovered, [false, true]);
  assert.equal(side.id, sid);
});

test('one that was cut silently takes its session over from a connection that looks alive', async () => {
  const ann = await hive.visit();
  await ann.publish(1);
  await ann.heard(1);
  ann.proxy.cut(true);
  await ann.publish(2);
  // The client finds out, the node does not.
  ann.client.socket.io.engine.close();
  await ann.comeBack();
  await ann.publish(3);
  assert.deepEqual(await ann.heard(3), [1, 2, 3]);
  assert.deepEqual(ann.client.connects, [false, true]);
  await eventually(() => ann.told.length === 3, 'three hooks');
  assert.equal(ann.told[1], 'on_suspend "replaced"');
});
