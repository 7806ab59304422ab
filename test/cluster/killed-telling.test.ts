/** Nodes are killed, and Redis and the back end fail, while nodes that are gone are followed: who goes on, and who departs, once. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DurableCrowd } from '../support/durable-crowd.ts';
import { eventually } from '../support/eventually.ts';
import { missing } from '../support/programs.ts';

const skip = missing('redis-server');
const patienceMs = 30_000;

interface Departure {
  readonly sid: string;
  readonly node: string;
}

test('who tells departures is killed, and then the last one: each is told, again only if it was under way', {
  skip,
}, async (t) => {
  const crowd = await DurableCrowd.start(t, { nodes: 3 });
  const { backEnd, cluster } = crowd.scene;
  const loyal = await crowd.enter(40);
  const leaving = await crowd.enterOnce(120);
  await crowd.publish(3, 0, 1);
  await crowd.haveAll();
  // The back end has answered some, and then answers nobody until both that tell have asked.
  const held = new Map<string, string>();
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  backEnd.answers.set('/on_disconnect', async ({ body }) => {
    const { sid, node } = JSON.parse(body) as Departure;
    if (crowd.told('on_disconnect').length <= 20) return {};
    held.set(sid, node);
    await released;
    return {};
  });
  await crowd.kill(0);
  const [, first] = await eventually(() => [...held][0], 'a departure that is not answered', patienceMs);
  // Sessions that go on have all that was kept for them: not every node can be asked for that any more.
  await crowd.settled(loyal.map(({ sids }) => sids[0]!));
  const telling = Number(/^relay(\d)@/.exec(first)![1]);
  const left = 3 - telling;
  await crowd.kill(telling);
  const underWay = [...held].filter(([, node]) => node === first).map(([sid]) => sid);
  release();
  crowd.lead(left);
  await crowd.back(1, loyal);
  const told = () => crowd.told('on_disconnect');
  const ofAll = () => new Set(told().map(({ sid }) => sid)).size === leaving.length;
  await eventually(ofAll, 'all departures', patienceMs);
  const times = (sid: string) => told().filter((one) => one.sid === sid).length;
  await eventually(() => underWay.every((sid) => times(sid) > 1), 'those that were under way', patienceMs);
  // What it told has an end: everything that the last node has is told.
  await eventually(async () => (await crowd.nodes[left]!.metric('clients.departures.waiting')) === 0, 'no departures');
  for (const { sid, key, trigger } of told()) {
    assert.deepEqual([leaving.includes(sid), key, trigger], [true, `${sid}/end`, 'node_lost']);
    if (times(sid) > 1) assert.ok(held.has(sid), `${sid} was told ${times(sid)} times, and answered the first time`);
  }

  const late = await crowd.enterOnce(10);
  await crowd.publish(3, left);
  await crowd.haveAll(loyal);
  const before = told().length;
  await crowd.kill(left);
  await cluster.restart(0, 1, 2);
  crowd.lead(0, 1, 2);
  await crowd.back(2, loyal);
  await cluster.meshed(3);
  await crowd.publish(3, 0, 1, 2);
  await crowd.haveAll(loyal);
  await eventually(() => told().length >= before + late.length, 'the last departures', patienceMs);
  const last = told().slice(before);
  assert.deepEqual(last.map(({ sid }) => sid).sort(), late.sort());
});

test('two of three nodes are killed at once while the back end is down: departures wait for it, all others go on', {
  skip,
}, async (t) => {
  const crowd = await DurableCrowd.start(t, { nodes: 3 });
  const { backEnd } = crowd.scene;
  crowd.lead(0, 1);
  const loyal = await crowd.enter(40);
  const leaving = await crowd.enterOnce(60);
  await crowd.publish(4, 0, 1, 2);
  await crowd.haveAll();
  await backEnd.goAway();
  await crowd.kill(0, 1);
  await crowd.publish(3, 2);
  crowd.lead(2);
  await crowd.back(1, loyal);
  const waiting = () => crowd.nodes[2]!.metric('clients.departures.waiting');
  await eventually(async () => (await waiting()) === leaving.length, 'departures to wait', patienceMs);
  await backEnd.comeBack();
  await crowd.departed(leaving, patienceMs);
  await eventually(async () => (await waiting()) === 0, 'no departures to wait');
  await crowd.publish(3, 2);
  await crowd.haveAll(loyal);
  await crowd.departed(leaving, patienceMs);
});

test('Redis is killed and started again while sessions are adopted: each goes on, or departs, once', {
  skip,
}, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'hive-redis-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const persistent = ['--dir', dir, '--appendonly', 'yes', '--appendfsync', 'always'];
  const crowd = await DurableCrowd.start(t, { nodes: 3, window: 5000 }, false, persistent);
  const loyal = await crowd.enter(150);
  const leaving = await crowd.enterOnce(50);
  await crowd.publish(3, 0, 1);
  await crowd.haveAll();
  await crowd.kill(0);
  crowd.lead(1, 2);
  await eventually(
    async () => [...(await crowd.records()).values()].some(({ epoch }) => epoch > 0),
    'the first claim',
    patienceMs,
  );
  await crowd.redis.stop('SIGKILL');
  await crowd.redis.start();
  await crowd.departed(leaving, patienceMs);
  // Who asks while Redis is away does not wait for it, and is a new client: the former session departs.
  for (const client of loyal) await client.connected(2, 60_000);
  const strangers = loyal.filter(({ socket }) => !socket.recovered).map(({ sids }) => sids[0]!);
  await crowd.departed([...leaving, ...strangers], patienceMs);
  await crowd.publish(3, 1, 2);
  const former = loyal.filter(({ socket }) => socket.recovered);
  await crowd.haveAll(former);
});
