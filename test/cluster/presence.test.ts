/** Who is in a channel, as real nodes know it: by the API, a hook and events; when a node is killed, with sessions that go on and without. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { DefaultNode } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { presenceMetricNames } from '../support/metric-names.ts';
import { ask, metric } from '../support/operator.ts';
import { freePorts } from '../support/ports.ts';
import { missing } from '../support/programs.ts';
import { RedisServer } from '../support/redis.ts';
import { type ClientOfCluster, ReturnCluster } from '../support/return-cluster.ts';
import { ReturningClient } from '../support/returning-client.ts';

const names = ['one@127.0.0.1', 'two@127.0.0.1'];

interface Listed {
  readonly members: { readonly sid: string; readonly user: string | null; readonly info: Record<string, unknown> }[];
  readonly cursor: string | null;
  readonly sessions: number;
  readonly users: number;
  readonly version: string;
  readonly missing: string[];
}

async function start(t: TestContext): Promise<readonly [DefaultNode, DefaultNode]> {
  const [epmd] = await freePorts(1);
  const begin = (name: string) =>
    DefaultNode.start((config) => {
      const others = names.filter((other) => other !== name);
      Object.assign(config.hive!, { name, epmd_port: epmd, cluster_nodes: others });
      Object.assign(config.clients!, { user: 'id' });
      Object.assign(config.clients!.hooks!, { who: [{ hook: 'pubsub.presence', args: 'public' }] });
      const presence = { info: ['nick'], events: true };
      Object.assign(config.pubsub!.channels!, { room: { privilege: 'public', timeout: 1000, presence } });
    });
  const nodes = (await Promise.all(names.map(begin))) as [DefaultNode, DefaultNode];
  t.after(() => Promise.all(nodes.map((node) => node.stop())));
  for (const node of nodes) {
    await eventually(async () => (await metric(node, 'hive.cluster.size')) === 2, 'a cluster of two');
  }
  return nodes;
}

/** Somebody of that name, in `room.a`. */
async function enter(t: TestContext, node: DefaultNode, id: string): Promise<ReturningClient> {
  const client = new ReturningClient(node.url, { query: { recovery: '0' } });
  t.after(() => client.stop());
  await client.connected();
  const call = async (path: string, body: unknown) => {
    const answer = await ask(node, 'api', 'POST', `/api/KEY/${path}/${client.sids[0]}`, body);
    assert.equal(answer.status, 200, answer.text);
  };
  await call('clients/action', { action: 'store', args: { id, nick: `${id}!`, secret: 1 } });
  await call('pubsub/subscribe', ['room.a']);
  return client;
}

async function list(node: DefaultNode, query = ''): Promise<Listed> {
  const { status, json, text } = await ask(node, 'api', 'GET', `/api/KEY/pubsub/presence/room.a${query}`);
  assert.equal(status, 200, text);
  return json as Listed;
}

const nicks = ({ members }: Listed): unknown[] => members.map(({ info }) => info.nick).sort();

