/**
 * Three nodes are restarted one after the other while 50 numbers a second are published to clients of all transports. Old fault: all
 * sessions of a node that was stopped departed. With `HIVE_CROWD=500` more clients, and numbers that are printed.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import type { Finished } from '../support/hive-process.ts';
import { oldClients } from '../support/matrix-clients.ts';
import { missing } from '../support/programs.ts';
import { RedisServer } from '../support/redis.ts';
import type { RelayNode } from '../support/relay-cluster.ts';
import { ReturnCluster } from '../support/return-cluster.ts';
import { Rolling, type Step } from '../support/rolling.ts';
import { type ClientKind, SocketClient } from '../support/socket-clients.ts';

const skip = missing('redis-server');
const size = Number(process.env.HIVE_CROWD ?? 45);
/** Per second. */
const rate = size;

async function start(t: TestContext): Promise<Rolling> {
  const redis = await RedisServer.start();
  const scene = await ReturnCluster.start({}, { drain_rate: rate }, redis.port);
  const rolling = await Rolling.start(scene);
  t.after(async () => {
    await rolling.stop();
    await scene.stop();
    await redis.stop();
  });
  return rolling;
}

function report(t: TestContext, { openedMs, endedMs, backMs }: Step): void {
  const most = Math.max(0, ...openedMs.map((at) => openedMs.filter((one) => one >= at && one < at + 1000).length));
  t.diagnostic(
    `${openedMs.length} came back, at most ${most} in one second; ended ${endedMs} ms, all back ${backMs} ms`,
  );
}

/** Stopped in the middle of a drain. */
async function drained(node: RelayNode): Promise<Finished> {
  await node.api('POST', 'router/drain');
  return node.process.stop();
}

test('whoever can return hears everything once and in order, and nobody departs', { skip }, async (t) => {
  const rolling = await start(t);
  await rolling.enter(size);
  rolling.talk();
  for (let index = 0; index < 3; index += 1) {
    const step = await rolling.replace(index, index === 1 ? drained : undefined);
    report(t, step);
    // No storm: since the node was told to stop, never more connections than the rate allows.
    for (const [at, ms] of step.openedMs.entries()) assert.ok(at <= 1 + (ms / 1000) * rate, `${at} after ${ms} ms`);
  }
  await rolling.hush();
  const all = Array.from({ length: rolling.published }, (_, at) => at);
  for (const client of rolling.clients) {
    await eventually(() => client.firsts('news').length >= all.length, 'the last number', 30_000);
    assert.deepEqual(client.firsts('news'), all);
    assert.equal(client.connects.lastIndexOf(false), 0, 'recovered at every return');
    assert.equal(new Set(client.sids).size, 1);
  }
  assert.ok(rolling.clients.some(({ connects }) => connects.length > 1));
  assert.deepEqual([rolling.told('on_disconnect'), rolling.told('on_connect').length], [[], size]);
});

test('whoever cannot return departs exactly once', { skip }, async (t) => {
  const rolling = await start(t);
  await rolling.enter(Math.ceil(size / 2), { recovery: '0' });
  const kinds: readonly ClientKind[] = ['0.9 websocket', '0.9 xhr-polling'];
  const old = await Promise.all(
    Array.from({ length: Math.floor(size / 2) }, (_, at) =>
      SocketClient.connect(kinds[at % kinds.length]!, rolling.url),
    ),
  );
  const coming = oldClients(rolling.url);
  t.after(() => {
    for (const client of coming) client.disconnect();
  });
  for (const client of coming) await client.connected(1);
  rolling.talk();
  for (let index = 0; index < 3; index += 1) report(t, await rolling.replace(index));
  await rolling.hush();
  for (const client of old) await client.until(() => !client.connected, 'the end of an old client');
  for (const client of coming)
    await eventually(() => client.isConnected && client.connects > 1, 'an old client', 30_000);
  const present = new Set(rolling.clients.map(({ sids }) => sids.at(-1)));
  const gone = () => rolling.told('on_connect').filter((sid) => !present.has(sid));
  // Those that come back by themselves do not tell their present sessions.
  const away = () => gone().length - coming.length;
  await eventually(() => rolling.told('on_disconnect').length >= away(), 'all departures');
  assert.equal(rolling.told('on_disconnect').length, away());
  for (const client of coming) client.disconnect();
  // One that leaves while it changes its transport may not tell: its node notices by its silence.
  await eventually(() => rolling.told('on_disconnect').length >= gone().length, 'the last departures', 60_000);
  assert.deepEqual(rolling.told('on_disconnect').sort(), gone().sort());
});
