/**
 * What must happen in a certain order before a rule of sessions that outlive their nodes is noticed to be missing, which chance brings about
 * too rarely. It replaces clocks and timers, so it needs its own process.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RedisCommand } from '../../src/sessions/durable/commands.ts';
import { DurableSession } from '../../src/sessions/durable/durable-session.ts';
import { Witness } from '../../src/sessions/durable/witness.ts';
import { patched } from './patched.ts';
import { type Mutation, simulate } from './simulation.ts';
import type { World } from './world.ts';

const seeds = [1, 2, 3, 4, 5];

async function mistakes(schedule: (world: World) => Promise<void>, mutation: Mutation = {}): Promise<string[]> {
  const found: string[] = [];
  for (const seed of seeds) {
    const { mistake } = await simulate(seed, 2, mutation, true, false, schedule);
    if (mistake !== undefined) found.push(`seed ${seed}: ${mistake}`);
  }
  return found;
}

/** Sessions begin, Redis forgets them though not the leases, and long after that their nodes are killed. */
async function failsOverThenKilled(world: World): Promise<void> {
  const { clock, clients, durability, nodes } = world;
  const { redis } = durability!;
  for (const client of clients) {
    client.cutShare = 0;
    client.stop();
  }
  await clock.advance(200);
  redis.model.copy(false);
  for (const client of clients) client.connect();
  await clock.advance(200);
  durability!.lostWrites();
  redis.leave();
  redis.model.restore();
  await clock.advance(10);
  durability!.redisTrouble();
  redis.comeBack();
  await clock.advance(6000);
  for (const node of [...nodes]) world.killNode(node);
  await clock.advance(100);
  for (const name of ['a', 'b']) void world.startNode(name);
}

test('what Redis has lost when another server took over is stored anew', async (t) => {
  assert.deepEqual(await mistakes(failsOverThenKilled), []);
  const noticed = await mistakes(failsOverThenKilled, {
    patch: () => patched(Witness.prototype, 'hasChanged', async () => false),
  });
  for (const mistake of noticed) t.diagnostic(mistake);
  assert.notEqual(noticed.length, 0, 'not noticed');
});

/** A node that its clients can reach, and nobody else, until others have claimed their sessions and waited for them in vain. */
async function partedFromAllButClients(world: World): Promise<void> {
  const { clock, clients, durability, mesh, nodes, sessions, settings } = world;
  const { redis } = durability!;
  const [node, other] = nodes;
  for (const client of clients) client.cutShare = 0;
  const awayMs = 3 * settings.leaseMs!;
  durability!.trouble();
  durability!.redisTrouble();
  mesh.reset(node!.name, other!.name, awayMs);
  redis.partedFrom.add(node!.machine!);
  await clock.advance(awayMs);
  durability!.redisTrouble();
  redis.partedFrom.delete(node!.machine!);
  await clock.advance(settings.bounds.windowMs + 4000);
  for (const { name, socket } of clients) {
    if (socket.connected && sessions.get(socket.id!)?.told.includes('d')) {
      world.broken(`the back end is told that ${name} departs, which is connected`);
    }
  }
}

/** A lease that has ended is there again when its node renews it. */
function revived([name = '', ...args]: RedisCommand): RedisCommand {
  const [key = '', ms = 0] = args;
  if (name !== 'pexpire' || !String(key).includes(':lease:')) return [name, ...args];
  return ['eval', "redis.call('SET', KEYS[1], '1', 'PX', ARGV[1]) return 1", 1, key, ms];
}

const mutations: Readonly<Record<string, Mutation>> = {
  'a lease that has ended never comes back': { parts: { command: revived } },
  'a session that somebody else has claimed ends': {
    patch: () => patched(DurableSession.prototype, 'fence', () => {}),
  },
};

for (const [rule, mutation] of Object.entries(mutations)) {
  test(rule, async (t) => {
    assert.deepEqual(await mistakes(partedFromAllButClients), []);
    const noticed = await mistakes(partedFromAllButClients, mutation);
    for (const mistake of noticed) t.diagnostic(mistake);
    assert.notEqual(noticed.length, 0, 'not noticed');
  });
}
