/** Users with several sessions, on several real nodes: each session is reached once, wherever it is, and there are no more than allowed. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { DefaultNode } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { userMetricNames } from '../support/metric-names.ts';
import { ask, metric } from '../support/operator.ts';
import { freePorts } from '../support/ports.ts';
import { missing } from '../support/programs.ts';
import { RedisServer } from '../support/redis.ts';
import { ReturnCluster } from '../support/return-cluster.ts';
import { SocketClient } from '../support/socket-clients.ts';

const names = ['one@127.0.0.1', 'two@127.0.0.1'];
type Pair = readonly [DefaultNode, DefaultNode];

async function start(t: TestContext, settings: object = {}): Promise<Pair> {
  const [epmd] = await freePorts(1);
  const begin = (name: string) =>
    DefaultNode.start((config) => {
      const others = names.filter((other) => other !== name);
      Object.assign(config.hive!, { name, epmd_port: epmd, cluster_nodes: others, mode: 'development' });
      Object.assign(config.clients!, { user: 'id', ...settings });
      Object.assign(config.clients!.hooks!, { who: [{ hook: 'utils.echo', args: null }] });
    });
  const nodes = (await Promise.all(names.map(begin))) as unknown as Pair;
  t.after(() => Promise.all(nodes.map((node) => node.stop())));
  for (const node of nodes) {
    await eventually(async () => (await metric(node, 'hive.cluster.size')) === 2, 'a cluster of two');
  }
  return nodes;
}

interface Outcome {
  readonly sessions: number;
  readonly failed: unknown[];
  readonly nodes: string[];
  readonly missing: string[];
}

const all = { failed: [], nodes: names, missing: [] };

/** What a node answers. */
async function call<Answer>(node: DefaultNode, method: string, path: string, body?: unknown): Promise<Answer> {
  const { status, json, text } = await ask(node, 'api', method, `/api/KEY/${path}`, body);
  assert.equal(status, 200, text);
  return json as Answer;
}

interface Listed {
  readonly sid: string;
  readonly user: string | null;
  readonly node: string;
}

async function sessions(node: DefaultNode, user: string): Promise<Listed[]> {
  return (await call<{ clients: Listed[] }>(node, 'GET', `users/sessions/${encodeURIComponent(user)}`)).clients;
}

/** A client of a node, whose state says who it is. */
async function login(node: DefaultNode, id: unknown): Promise<[SocketClient, string]> {
  const before = await call<{ clients: Listed[] }>(node, 'GET', 'clients');
  const client = await SocketClient.connect('4.8 websocket', node.url);
  const now = await call<{ clients: Listed[] }>(node, 'GET', 'clients');
  const sid = now.clients.find((one) => !before.clients.some((other) => other.sid === one.sid))!.sid;
  await call(node, 'POST', `clients/action/${sid}`, { action: 'store', args: { id } });
  // Behind that.
  await call(node, 'POST', `clients/event/${sid}`, { name: 'stored', args: [] });
  await client.event('stored');
  return [client, sid];
}

const heard = (client: SocketClient, name: string) => client.received.filter((event) => event.name === name).length;

test('all sessions of a user are listed, sent events, and ended, through any node', async (t) => {
  const [one, two] = await start(t);
  const [first, sidOfFirst] = await login(one, 'ann/ä');
  const [second] = await login(two, 'ann/ä');
  const [third] = await login(two, 'ann/ä');
  const [number] = await login(one, 7);
  const [stranger] = await login(one, 'bob');
  const [nobody, sidOfNobody] = await login(two, { odd: true });
  const listed = await sessions(two, 'ann/ä');
  assert.deepEqual(listed.map(({ node }) => node).sort(), [names[0], names[1], names[1]]);
  assert.ok(listed.every(({ user }) => user === 'ann/ä'));
  assert.deepEqual((await sessions(two, '7')).length, 1);
  const filtered = await call<{ clients: Listed[] }>(one, 'GET', 'clients?user=ann%2F%C3%A4&limit=2');
  assert.deepEqual(
    filtered.clients.map(({ sid }) => sid),
    listed.slice(0, 2).map(({ sid }) => sid),
  );
  const everybody = await call<{ clients: Listed[] }>(one, 'GET', 'clients');
  assert.equal(everybody.clients.find(({ sid }) => sid === sidOfNobody)?.user, null);
  assert.equal(await metric(two, 'clients.users.bad_ids'), 1);
  for (const path of userMetricNames) assert.notEqual(await metric(one, path), undefined, path);
  assert.deepEqual([await metric(one, 'clients.users.present'), await metric(one, 'clients.users.sessions')], [3, 3]);

  const path = 'users/event/ann%2F%C3%A4';
  assert.deepEqual(await call<Outcome>(two, 'POST', path, { name: 'news', args: [1] }), { sessions: 3, ...all });
  const orders = { action: 'send', args: { name: 'order', args: [2] } };
  const acted = await call<Outcome>(one, 'POST', 'users/action/ann%2F%C3%A4', orders);
  assert.deepEqual(acted, { sessions: 3, ...all });
  for (const client of [first, second, third]) {
    await client.event('order');
    assert.deepEqual([heard(client, 'news'), heard(client, 'order')], [1, 1]);
  }

  // Whoever becomes somebody else is somebody else at once.
  await call(two, 'POST', `clients/action/${sidOfFirst}`, { action: 'store', args: { id: 'bob' } });
  await call(two, 'POST', `clients/event/${sidOfFirst}`, { name: 'stored', args: [] });
  await eventually(() => heard(first, 'stored') === 2, 'the change');
  assert.deepEqual([(await sessions(one, 'ann/ä')).length, (await sessions(two, 'bob')).length], [2, 2]);
  await call(two, 'POST', `clients/action/${sidOfFirst}`, { action: 'store', args: { id: null } });
  await eventually(async () => (await sessions(two, 'bob')).length === 1, 'the log-out');

  const ended = await call<Outcome>(one, 'POST', 'users/disconnect/ann%2F%C3%A4');
  assert.deepEqual(ended, { sessions: 2, ...all });
  for (const client of [second, third]) await client.until(() => !client.connected, 'the end of a session');
  await eventually(async () => (await sessions(one, 'ann/ä')).length === 0, 'the end of all sessions');
  assert.ok([first, number, stranger, nobody].every((client) => client.connected));
  await call(one, 'POST', `clients/disconnect/${sidOfNobody}`);
  await nobody.until(() => !nobody.connected, 'the end of nobody');

  await two.process.stop('SIGKILL');
  await eventually(async () => {
    const outcome = await call<Outcome>(one, 'POST', 'users/event/bob', { name: 'news', args: [] });
    return outcome.sessions === 1 && outcome.missing.includes(names[1]!);
  }, 'the loss of a node');
});

