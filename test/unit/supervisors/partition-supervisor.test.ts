import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PartitionSupervisor } from '../../../src/supervisors/partition-supervisor.ts';
import { never, Puppet } from '../../support/actors.ts';
import { eventually } from '../../support/eventually.ts';
import { failsWith, type Supervised, World } from '../../support/supervised.ts';

async function partitioned(partitions: number): Promise<{ world: World; sup: Supervised; actor: PartitionSupervisor }> {
  const world = new World();
  const actor = new PartitionSupervisor({ partitions });
  return { world, sup: await world.kernel.run(actor, { label: 'sup' }), actor };
}

test('children are spread evenly over the partitions', async () => {
  const { world, sup, actor } = await partitioned(4);
  await Promise.all(Array.from({ length: 100 }, () => world.startChild(sup, { id: 'x', start: () => new Puppet() })));
  assert.deepEqual(await world.count(sup), { specs: 100, active: 100, supervisors: 0, workers: 100 });
  for (const { ref } of actor.children()) assert.equal((await world.count(ref as Supervised)).active, 25);
  assert.equal((await world.children(sup)).length, 100);
});

test('a child is terminated through the whole as well as through its partition', async () => {
  const { world, sup } = await partitioned(3);
  const refs = [];
  for (const id of ['a', 'b', 'c', 'd']) refs.push(await world.startChild(sup, world.worker(id)));
  await world.terminateChild(sup, refs[2]!);
  await world.terminateChild(sup, refs[2]!);
  await assert.rejects(world.terminateChild(sup, sup as never), failsWith('not_found'));
  await assert.rejects(world.terminateChild(sup, 'a'), failsWith('not_found'));
  await assert.rejects(world.restartChild(sup, 'a'), failsWith('not_found'));
  await assert.rejects(world.deleteChild(sup, 'a'), failsWith('not_found'));
  assert.equal((await world.count(sup)).active, 3);
});

test('a start that fails is told to the caller', async () => {
  const { world, sup } = await partitioned(2);
  await assert.rejects(world.startChild(sup, world.failing('a', 0)), /a cannot start/);
});

test('a partition that dies takes its own children with it, is restarted, and new children find a place', async () => {
  const { world, sup, actor } = await partitioned(2);
  for (const id of ['a', 'b']) await world.startChild(sup, world.worker(id));
  const partition = actor.children()[0]?.ref as Supervised;
  const end = world.ended(world.ref('a'));
  world.kernel.exit(sup, partition, 'kill');
  assert.equal(await end, 'killed');
  assert.equal(world.puppet('b').alive, true);
  for (const id of ['c', 'd', 'e']) await world.startChild(sup, world.worker(id));
  await eventually(() => actor.children()[0]?.ref !== partition, 'the restart');
  assert.equal((await world.count(sup)).active, 4);
  await world.terminateChild(sup, world.ref('a'));
});

test('all partitions end at the same time', async () => {
  const { world, sup } = await partitioned(10);
  for (let i = 0; i < 10; i += 1) {
    await world.startChild(sup, world.worker(`${i}`, { shutdown: 200 }, { terminate: never }));
  }
  const startedAt = performance.now();
  assert.equal(await world.kernel.stop(sup, 'shutdown'), 'shutdown');
  assert.ok(performance.now() - startedAt < 10 * 200);
  assert.equal(world.kernel.abandoned().length, 10);
});
