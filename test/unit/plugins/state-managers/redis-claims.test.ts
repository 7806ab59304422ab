/**
 * State of sessions that change their node, in a real Redis. Old fault: a node that had stood still while another one went on with its
 * session changed and deleted the state that was the other one's.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { redisStateManager } from '../../../../src/plugins/state-managers/redis/redis.ts';
import type { StateManager } from '../../../../src/plugins/types.ts';
import { type Connectors, startConnectors } from '../../../support/connectors.ts';
import { missing } from '../../../support/programs.ts';
import type { RedisServer } from '../../../support/redis.ts';
import { say, startCluster } from '../../../support/redis-sets.ts';

const skip = missing('redis-server');
const ttlMs = 60_000;
let nodes: RedisServer[];
let connectors: Connectors;
let manager: StateManager;
let sids = 0;

// What belongs to one session must be in one slot.
before(async () => {
  if (skip) return;
  nodes = await startCluster(2);
  const args = { cluster: [`127.0.0.1:${nodes[0]!.port}`], reconnect_timeout: 100, max_reconnect_timeout: 5000 };
  connectors = await startConnectors({ pools: { db: { connector: 'connector.redis', size: 1, overflow: 1, args } } });
  manager = redisStateManager.create({ connector: 'db', expiration_timeout: ttlMs }, connectors.services);
});

after(async () => {
  await connectors?.close();
  await Promise.all(nodes?.map((node) => node.stop()) ?? []);
});

function newSid(): string {
  sids += 1;
  return `sid${sids}`;
}

async function run(...command: [string, ...(string | number)[]]): Promise<unknown> {
  const [reply] = await connectors.pools.get<unknown, unknown[]>('db').request({ commands: [command] });
  return reply;
}

/** What is stored of a session: its hash, and the epoch that is remembered. */
async function stored(sid: string): Promise<[unknown, unknown]> {
  return [await run('hgetall', `hive:test:state:${sid}`), await run('get', epochKey(sid))];
}

function epochKey(sid: string): string {
  return `{hive:test:state:${sid}}:epoch`;
}

const claim = (epoch: number) => ({ epoch });
const lost = { code: 'stopped', message: 'Another node has the session.' };

test('a session that nobody has claimed leaves nothing behind', { skip }, async () => {
  const sid = newSid();
  const state = await manager.open(sid, { a: 1 }, claim(0));
  await state.set({ b: [2] });
  assert.deepEqual(await stored(sid), [{ a: '1', b: '[2]' }, null]);
  const left = Number(await run('pttl', `hive:test:state:${sid}`));
  assert.ok(left > ttlMs - 5000 && left <= ttlMs, `${left}`);
  await state.cleanup();
  assert.deepEqual(await stored(sid), [{}, null]);
});

test('the state moves with the session: its former owner neither changes nor deletes it', { skip }, async () => {
  const sid = newSid();
  const former = await manager.open(sid, { a: 1 }, claim(0));
  await former.set({ b: 2 });
  const next = await manager.adopt!(sid, claim(1));
  assert.deepEqual(await next.get(), { a: 1, b: 2 });
  await next.set({ a: 3 });
  await assert.rejects(async () => former.set({ a: 4 }), lost);
  // What is in doubt is written as a whole.
  await assert.rejects(async () => former.set({ a: 5 }), lost);
  await assert.rejects(async () => former.cleanup(), lost);
  await assert.rejects(async () => manager.open(sid, {}, claim(0)), lost);
  await assert.rejects(async () => manager.adopt!(sid, claim(0)), lost);
  assert.deepEqual(await stored(sid), [{ a: '3', b: '2' }, '1']);
});

test('a former owner does not bring back the state of a session that has ended, for an hour', { skip }, async () => {
  const sid = newSid();
  const former = await manager.open(sid, { a: 1 }, claim(0));
  const next = await manager.adopt!(sid, claim(1));
  await next.cleanup();
  await assert.rejects(async () => former.set({ a: 2 }), lost);
  assert.deepEqual(await stored(sid), [{}, '1']);
  const left = Number(await run('pttl', epochKey(sid)));
  assert.ok(left > 3_590_000 && left <= 3_600_000, `${left}`);
});

test('what Redis has lost is written anew, and an epoch that has grown at the same node is enough', {
  skip,
}, async () => {
  const sid = newSid();
  const own = { epoch: 0 };
  const state = await manager.open(sid, { a: 1, b: 2 }, own);
  own.epoch = 1;
  for (const node of nodes) await say(node, 'flushall');
  await state.set({ b: 3 });
  assert.deepEqual(await stored(sid), [{ a: '1', b: '3' }, null]);
  own.epoch = 2;
  await state.cleanup();
  assert.deepEqual(await stored(sid), [{}, '2']);
});
