/** Where recovery ends: connections that were meant to end, clients that know nothing of it, and what is no pid or position of theirs. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { request } from '../support/raw-client.ts';
import { RecoveryNode } from '../support/recovery-scene.ts';

let hive: RecoveryNode;

before(async () => {
  hive = await RecoveryNode.start(({ clients, socketio }) => {
    // Little enough to be forgotten in a test.
    Object.assign(clients!, { recovery: { window: 60_000, max_bytes: 65_536 } });
    Object.assign(socketio!, { max_backpressure: 100_000 });
  });
});
after(() => hive.stop());

const departed = (told: readonly string[]) => told.filter((line) => line.startsWith('on_disconnect'));

/** What the back end was told of the handshake of a session: its auth payload. */
function authOf(sid: string): unknown {
  const asked = hive.backEnd.asked.find(({ path, body }) => path === '/on_connect' && JSON.parse(body).sid === sid);
  assert(asked, 'an on_connect');
  return JSON.parse(asked.body).handshake.auth;
}

test('a client that has missed more than is kept becomes a new one, and the former departs', async () => {
  const ann = await hive.visit();
  const incomplete = await hive.count('incomplete');
  await ann.publish(1);
  await ann.heard(1);
  await ann.lose();
  for (let at = 0; at < 20; at += 1) await ann.publish('x'.repeat(5000));
  await ann.comeBack();
  assert.deepEqual(ann.client.connects, [false, false]);
  const [former, present] = ann.client.sids;
  assert.notEqual(present, former);
  await eventually(() => departed(ann.told).length === 1, 'the departure');
  assert.deepEqual(hive.told(present!), ['on_connect null']);
  assert.equal(await hive.count('incomplete'), incomplete + 1);
  // The new session can be lost as well. Its client has received nothing of it, and has the position of the former one.
  await ann.join();
  await ann.lose();
  await ann.publish(2);
  await ann.comeBack();
  await ann.publish(3);
  assert.deepEqual(await ann.heard(3), [1, 2, 3]);
  assert.deepEqual(ann.client.connects, [false, false, true]);
  assert.deepEqual(departed(hive.told(present!)), []);
});

test('a quiet client of a busy node is recovered, though what it has received last is long forgotten', async () => {
  const ann = await hive.visit();
  const busy = await hive.visit();
  await ann.publish(1);
  await ann.heard(1);
  for (let at = 0; at < 20; at += 1) await busy.publish('x'.repeat(5000));
  await ann.lose();
  for (let at = 0; at < 20; at += 1) await busy.publish('x'.repeat(5000));
  await ann.comeBack();
  await ann.lose();
  await ann.publish(2);
  await ann.comeBack();
  assert.deepEqual(await ann.heard(2), [1, 2]);
  assert.deepEqual(ann.client.connects, [false, true, true]);
});

test('a client that disconnects, or that an action stops, does not come back', async () => {
  const ann = await hive.visit();
  await ann.publish(1);
  await ann.heard(1);
  ann.client.socket.disconnect();
  ann.client.socket.connect();
  await ann.client.connected(2);
  assert.deepEqual(ann.client.connects, [false, false]);
  await eventually(() => ann.told.length === 2, 'the departure');
  assert.deepEqual(ann.told, ['on_connect null', 'on_disconnect "client_disconnect"']);

  const [, second] = ann.client.sids;
  await ann.act({ action: 'stop', args: 'enough' });
  await eventually(() => !ann.client.socket.connected, 'the end');
  ann.client.socket.connect();
  await ann.client.connected(3);
  assert.deepEqual(ann.client.connects, [false, false, false]);
  await eventually(() => hive.told(second!).length === 2, 'the departure');
  assert.deepEqual(hive.told(second!), ['on_connect null', 'on_disconnect "stopped"']);
});

for (const transports of [['websocket'], ['polling']] as const) {
  test(`a library that closes its connection without a word comes back: ${transports}`, async () => {
    const ann = await hive.visit({ transports });
    ann.client.socket.io.engine.close();
    await eventually(() => ann.told.length >= 2, 'the suspension');
    await ann.publish(1);
    await ann.client.connected(2);
    assert.deepEqual(await ann.heard(1), [1]);
    assert.deepEqual(ann.client.connects, [false, true]);
    assert.deepEqual(departed(ann.told), []);
  });

  test(`a client that says ?recovery=0 gets no positions, and its session ends with its connection: ${transports}`, async () => {
    const ann = await hive.visit({ transports, query: { recovery: '0' } });
    const all: unknown[][] = [];
    ann.client.socket.onAny((...args: unknown[]) => all.push(args));
    await ann.publish(1);
    await ann.act({ action: 'send', args: { name: 'news', args: ['a', 'b'] } });
    await ann.act({ action: 'message', args: 'text' });
    await eventually(() => all.length === 3, 'three events');
    assert.deepEqual(all, [
      ['news', 1],
      ['news', 'a', 'b'],
      ['message', 'text'],
    ]);
    ann.client.socket.io.engine.close();
    await ann.client.connected(2);
    await eventually(() => ann.told.length === 2, 'the departure');
    assert.match(ann.told[1]!, /^on_disconnect "(client_disconnect|transport_closed)"$/);
    assert.deepEqual(ann.client.connects, [false, false]);
  });
}

