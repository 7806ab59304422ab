/**
 * State in Redis of sessions that outlive their node: it moves with them. Old fault: a node that came back after it had stood still
 * changed and deleted the state that another one went on with, and ran a hook for the session.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { missing } from '../support/programs.ts';
import { RedisServer } from '../support/redis.ts';
import { undocumented } from '../support/redis-keys.ts';
import type { RelayNode as Node } from '../support/relay-cluster.ts';
import { type ClientOfCluster, ReturnCluster } from '../support/return-cluster.ts';

const skip = missing('redis-server');
const inRedis = { state_manager: 'sm.redis', initial_value: { nick: null, seen: 0 }, args: { connector: 'redis' } };

async function start(t: TestContext): Promise<[ReturnCluster, RedisServer]> {
  const redis = await RedisServer.start();
  const scene = await ReturnCluster.start({}, undefined, redis.port, inRedis);
  t.after(async () => {
    await scene.stop();
    await redis.stop();
  });
  return [scene, redis];
}

function store(one: ClientOfCluster, at: number, args: object): Promise<void> {
  return one.call(at, `clients/action/${one.sid}`, [{ action: 'store', args }]);
}

/** The states that are stored. */
function states(redis: RedisServer): Promise<Record<string, string>[]> {
  return redis.query(async (client) => {
    const keys = await client.keys('*:state:*');
    return Promise.all(keys.filter((key) => !key.endsWith(':epoch')).map((key) => client.hgetall(key)));
  });
}

test('a node is killed: the state of its sessions is at their next node, is changed there, and gone at the end', {
  skip,
}, async (t) => {
  const [scene, redis] = await start(t);
  const [owner, other] = scene.nodes as [Node, Node];
  const one = await scene.client(t, owner.port);
  const stays = await scene.client(t, owner.port);
  await store(one, 0, { nick: 'ann' });
  await one.send(0);
  await one.away(other.port, async () => {
    await owner.process.stop('SIGKILL');
  });
  await store(one, 1, { seen: 1 });
  assert.deepEqual((await states(redis)).map(({ nick }) => nick).sort(), ['"ann"', 'null']);
  await one.leave();
  const last = JSON.parse(scene.backEnd.asked.at(-1)!.body) as { state: unknown };
  assert.deepEqual(last.state, { nick: 'ann', seen: 1 });
  await eventually(async () => (await states(redis)).length === 1, 'the end of its state');
  const keys = () => redis.query((client) => client.keys('*'));
  assert.deepEqual(undocumented(await keys()), []);
  // Nobody has brought its client back.
  stays.proxy.mend(other.port);
  await stays.back();
  await stays.leave();
  await eventually(async () => (await states(redis)).length === 0, 'the end of all states');
  // Of sessions nothing else is left than what expires.
  const expires = /:(?:secret|owners|lease:[^:]+|gone|epoch|journal|last|kept)$/;
  await eventually(async () => (await keys()).every((key) => expires.test(key)), 'the end of all records');
  for (const { process } of scene.nodes.slice(1)) await process.stop();
  await eventually(
    async () => (await keys()).every((key) => /:(?:secret|gone|epoch|journal|last|kept)$/.test(key)),
    'the end of the rest',
  );
  for (const key of (await keys()).filter((left) => !left.endsWith(':secret'))) {
    assert.ok((await redis.query((client) => client.pttl(key))) > 0, key);
  }
});

test('a node that comes back after its lease leaves the state to the other one that goes on with it, and passes on what it is asked', {
  skip,
}, async (t) => {
  const [scene, redis] = await start(t);
  const [owner, ...others] = scene.nodes as [Node, Node, Node];
  const one = await scene.client(t, owner.port);
  await store(one, 0, { nick: 'ann' });
  await one.send(0);
  owner.process.signal('SIGSTOP');
  // The kernel takes it, and the node reads it when it goes on.
  const queued = store(one, 0, { seen: 1 });
  const claimed = () => Promise.all(others.map((node) => node.metric('clients.durable.claimed')));
  await eventually(async () => (await claimed()).includes(1), 'the claim', 15_000);
  const next = others[(await claimed()).indexOf(1)]!;
  await one.away(next.port);
  await store(one, next.index, { nick: 'bob' });
  owner.process.signal('SIGCONT');
  // Old fault: it was answered, and what it asked for was lost.
  await queued;
  // It has learned of its loss, and ended the session without a word.
  await eventually(async () => (await owner.metric('clients.durable.claims_lost')) === 1, 'the loss to be known');
  await eventually(async () => (await owner.metric('clients.durable.sessions')) === 0, 'the end of the session there');
  assert.deepEqual(await states(redis), [{ nick: '"bob"', seen: '1' }]);
  // Old fault: its former node, which others ask first, did not know it any more.
  await store(one, 3 - next.index, { seen: 2 });
  await one.leave();
  assert.deepEqual(
    one.told.map((line) => line.split(' ')[0]),
    ['on_connect', 'on_suspend', 'on_recover', 'on_disconnect'],
  );
  const last = JSON.parse(scene.backEnd.asked.at(-1)!.body) as { state: unknown };
  assert.deepEqual(last.state, { nick: 'bob', seen: 2 });
  await eventually(async () => (await states(redis)).length === 0, 'the end of its state');
});
