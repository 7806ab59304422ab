/** Requests and WebSockets at a node that does not own their session: what is special about them, and what is not. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { EventPacket } from '../../src/protocol/packet.ts';
import { relayName } from '../../src/web/client/relay/messages.ts';
import { eventually } from '../support/eventually.ts';
import { RawSocket, rawUpgrade, request, textFrame } from '../support/raw-client.ts';
import { startRelayPair } from '../support/relay-pair.ts';

const polling = '/socket.io/?EIO=4&transport=polling';
const unknown = { code: 1, message: 'Session ID unknown' };

/** A pair with a session at the owner whose client polls; `path` is for its further requests. */
async function polled(t: TestContext, change?: Parameters<typeof startRelayPair>[1]) {
  const pair = await startRelayPair(t, change);
  const { owner, entry } = pair;
  const { sid } = JSON.parse((await request(owner.url + polling)).body.slice(1)) as { sid: string };
  const path = `${polling}&sid=${sid}`;
  await request(entry.url + path, { method: 'POST', body: '40' });
  await request(entry.url + path);
  const session = await owner.server.host.session();
  return { ...pair, sid, path, session };
}

/** A pair with a 0.9 session at the owner, whose WebSocket is at the entry. */
async function legacy(t: TestContext) {
  const pair = await startRelayPair(t);
  const [id] = (await request(`${pair.owner.url}/socket.io/1/`)).body.split(':');
  const socket = new RawSocket(`${pair.entry.url}/socket.io/1/websocket/${id}`);
  assert.equal(await socket.next(), '1:::');
  return { ...pair, id, socket, session: await pair.owner.server.host.session() };
}

test('polls, posts and upgrades are relayed, whatever the size of what they carry', async (t) => {
  const { owner, entry, path, session } = await polled(t);
  const long = 'ü€😀'.repeat(20_000);
  session.sink.send(new EventPacket('long', JSON.stringify([long])));
  assert.equal((await request(entry.url + path)).body, `42${JSON.stringify(['long', long])}`);
  const socket = await new RawSocket(entry.url + path.replace('polling', 'websocket')).opened();
  socket.send('2probe');
  assert.equal(await socket.next(), '3probe');
  socket.send('5');
  await eventually(() => session.transports.includes('websocket'), 'the upgrade');
  const text = 'ü'.repeat(40_000);
  socket.send(`42${JSON.stringify(['echo', text])}`);
  assert.equal(await socket.next(), `42${JSON.stringify(['echo', text])}`);
  session.sink.send(new EventPacket('long', JSON.stringify([long])));
  assert.equal(await socket.next(), `42${JSON.stringify(['long', long])}`);
  socket.close();
  await eventually(() => session.closed.length > 0, 'the end');
  await eventually(() => owner.streams() + entry.streams() === 0, 'the end of all streams');
});

test('HEAD is answered without body at either node, with the length that it would have', async (t) => {
  const { owner, entry, path } = await polled(t);
  const [there, here] = await Promise.all(
    [owner, entry].map(async ({ url }) => {
      const { status, body, headers } = await request(url + path, { method: 'HEAD' });
      assert.equal(body, '');
      return [status, Number(headers.get('content-length'))] as const;
    }),
  );
  assert.deepEqual(there, here);
  assert.deepEqual(there, [400, JSON.stringify({ code: 2, message: 'Bad handshake method' }).length]);
});

test('published events reach relayed sockets in order with what is sent to them alone', async (t) => {
  const { owner, entry, path, session } = await polled(t);
  const socket = await new RawSocket(entry.url + path.replace('polling', 'websocket')).opened();
  session.sink.join('room');
  socket.send('2probe');
  await socket.next();
  socket.send('5');
  await eventually(() => session.transports.includes('websocket'), 'the upgrade');
  session.sink.join('hall');
  for (let n = 0; n < 9; n += 3) {
    owner.server.topics.publish('room', new EventPacket('n', `[${n}]`));
    session.sink.send(new EventPacket('n', `[${n + 1}]`));
    owner.server.topics.publish('hall', new EventPacket('n', `[${n + 2}]`));
  }
  for (let n = 0; n < 9; n += 1) assert.equal(await socket.next(), `42["n",${n}]`);
  session.sink.leave('room');
  assert.equal(owner.server.topics.publish('room', new EventPacket('n', '[9]')), 0);
});

test("the owner's headers come back, and its view of origins holds", async (t) => {
  const { entry, path, session } = await polled(t);
  session.sink.send(new EventPacket('a', '[]'));
  const good = await request(entry.url + path, { headers: { origin: 'http://good.example' } });
  assert.equal(good.headers.get('access-control-allow-origin'), 'http://good.example');
  assert.equal(good.headers.get('content-type'), 'text/plain; charset=UTF-8');
  const bad = await request(entry.url + path, { headers: { origin: 'http://bad.example' } });
  assert.equal(bad.status, 403);
  assert.equal(bad.headers.get('access-control-allow-origin'), null);
  assert.equal(JSON.parse(bad.body).error, 'bad_request');
});

test('a body that is too large is refused by the owner, and costs the client its session', async (t) => {
  const { entry, path, session } = await polled(t);
  const { status } = await request(entry.url + path, { method: 'POST', body: `4${'x'.repeat(1_000_000)}` });
  assert.equal(status, 413);
  assert.deepEqual(session.closed, ['payload_too_large']);
  assert.equal(entry.streams(), 0);
});

test('a poll that is broken off ends the session at once', async (t) => {
  const { owner, entry, path, session } = await polled(t);
  const abort = new AbortController();
  const poll = request(entry.url + path, { signal: abort.signal });
  await eventually(() => owner.streams() === 1, 'the poll');
  abort.abort();
  await assert.rejects(poll);
  await eventually(() => session.closed.length > 0, 'the end');
  assert.deepEqual(session.closed, ['transport_closed']);
  assert.equal(entry.streams() + owner.streams(), 0);
});