test("hooks see the application's auth payload, and no pid", async () => {
  const ann = await hive.visit({ auth: { token: 't', offset: 'mine' } });
  assert.deepEqual(authOf(ann.sid), { token: 't', offset: 'mine' });
  await ann.publish(1);
  await ann.heard(1);
  await ann.lose();
  // Not recovered, so that `on_connect` runs.
  await ann.act({ action: 'stop', args: null });
  await ann.comeBack();
  const [, second] = ann.client.sids;
  assert.notEqual(second, ann.sid);
  assert.deepEqual(authOf(second!), { token: 't' });

  const ben = await hive.visit();
  assert.equal(authOf(ben.sid), undefined);
  await ben.lose();
  await ben.act({ action: 'stop', args: null });
  await ben.comeBack();
  assert.equal(authOf(ben.client.sids[1]!), undefined);
  for (const { body } of hive.backEnd.asked) assert.doesNotMatch(body, /"pid"/);
});

/** Connects by polling with that auth payload; gives the answer. */
async function connect(auth: object, namespace = ''): Promise<{ sid: string; pid: string; behind: string }> {
  const url = `${hive.node.url}/socket.io/?EIO=4&transport=polling`;
  const { sid } = JSON.parse((await request(url)).body.slice(1));
  await request(`${url}&sid=${sid}`, { method: 'POST', body: `40${namespace}${JSON.stringify(auth)}` });
  const [answer = '', ...behind] = (await request(`${url}&sid=${sid}`)).body.split('\x1e');
  return { ...JSON.parse(answer.slice(answer.indexOf('{'))), behind: behind.join() };
}

test('only its own pid opens a session', async () => {
  const unknown = await hive.count('unknown');
  const first = await connect({});
  const other = await connect({}, '/side,');
  assert.notEqual(first.pid, other.pid);
  const forged = `${first.pid.slice(0, -1)}${first.pid.endsWith('A') ? 'B' : 'A'}`;
  for (const [pid, namespace] of [
    [forged, ''],
    [first.pid, '/side,'],
    [other.pid, ''],
    [first.sid + other.pid.slice(30), ''],
  ] as const) {
    const { sid } = await connect({ pid }, namespace);
    assert(sid !== first.sid && sid !== other.sid, pid);
  }
  assert.equal(await hive.count('unknown'), unknown + 4);
  // What does not look like one is the application's.
  const { sid } = await connect({ pid: 7, offset: {} });
  assert.deepEqual(authOf(sid), { pid: 7, offset: {} });
  // None of that has harmed the session.
  assert.equal((await connect({ pid: first.pid })).sid, first.sid);
});

test('garbage for a position makes a new session, and nothing worse', async () => {
  for (const offset of ['', 'x', 7, null, {}, [], 'x'.repeat(10_000), '𝒳'.repeat(9)]) {
    const first = await connect({});
    const second = await connect({ pid: first.pid, offset });
    assert.notEqual(second.sid, first.sid, JSON.stringify(offset));
    await eventually(() => departed(hive.told(first.sid)).length === 1, 'the departure');
  }
  // A position beyond the end is none that it can have.
  const first = await connect({});
  await hive.call(`clients/action/${first.sid}`, { action: 'send', args: { name: 'a', args: [] } });
  const { behind } = await connect({ pid: first.pid });
  const position = JSON.parse(behind.slice(2))[1] as string;
  assert.equal((await connect({ pid: first.pid, offset: position })).sid, first.sid);
  const beyond = await connect({ pid: first.pid, offset: `${position.slice(0, 8)}zzzzz` });
  assert.notEqual(beyond.sid, first.sid);
});

test('a client that does not read is suspended, and told that it is a new one if it has missed too much', async () => {
  const ann = await hive.visit();
  const tooMuch = (await hive.count('incomplete')) + (await hive.count('too_much'));
  await ann.publish(1);
  await ann.heard(1);
  ann.proxy.cut(true);
  const big = 'x'.repeat(500_000);
  // The system takes some megabytes for it first.
  await eventually(() => ann.publish(big, big, big).then(() => ann.told.length > 1), 'the node to give up', 60_000);
  assert.equal(ann.told[1], 'on_suspend "too_slow"');
  ann.client.socket.io.engine.close();
  await ann.comeBack();
  assert.deepEqual(ann.client.connects, [false, false]);
  assert.equal((await hive.count('incomplete')) + (await hive.count('too_much')), tooMuch + 1);
});
