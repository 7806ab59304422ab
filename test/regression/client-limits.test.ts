/**
 * What one client could have without end: an event whose back end adds hooks to that very event doubled them with each run,
 * dispatched events ran 2^16 hooks, subscriptions and the channels that they leave behind had no limit, nor had packets. Hooks
 * could be added to events of ever new names, each of which had metrics of its own for good.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Clients, startClients } from '../support/clients.ts';
import { DefaultNode } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { pubSubNode } from '../support/pubsub.ts';
import { RawSocket, request } from '../support/raw-client.ts';
import { startRelayPair } from '../support/relay-pair.ts';

const post = { hook: 'hp.post', args: { connector: 'backend', endpoint: '/' } };
const event = (name: string) => ({ type: 'event', name, argsJson: '[]', args: [], id: undefined }) as never;
const answer = (order: unknown) => ({ status: 200, body: JSON.stringify(order) });

async function codesOf(clients: Clients, names: readonly string[]): Promise<{ codes: unknown[]; texts: unknown[] }> {
  const { session, sink } = await clients.connect();
  for (const name of names) session.receive(event(name));
  await clients.settled(session, sink);
  return { codes: sink.errors.map(({ error }) => error), texts: sink.errors.map(({ description }) => description) };
}

test('an event whose back end adds hooks to it has no more of them than may be, and goes on with those', async () => {
  const clients = await startClients({
    clients: { max_hooks_per_event: 4, hooks: { grow: [post] } },
    hive: { mode: 'development' },
    answer: () => answer({ action: 'add', args: { grow: [post] }, trigger_id: '' }),
  });
  try {
    // 1, 2 and 4 hooks run; of the four, the first finds no more room.
    const { codes, texts } = await codesOf(clients, ['grow', 'grow', 'grow', 'grow']);
    assert.deepEqual(codes, ['limit_exceeded', 'limit_exceeded']);
    assert.match(String(texts[0]), /4 hooks \(clients\.max_hooks_per_event\)/);
    assert.equal(clients.services.asked.length, 1 + 2 + 1 + 1);
  } finally {
    clients.close();
  }
});

test('what one event dispatches runs no more hooks than one event may have', async () => {
  const clients = await startClients({
    clients: { max_hooks_per_event: 10, hooks: { tree: [post, post] } },
    hive: { mode: 'development' },
    answer: () => answer({ action: 'dispatch', args: { name: 'tree', args: [] }, trigger_id: '' }),
  });
  try {
    const { codes } = await codesOf(clients, ['tree']);
    assert.deepEqual(codes, ['limit_exceeded']);
    // One hook each of the event that came and of the five that it may dispatch.
    assert.equal(clients.services.asked.length, 6);
  } finally {
    clients.close();
  }
});

test('a client has hooks for so many events besides the configured ones, and those go on', async () => {
  let asked = 0;
  const clients = await startClients({
    clients: { max_added_events: 2, hooks: { grow: [post] } },
    hive: { mode: 'development' },
    answer() {
      asked += 1;
      const args = asked === 1 ? { a: [post], b: [post], none: [] } : { a: [post], [`new${asked}`]: [post] };
      return answer({ action: 'add', args, trigger_id: '' });
    },
  });
  try {
    const { codes, texts } = await codesOf(clients, ['grow', 'grow', 'a', 'new2']);
    assert.deepEqual(codes, ['limit_exceeded', 'limit_exceeded']);
    // With `ping`, which is configured for every client of these tests.
    assert.match(String(texts[0]), /4 events, .*clients\.max_added_events/);
    assert.equal(clients.services.asked.length, 3);
  } finally {
    clients.close();
  }
});

test('events of ever new names share their metrics beyond the first thousand names', async () => {
  const get = { hook: 'hp.get', args: { connector: 'backend', endpoint: '/' } };
  let asked = 0;
  const clients = await startClients({
    clients: { hooks: { grow: [post], configured: [get] } },
    answer({ request }) {
      asked += 1;
      if (request.method === 'GET') return answer([]);
      const names = Array.from({ length: 600 }, (_, at) => `${asked}-${at}`);
      return answer({ action: 'add', args: Object.fromEntries(names.map((name) => [name, [get]])), trigger_id: '' });
    },
  });
  try {
    // Of two clients, as one may not have so many.
    await codesOf(clients, ['grow', '1-599', 'configured']);
    const before = clients.services.metrics.values('clients.hooks').length;
    await codesOf(clients, ['grow', '4-0', '4-599', '4-599']);
    assert.equal(clients.metric('clients.hooks.others.calls'), 2);
    assert.equal(clients.metric('clients.hooks.others.hp.get'), 2);
    assert.equal(clients.metric('clients.hooks.4-0.hp.get'), 1);
    assert.equal(clients.metric('clients.hooks.configured.calls'), 1);
    const names = clients.services.metrics.values('clients.hooks').map(([path]) => path.split('.')[2]);
    assert.ok(before < names.length);
    assert.equal(new Set(names.filter((name) => /^\d+-/.test(name!))).size, 1000 - 3);
  } finally {
    clients.close();
  }
});

const exceeded = (key: string) => ({ code: 'limit_exceeded', message: new RegExp(`pubsub\\.${key}`) });

test('a client is subscribed to so many channels; those that it has do not count again', async (t) => {
  const { pubsub, client } = await pubSubNode(t, undefined, { max_subscriptions_per_client: 3 });
  const [one, other] = [await client(), await client()];
  await pubsub.join(one, ['news.1', 'news.2'], 'public');
  const full = exceeded('max_subscriptions_per_client');
  await assert.rejects(pubsub.join(one, ['news.3', 'news.4'], 'public'), full);
  assert.deepEqual(pubsub.channelsOf(one), ['news.1', 'news.2']);
  await pubsub.join(one, ['news.1', 'news.2', 'news.3'], 'public');
  await assert.rejects(pubsub.join(one, ['news.4'], 'private'), full);
  await pubsub.join(other, ['news.4'], 'public');
  await pubsub.leave(one, ['news.2'], 'public');
  await pubsub.join(one, ['news.4', 'news.4'], 'public');
});

test('channels that a client has opened count for it as long as they are there', async (t) => {
  const { pubsub, client } = await pubSubNode(t, undefined, { max_channels_per_client: 2 });
  const [one, other] = [await client(), await client()];
  for (const id of ['news.1', 'news.2']) {
    await pubsub.join(one, [id], 'public');
    await pubsub.leave(one, [id], 'public');
  }
  await assert.rejects(pubsub.join(one, ['news.3'], 'public'), exceeded('max_channels_per_client'));
  // What somebody else has opened is free, and so are those that are there.
  await pubsub.join(other, ['news.3'], 'public');
  await pubsub.join(one, ['news.1', 'news.2', 'news.3'], 'public');
  // These go by themselves.
  await pubsub.join(other, ['brief.1'], 'public');
  await assert.rejects(pubsub.join(other, ['brief.2'], 'public'), exceeded('max_channels_per_client'));
  await pubsub.leave(other, ['brief.1'], 'public');
  await eventually(
    () =>
      pubsub.join(other, ['brief.2'], 'public').then(
        () => true,
        () => false,
      ),
    'the end of the empty channel',
  );
});

test('packets of relayed clients are counted by the node that owns them', async (t) => {
  const { owner, entry } = await startRelayPair(t, { socketio: { max_packets_per_second: 1 } });
  const polling = '/socket.io/?EIO=4&transport=polling';
  const { sid } = JSON.parse((await request(owner.url + polling)).body.slice(1));
  assert.equal((await request(`${entry.url}${polling}&sid=${sid}`, { method: 'POST', body: '40' })).body, 'ok');
  const session = await owner.server.host.session();
  const body = Array(10).fill('42["x"]').join('\x1e');
  assert.equal((await request(`${entry.url}${polling}&sid=${sid}`, { method: 'POST', body })).status, 400);
  assert.deepEqual(session.closed, ['too_many_packets']);
  const id = (await request(`${owner.url}/socket.io/1/`)).body.split(':')[0];
  const raw = new RawSocket(`${entry.url}/socket.io/1/websocket/${id}`);
  assert.equal(await raw.next(), '1:::');
  for (let n = 0; n < 11; n += 1) raw.send('5:::{"name":"x"}');
  assert.equal(await raw.closed(), 1008);
});

test('a client of a node as it comes may send 10,000 packets at once, and not many more', async () => {
  const node = await DefaultNode.start(({ clients }) => {
    Object.assign(clients!.hooks!, { echo: [{ hook: 'utils.echo', args: null }] });
  });
  try {
    const raw = await new RawSocket(`${node.url}/socket.io/?EIO=4&transport=websocket`).opened();
    raw.send('40');
    await eventually(() => raw.messages.length === 2, 'the client');
    for (let n = 0; n < 9_990; n += 1) raw.send('6');
    raw.send('42["echo","still here"]');
    assert.match(
      (await eventually(() => raw.messages.find((text) => text.startsWith('42')), 'the echo'))!,
      /still here/,
    );
    for (let n = 0; n < 20_000; n += 1) raw.send('6');
    assert.equal(await raw.closed(), 1008);
  } finally {
    await node.stop();
  }
});