test('a user has no more sessions than allowed: the new one is refused, and its state stays as it was', async (t) => {
  const [one, two] = await start(t, { max_sessions_per_user: 2 });
  await login(one, 'ann');
  await login(two, 'ann');
  const [third, sid] = await login(two, 'ann');
  const refused = await third.event<{ error: string }>('hive_error');
  assert.equal(refused.error, 'limit_exceeded');
  assert.equal((await sessions(one, 'ann')).length, 2);
  const { json } = await ask(two, 'monitor', 'GET', `/monitor/KEY/clients/${sid}`);
  assert.deepEqual((json as { state: unknown }).state, {});
  assert.equal(await metric(two, 'clients.users.refused'), 1);
  // What changes nothing about whose it is costs no question.
  await call(two, 'POST', `clients/action/${sid}`, { action: 'store', args: { id: 'bob', x: 1 } });
  await eventually(async () => (await sessions(one, 'bob')).length === 1, 'another user');
});

test('or the oldest one gives way, on whichever node it is', async (t) => {
  const [one, two] = await start(t, { max_sessions_per_user: 1, surplus_session: 'replace' });
  const [first] = await login(one, 'ann');
  const [second, sid] = await login(two, 'ann');
  await first.until(() => !first.connected, 'the end of the oldest');
  await eventually(async () => (await sessions(one, 'ann')).length === 1, 'the table');
  assert.equal((await sessions(one, 'ann'))[0]!.sid, sid);
  assert.ok(second.connected);
  assert.equal(await metric(two, 'clients.users.replaced'), 1);
  // Of many at once one stays.
  const many = await Promise.all(
    Array.from({ length: 6 }, (_, at) => SocketClient.connect('4.8 websocket', [one, two][at % 2]!.url)),
  );
  const { clients } = await call<{ clients: Listed[] }>(one, 'GET', 'clients');
  const store = { action: 'store', args: { id: 'bob' } };
  const free = clients.filter(({ user }) => user === null);
  assert.equal(free.length, many.length);
  await Promise.all(free.map((row, at) => call([one, two][at % 2]!, 'POST', `clients/action/${row.sid}`, store)));
  await eventually(async () => (await sessions(two, 'bob')).length === 1, 'one of them');
  await eventually(() => many.filter(({ connected }) => connected).length === 1, 'the end of the others');
});

for (const state of ['sm.local', 'sm.redis']) {
  const settings = {
    state_manager: state,
    initial_value: {},
    args: state === 'sm.redis' ? { connector: 'redis' } : null,
  };
  test(`a session that goes on at another node is still its user's: ${state}`, {
    skip: missing('redis-server'),
  }, async (t) => {
    const redis = await RedisServer.start();
    const scene = await ReturnCluster.start({}, undefined, redis.port, settings, { user: 'id' });
    t.after(async () => {
      await scene.stop();
      await redis.stop();
    });
    const [owner, other] = scene.nodes;
    const one = await scene.client(t, owner!.port);
    await one.call(0, `clients/action/${one.sid}`, [{ action: 'store', args: { id: 'ann' } }]);
    let number = 0;
    const reached: number[] = [];
    const outcome = async (at: number) => {
      number += 1;
      const own = number;
      const event = { name: 'news', args: [own] };
      const answer = await scene.nodes[at]!.api('POST', 'users/event/ann', JSON.stringify(event));
      const told = (await answer.json()) as Outcome;
      if (told.sessions === 1) reached.push(own);
      return told;
    };
    await eventually(async () => (await outcome(1)).sessions === 1, 'the user');
    await one.away(other!.port, async () => {
      await owner!.process.stop('SIGKILL');
      await eventually(async () => (await outcome(2)).sessions === 1, 'the adoption', 20_000);
      assert.equal((await outcome(1)).sessions, 1);
    });
    assert.equal((await outcome(1)).sessions, 1);
    // One before, two while it was away, and one since.
    assert.equal(reached.length, 4);
    await eventually(() => one.client.firsts('news').length >= reached.length, 'all events');
    assert.deepEqual(one.client.firsts('news'), reached);
    assert.equal(one.client.connects.at(-1), true, 'it has recovered');
  });
}