test('all nodes list who is in a channel, clients ask for it, and are told what changes', async (t) => {
  const [one, two] = await start(t);
  const ann = await enter(t, one, 'ann');
  const bob = await enter(t, two, 'bob');
  await enter(t, two, 'ann');
  const all = ['ann!', 'ann!', 'bob!'];
  for (const node of [one, two]) {
    await eventually(async () => `${nicks(await list(node))}` === `${all}`, 'everybody');
    const { sessions, users, members, missing: away } = await list(node);
    assert.deepEqual([sessions, users, away], [3, 2, []]);
    assert.deepEqual(
      members.find(({ sid }) => sid === bob.sids[0]),
      { sid: bob.sids[0], user: 'bob', info: { nick: 'bob!' } },
    );
  }
  const first = await list(one, '?limit=2');
  const second = await list(one, `?limit=2&cursor=${first.cursor}`);
  assert.deepEqual([first.members.length, second.members.length, second.cursor], [2, 1, null]);
  const counted = (await list(two, '?count=true')) as unknown as Record<string, unknown>;
  assert.deepEqual([counted.sessions, counted.members, counted.cursor], [3, undefined, undefined]);
  for (const path of presenceMetricNames) assert.ok((await metric(two, path))! > 0, path);

  const answer = (await ann.socket.timeout(5000).emitWithAck('who', 'room.a', { limit: 1 })) as Listed;
  assert.deepEqual([answer.members.length, answer.sessions], [1, 3]);

  // What is heard behind a list leads to the next one.
  const known = new Map((await list(one)).members.map((row) => [row.sid, row]));
  ann.socket.on('presence', ({ joined, left, changed }: Record<string, Listed['members']>) => {
    for (const row of [...joined!, ...changed!]) known.set(row.sid, row);
    for (const { sid } of left!) known.delete(sid);
  });
  const cid = await enter(t, two, 'cid');
  bob.socket.disconnect();
  await ask(one, 'api', 'POST', `/api/KEY/clients/action/${cid.sids[0]}`, { action: 'store', args: { nick: 'Cid' } });
  const now = () => [...known.values()].map(({ info }) => info.nick).sort();
  await eventually(() => `${now()}` === 'Cid,ann!,ann!', 'the changes');
  assert.deepEqual(nicks(await list(one)), now());
  assert.ok(!JSON.stringify([...known.values()]).includes('secret'));

  await two.process.stop('SIGKILL');
  await eventually(async () => (await list(one)).missing.includes(names[1]!), 'the loss of a node');
  await eventually(() => `${now()}` === 'ann!', 'the departures', 15_000);
  assert.deepEqual(nicks(await list(one)), ['ann!']);
});

for (const how of ['SIGKILL', 'SIGTERM'] as const) {
  test(`who goes on at another node is there all the time: ${how}`, { skip: missing('redis-server') }, async (t) => {
    const redis = await RedisServer.start();
    const settings = { state_manager: 'sm.redis', initial_value: {}, args: { connector: 'redis' } };
    const presence = { info: ['nick'], events: true };
    const scene = await ReturnCluster.start({}, undefined, redis.port, settings, { lease: 1000, user: 'id', presence });
    t.after(async () => {
      await scene.stop();
      await redis.stop();
    });
    const [owner, other, third] = scene.nodes;
    const moving = await scene.client(t, owner!.port);
    const watcher = await scene.client(t, other!.port);
    const in_ = (one: ClientOfCluster) => one.call(2, `pubsub/subscribe/${one.sid}`, ['room.all']);
    await in_(moving);
    await in_(watcher);
    await moving.call(2, `clients/action/${moving.sid}`, [{ action: 'store', args: { id: 'ann', nick: 'Ann' } }]);
    const shown = async () => {
      const answer = await third!.api('GET', 'pubsub/presence/room.all');
      const { members } = (await answer.json()) as Listed;
      return members.map(({ sid, user, info }) => [sid, user, info.nick]).sort();
    };
    const expected = [
      [moving.sid, 'ann', 'Ann'],
      [watcher.sid, null, undefined],
    ].sort();
    await eventually(async () => JSON.stringify(await shown()) === JSON.stringify(expected), 'both');
    const told: string[] = [];
    let isWatched = true;
    watcher.client.socket.on('presence', ({ left, version }: { left: { sid: string }[]; version: string }) => {
      if (left.length > 0) told.push(`${version}: ${left.map(({ sid }) => sid)}`);
    });
    const watching = (async () => {
      while (isWatched) {
        const sids = (await shown()).map(([sid]) => sid);
        if (!sids.includes(moving.sid)) told.push('not listed');
      }
    })();
    await moving.away(other!.port, async () => {
      await owner!.process.stop(how);
    });
    assert.equal(moving.client.connects.at(-1), true, 'it has recovered');
    await eventually(async () => JSON.stringify(await shown()) === JSON.stringify(expected), 'both again');
    // Until what was known of the node that has gone is forgotten.
    const due = performance.now() + 8000;
    await eventually(() => performance.now() > due, 'the end of the grace', 15_000);
    isWatched = false;
    await watching;
    assert.deepEqual(told, []);
    assert.deepEqual(await shown(), expected);
  });
}
