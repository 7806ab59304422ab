/** What becomes of relayed requests and WebSockets when one of their ends is lost. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { relayName } from '../../src/web/client/relay/messages.ts';
import { eventually } from '../support/eventually.ts';
import { type Answer, RawSocket, request } from '../support/raw-client.ts';
import { type RelayTestNode, startRelayPair } from '../support/relay-pair.ts';

const polling = '/socket.io/?EIO=4&transport=polling';
const unknown = { code: 1, message: 'Session ID unknown' };

interface Waiting {
  readonly owner: RelayTestNode;
  readonly entry: RelayTestNode;
  readonly path: string;
  readonly poll: Promise<Answer>;
  readonly legacyPath: string;
  readonly legacyPoll: Promise<Answer>;
  readonly socket: RawSocket;
}

/** Of each protocol a poll that waits, and a WebSocket. */
async function waiting(t: TestContext): Promise<Waiting> {
  const { owner, entry } = await startRelayPair(t);
  const { sid } = JSON.parse((await request(owner.url + polling)).body.slice(1)) as { sid: string };
  const ids = await Promise.all(
    [0, 1].map(async () => (await request(`${owner.url}/socket.io/1/`)).body.split(':')[0]),
  );
  const path = `${polling}&sid=${sid}`;
  const legacyPath = `/socket.io/1/xhr-polling/${ids[0]}`;
  const poll = request(entry.url + path);
  assert.equal((await request(entry.url + legacyPath)).body, '1:::');
  const legacyPoll = request(entry.url + legacyPath);
  const socket = new RawSocket(`${entry.url}/socket.io/1/websocket/${ids[1]}`);
  await socket.next();
  await eventually(() => owner.streams() === 3, 'three streams');
  return { owner, entry, path, poll, legacyPath, legacyPoll, socket };
}

async function told({ poll, legacyPoll, socket }: Waiting): Promise<void> {
  const { status, body } = await poll;
  assert.deepEqual([status, JSON.parse(body)], [400, unknown]);
  assert.equal((await legacyPoll).body, '7:::1+0');
  assert.equal(await socket.closed(), 1001);
}

test('the owner is lost: clients are told to start anew, at once and later', async (t) => {
  const all = await waiting(t);
  all.owner.node.stop();
  await told(all);
  assert.equal((await request(all.entry.url + all.path)).status, 400);
  assert.equal((await request(all.entry.url + all.legacyPath)).body, '7:::1+0');
  assert.equal(all.entry.streams(), 0);
  await eventually(() => all.owner.streams() === 0, 'the other ends');
});

test('the entry is lost: the owner takes it for the loss of the clients', async (t) => {
  const { owner, entry, poll, legacyPoll, socket } = await waiting(t);
  const answers = Promise.allSettled([poll, legacyPoll, socket.closed()]);
  entry.node.stop();
  await eventually(() => owner.streams() === 0, 'the end of the streams');
  const { sessions } = owner.server.host;
  // A 0.9 client may come back with another poll.
  await eventually(() => sessions.filter(({ closed }) => closed[0] === 'transport_closed').length >= 1, 'the end');
  await answers;
});

test('the client server of the owner ends: clients are told', async (t) => {
  const all = await waiting(t);
  await all.owner.server.close();
  assert.equal((await all.poll).status, 503);
  assert.equal((await all.legacyPoll).body, '7:::1+0');
  assert.equal(await all.socket.closed(), 1001);
  assert.equal(all.owner.streams(), 0);
  await eventually(() => all.entry.streams() === 0, 'the other ends');
  // Nobody serves the sessions of that node, though it is there.
  assert.equal((await request(all.entry.url + all.path)).status, 400);
});

test('the client server of the entry ends: clients are told to turn elsewhere', async (t) => {
  const all = await waiting(t);
  const closing = all.entry.server.close();
  await told(all);
  await closing;
  await eventually(() => all.owner.streams() === 0, 'the other ends');
});

test('nodes that had lost each other relay again once they are connected', async (t) => {
  const all = await waiting(t);
  const { owner, entry } = all;
  assert.ok(entry.node.distribution.disconnect(owner.node.kernel.node));
  await told(all);
  await eventually(() => owner.streams() === 0 && owner.node.downs.length === 1, 'the loss at the other end');
  await entry.node.distribution.connect(owner.node.kernel.node);
  await eventually(() => owner.node.ups.length === 2, 'the connection');
  const [id] = (await request(`${owner.url}/socket.io/1/`)).body.split(':');
  assert.equal((await request(`${entry.url}/socket.io/1/xhr-polling/${id}`)).body, '1:::');
});

for (const which of ['owner', 'entry'] as const) {
  test(`the relay of the ${which} is restarted: open streams are lost, new ones are not`, async (t) => {
    const all = await waiting(t);
    const { kernel } = all[which].node;
    const relay = kernel.whereis(relayName)!;
    kernel.exit(relay, relay, 'kill');
    await eventually(() => kernel.whereis(relayName) === undefined, 'its end');
    await all[which].startRelay();
    await told(all);
    await eventually(() => all.owner.streams() + all.entry.streams() === 0, 'the end of the streams');
    const [id] = (await request(`${all.owner.url}/socket.io/1/`)).body.split(':');
    const socket = new RawSocket(`${all.entry.url}/socket.io/1/websocket/${id}`);
    assert.equal(await socket.next(), '1:::');
    socket.close();
  });
}
