import assert from 'node:assert/strict';
import { test } from 'node:test';
import { never, within } from '../support/actors.ts';
import { eventually } from '../support/eventually.ts';
import { World } from '../support/supervised.ts';

test('sup_stop_infinity: children are stopped in reverse, and waited for', async () => {
  const world = new World();
  const children = ['a', 'b', 'c'].map((id) => world.worker(id, { shutdown: 'infinity' }));
  const sup = await world.supervise({ children });
  const ends = Promise.all(['a', 'b', 'c'].map((id) => world.ended(world.ref(id))));
  assert.equal(await world.kernel.stop(sup, 'shutdown'), 'shutdown');
  assert.deepEqual(await ends, ['shutdown', 'shutdown', 'shutdown']);
  assert.deepEqual(world.events.slice(3), ['stop c', 'stop b', 'stop a']);
  assert.deepEqual(world.reports, []);
});

test('sup_stop_timeout: a child that takes too long is killed, the others are not', async () => {
  const world = new World();
  const children = [
    world.worker('a', { shutdown: 1000 }),
    world.worker('b', { shutdown: 5 }, { terminate: never }),
    world.worker('c', { shutdown: 1000 }),
  ];
  const sup = await world.supervise({ children });
  const ends = Promise.all(['a', 'b', 'c'].map((id) => world.ended(world.ref(id))));
  await world.kernel.stop(sup, 'shutdown');
  assert.deepEqual(await ends, ['shutdown', 'killed', 'shutdown']);
  assert.deepEqual(world.reports, ['sup: child b did not shut down properly: killed']);
  assert.equal(world.kernel.wheel.pending, 0);
});

test('sup_stop_timeout_dynamic: the time runs for all at once', async () => {
  const world = new World();
  const sup = await world.superviseDynamically();
  for (let i = 0; i < 30; i += 1) {
    await world.startChild(sup, world.worker(`${i}`, { shutdown: 100 }, { terminate: i % 2 ? never : () => {} }));
  }
  const ends = Promise.all(Array.from({ length: 30 }, (_, i) => world.ended(world.ref(`${i}`))));
  const startedAt = performance.now();
  await world.kernel.stop(sup, 'shutdown');
  assert.ok(performance.now() - startedAt < 15 * 100);
  const expected = Array.from({ length: 30 }, (_, i) => (i % 2 ? 'killed' : 'shutdown'));
  assert.deepEqual(await ends, expected);
});

test('sup_stop_brutal_kill: a child is killed without farewell', async () => {
  const world = new World();
  const sup = await world.supervise({ children: [world.worker('a'), world.worker('b', { shutdown: 'brutal_kill' })] });
  const ends = Promise.all(['a', 'b'].map((id) => world.ended(world.ref(id))));
  await world.kernel.stop(sup, 'shutdown');
  assert.deepEqual(await ends, ['shutdown', 'killed']);
  assert.deepEqual(world.puppet('b').ends, []);
  assert.deepEqual(world.reports, []);
});

test('sup_stop_brutal_kill_dynamic: all of them', async () => {
  const world = new World();
  const sup = await world.superviseDynamically();
  for (const id of ['a', 'b']) await world.startChild(sup, world.worker(id, { shutdown: 'brutal_kill' }));
  const ends = Promise.all(['a', 'b'].map((id) => world.ended(world.ref(id))));
  await world.kernel.stop(sup, 'shutdown');
  assert.deepEqual(await ends, ['killed', 'killed']);
  assert.deepEqual(world.reports, []);
});

test('sup_stop_race: children that end while the supervisor does hang nobody', async () => {
  for (const dynamic of [false, true]) {
    const world = new World();
    const sup = dynamic ? await world.superviseDynamically() : await world.supervise({ children: [] });
    for (const id of ['a', 'b', 'c']) await world.startChild(sup, world.worker(id, { restart: 'permanent' }));
    const stopped = world.kernel.stop(sup, 'shutdown');
    for (const id of ['a', 'b', 'c']) world.kernel.exit(sup, world.ref(id), 'kill');
    assert.equal(await stopped, 'shutdown');
    assert.equal(world.incarnations('a').length, 1);
  }
});

test('sup_stop_non_shutdown_exit_dynamic: a child that ends otherwise than asked is reported', async () => {
  const world = new World();
  const sup = await world.superviseDynamically();
  const fault = new Error('cannot end');
  await world.startChild(sup, world.worker('a', {}, { terminate: () => assert.fail(fault) }));
  await world.kernel.stop(sup, 'shutdown');
  assert.deepEqual(world.reports, ['sup: child a did not shut down properly: cannot end']);
});

test('child_unlink: a child that has unlinked itself is stopped all the same', async () => {
  const world = new World();
  const sup = await world.supervise({ children: [world.worker('a')] });
  await within(world.puppet('a'), (self) => self.unlink(sup as never));
  await world.terminateChild(sup, 'a');
  assert.equal(world.puppet('a').alive, false);
  await world.restartChild(sup, 'a');
  await within(world.puppet('a'), (self) => self.unlink(sup as never));
  assert.equal(await world.kernel.stop(sup, 'shutdown'), 'shutdown');
});

test('order_of_children: children that were added later are stopped first', async () => {
  const world = new World();
  const sup = await world.supervise({ children: [world.worker('a'), world.worker('b')] });
  await world.startChild(sup, world.worker('c'));
  await world.terminateChild(sup, 'a');
  await world.restartChild(sup, 'a');
  assert.deepEqual(await world.ids(sup), ['a', 'b', 'c']);
  world.events.length = 0;
  await world.kernel.stop(sup, 'shutdown');
  assert.deepEqual(world.events, ['stop c', 'stop b', 'stop a']);
});

test('scale_start_stop_many_children: ten thousand children start and stop', async () => {
  const world = new World();
  const sup = await world.superviseDynamically();
  const refs = await Promise.all(Array.from({ length: 10_000 }, (_, i) => world.startChild(sup, world.worker(`${i}`))));
  assert.equal((await world.count(sup)).active, 10_000);
  await Promise.all(refs.slice(0, 5000).map((ref) => world.terminateChild(sup, ref!)));
  assert.equal((await world.count(sup)).active, 5000);
  await world.kernel.stop(sup, 'shutdown');
  await eventually(() => world.events.length === 20_000, 'all ends');
});

test('a supervisor that is killed takes its children with it', async () => {
  const world = new World();
  const sup = await world.supervise({ children: [world.worker('a'), world.worker('b', {}, { traps: false })] });
  const ends = Promise.all(['a', 'b'].map((id) => world.ended(world.ref(id))));
  world.kernel.exit(sup, sup, 'kill');
  assert.deepEqual(await ends, ['killed', 'killed']);
  assert.deepEqual(world.events, ['start a', 'start b', 'stop a']);
});