test('what the owner refuses is refused', async (t) => {
  const { entry, id, socket } = await legacy(t);
  const { status, body } = await request(`${entry.url}/socket.io/1/xhr-polling/${id}`);
  assert.equal(status, 400);
  assert.equal(JSON.parse(body).error, 'bad_request');
  const second = new RawSocket(`${entry.url}/socket.io/1/websocket/${id}`);
  assert.equal(await second.closed(), 1006);
  socket.send('5:::{"name":"echo","args":[]}');
  assert.equal(await socket.next(), '5:::{"name":"echo","args":[]}');
  assert.equal((await request(`${entry.url}/socket.io/1//${id}/?disconnect=1`)).body, '0:::');
  assert.equal(await socket.next(), '0:::');
  await socket.closed();
});

test('close codes and kinds of frames travel', async (t) => {
  const { socket, session } = await legacy(t);
  socket.send(new Uint8Array([1, 2, 3]));
  assert.equal(await socket.closed(), 1003);
  assert.deepEqual(session.closed, ['unsupported_data']);
});

test('heartbeats pass both ways', async (t) => {
  const { owner, entry } = await startRelayPair(t, { socketio: { heartbeat_timeout: 50 } });
  const [id] = (await request(`${owner.url}/socket.io/1/`)).body.split(':');
  const socket = new RawSocket(`${entry.url}/socket.io/1/websocket/${id}`);
  assert.equal(await socket.next(), '1:::');
  // The second one is sent only after the pong to the first one's ping.
  assert.equal(await socket.next(), '2:::');
  assert.equal(await socket.next(), '2:::');
  socket.close();
});

test('a relayed client that does not read is cut off; others are served', async (t) => {
  const { owner, entry } = await startRelayPair(t);
  const { host } = owner.server;
  const open = async (): Promise<string> => {
    const { sid } = JSON.parse((await request(owner.url + polling)).body.slice(1)) as { sid: string };
    await request(`${entry.url + polling}&sid=${sid}`, { method: 'POST', body: '40' });
    await request(`${entry.url + polling}&sid=${sid}`);
    return `/socket.io/?EIO=4&transport=websocket&sid=${sid}`;
  };
  const bystander = await new RawSocket(entry.url + (await open())).opened();
  bystander.send('2probe');
  await bystander.next();
  bystander.send('5');
  const tcp = await rawUpgrade(entry.server.port, await open());
  tcp.write(textFrame('2probe'));
  tcp.write(textFrame('5'));
  const session = host.sessions[1]!;
  await eventually(() => host.sessions.every(({ transports }) => transports.length === 2), 'the upgrades');
  tcp.pause();
  for (const { sink } of host.sessions) sink.join('flood');
  const data = 'x'.repeat(50_000);
  let sent = 0;
  let most = 0;
  await eventually(() => {
    sent += 1;
    owner.server.topics.publish('flood', new EventPacket('n', JSON.stringify([sent, data])));
    most = Math.max(most, session.sink.bufferedBytes);
    return session.closed.length > 0;
  }, 'the end');
  assert.deepEqual(session.closed, ['too_slow']);
  assert.ok(most < 1_200_000, `${most} bytes buffered`);
  await eventually(() => bystander.messages.length === sent, 'the bystander');
  assert.equal(owner.server.metrics.counter('clients.transports.too_slow').value, 1);
  await eventually(() => entry.streams() === 1, 'the end of its stream');
  tcp.destroy();
  bystander.close();
});

test('a relayed client costs the entry no actor', async (t) => {
  const { entry, owner, socket } = await legacy(t);
  assert.equal(entry.node.kernel.registered().length, 1);
  assert.equal((entry.node.metrics.tree('hive.actors')!.hive as { actors: { running: number } }).actors.running, 1);
  assert.deepEqual([entry.streams(), owner.streams()], [1, 1]);
  socket.close();
});

test('an id of nobody is answered at once, by the node that was asked', async (t) => {
  const { entry } = await startRelayPair(t);
  const { status, body } = await request(`${entry.url}${polling}&sid=${'x'.repeat(30)}`);
  assert.deepEqual([status, JSON.parse(body)], [400, unknown]);
  assert.equal((await request(`${entry.url}/socket.io/1/xhr-polling/${'x'.repeat(30)}`)).body, '7:::1+0');
  assert.equal(entry.node.metrics.counter('hive.relay.forwarded').value, 0);
});

test('nonsense from another node is counted and harms nobody', async (t) => {
  const { owner, entry, path, session } = await polled(t);
  const relay = entry.node.kernel.remote<unknown>(owner.node.kernel.node, relayName);
  const node = entry.node.kernel.node;
  for (const message of [
    1,
    'open',
    { type: 'open' },
    { type: 'open', node, stream: 7, opening: {} },
    { type: 'signal', node, stream: 8, to: 'owner', signal: { type: 'chunk' }, last: false },
    { type: 'signal', node, stream: 'x', to: 'owner', signal: {}, last: true },
    { type: 'lost', node, stream: 9, to: 'entry' },
    [node, 10, 0],
    [node, 11, 5, 'for nobody'],
  ]) {
    relay.tell(message);
  }
  await eventually(() => owner.node.metrics.counter('hive.relay.errors').value >= 5, 'the count');
  session.sink.send(new EventPacket('a', '[1]'));
  assert.equal((await request(entry.url + path)).body, '42["a",1]');
  await eventually(() => owner.streams() === 0, 'no streams');
});
