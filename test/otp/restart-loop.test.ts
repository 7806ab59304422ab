import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { failsWith, type Supervised, World } from '../support/supervised.ts';

/** A limit that the loop does not reach. */
const intensity = 1_000_000;

async function serves(world: World, sup: Supervised): Promise<void> {
  await eventually(async () => (await world.child(sup, 'a'))?.ref === 'restarting', 'the loop');
  assert.equal((await world.child(sup, 'a'))?.restarts, 0);
  await assert.rejects(world.startChild(sup, world.worker('a')), failsWith('already_started'));
  await assert.rejects(world.restartChild(sup, 'a'), failsWith('restarting'));
  await assert.rejects(world.deleteChild(sup, 'a'), failsWith('restarting'));
  await world.terminateChild(sup, 'a');
  assert.equal((await world.child(sup, 'a'))?.ref, undefined);
  await assert.rejects(world.restartChild(sup, 'a'), /cannot start/);
  await world.deleteChild(sup, 'a');
}

test('hanging_restart_loop: while a child fails to restart again and again, the supervisor answers', async () => {
  const world = new World();
  const sup = await world.supervise({ intensity, children: [world.failing('a', 1), world.worker('b')] });
  await world.end('a');
  await serves(world, sup);
  assert.deepEqual(await world.ids(sup), ['b']);
  assert.equal(world.incarnations('b').length, 1);
});

test('hanging_restart_loop_rest_for_one: those after it wait for it', async () => {
  const world = new World();
  const sup = await world.supervise({
    intensity,
    strategy: 'rest_for_one',
    children: [world.worker('z'), world.failing('a', 1), world.worker('b')],
  });
  await world.end('a');
  await eventually(async () => (await world.child(sup, 'b'))?.ref === undefined, 'the loop');
  await serves(world, sup);
  assert.equal(await world.restartChild(sup, 'b'), world.ref('b'));
  assert.equal(world.incarnations('z').length, 1);
});

test('hanging_restart_loop_simple: the child can be terminated by its last reference', async () => {
  const world = new World();
  const sup = await world.superviseDynamically({ intensity });
  const last = await world.startChild(sup, world.failing('a', 1, { restart: 'permanent' }));
  await world.startChild(sup, world.worker('b'));
  await world.end('a');
  await eventually(async () => (await world.child(sup, 'a'))?.ref === 'restarting', 'the loop');
  assert.deepEqual(await world.count(sup), { specs: 2, active: 1, supervisors: 0, workers: 2 });
  await world.terminateChild(sup, last!);
  assert.deepEqual(await world.ids(sup), ['b']);
  assert.equal((await world.count(sup)).specs, 1);
});

test('count_restarting_children: a child that is being restarted counts as specified, not as active', async () => {
  const world = new World();
  const sup = await world.supervise({ intensity, children: [world.failing('a', 1), world.worker('b')] });
  await world.end('a');
  await eventually(async () => (await world.count(sup)).active === 1, 'the loop');
  assert.deepEqual(await world.count(sup), { specs: 2, active: 1, supervisors: 0, workers: 2 });
  await world.kernel.stop(sup, 'shutdown');
});
