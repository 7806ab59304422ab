import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ignore } from '../../src/kernel/actor.ts';
import { type Strategy, Supervisor } from '../../src/supervisors/supervisor.ts';
import { type Supervised, World } from '../support/supervised.ts';

const lives = (world: World, ...ids: string[]): number[] => ids.map((id) => world.incarnations(id).length);

async function abc(strategy: Strategy, intensity = 1): Promise<{ world: World; sup: Supervised }> {
  const world = new World();
  const children = ['a', 'b', 'c'].map((id) => world.worker(id));
  const sup = await world.supervise({ strategy, intensity, children });
  world.events.length = 0;
  return { world, sup };
}

async function allRun(world: World, sup: Supervised, ...ids: string[]): Promise<void> {
  assert.deepEqual(
    (await world.children(sup)).map(({ id, ref }) => [id, ref]),
    ids.map((id) => [id, world.ref(id)]),
  );
}

test('one_for_one: only the child that ended is restarted', async () => {
  const { world, sup } = await abc('one_for_one');
  await world.end('b');
  await allRun(world, sup, 'a', 'b', 'c');
  assert.deepEqual(lives(world, 'a', 'b', 'c'), [1, 2, 1]);
});

test('one_for_one: one restart too many ends the supervisor with shutdown, after its children', async () => {
  const { world, sup } = await abc('one_for_one');
  const end = world.ended(sup);
  await world.end('b');
  await world.children(sup);
  await world.end('b');
  assert.equal(await end, 'shutdown');
  assert.deepEqual(lives(world, 'a', 'b', 'c'), [1, 2, 1]);
  assert.deepEqual(world.events.slice(-2), ['stop c', 'stop a']);
  assert.match(world.reports.at(-1)!, /sup gives up: more than 1 restarts within 5000 ms/);
});

test('one_for_all: all are stopped in reverse and started in order', async () => {
  const { world, sup } = await abc('one_for_all');
  await world.end('b');
  await allRun(world, sup, 'a', 'b', 'c');
  assert.deepEqual(world.events, ['stop b', 'stop c', 'stop a', 'start a', 'start b', 'start c']);
});

test('one_for_all: the same limit holds', async () => {
  const { world, sup } = await abc('one_for_all');
  const end = world.ended(sup);
  await world.end('a');
  await world.children(sup);
  await world.end('c');
  assert.equal(await end, 'shutdown');
  assert.deepEqual(lives(world, 'a', 'b', 'c'), [2, 2, 2]);
});

test('one_for_all_other_child_fails_restart: a sibling that cannot start again is tried once more, with all others', async () => {
  const world = new World();
  let failures = 1;
  const b = world.worker('b');
  const flaky = {
    ...b,
    start: () => {
      if (world.incarnations('b').length === 1 && failures-- > 0) throw new Error('not yet');
      return b.start();
    },
  };
  const sup = await world.supervise({
    strategy: 'one_for_all',
    intensity: 2,
    children: [world.worker('a'), flaky, world.worker('c')],
  });
  world.events.length = 0;
  await world.end('a');
  await world.children(sup);
  await allRun(world, sup, 'a', 'b', 'c');
  assert.deepEqual(world.events, ['stop a', 'stop c', 'stop b', 'start a', 'stop a', 'start a', 'start b', 'start c']);
});

test('rest_for_one: those that were started later are stopped in reverse and started in order', async () => {
  const { world, sup } = await abc('rest_for_one');
  await world.end('b');
  await allRun(world, sup, 'a', 'b', 'c');
  assert.deepEqual(world.events, ['stop b', 'stop c', 'start b', 'start c']);
});

test('rest_for_one: the same limit holds', async () => {
  const { world, sup } = await abc('rest_for_one');
  const end = world.ended(sup);
  await world.end('a');
  await world.children(sup);
  await world.end('b');
  assert.equal(await end, 'shutdown');
  assert.deepEqual(lives(world, 'a', 'b', 'c'), [2, 2, 2]);
});

test('rest_for_one_other_child_fails_restart: from the sibling that cannot start again on, all are tried once more', async () => {
  const world = new World();
  let failures = 1;
  const b = world.worker('b');
  const flaky = {
    ...b,
    start: () => {
      if (world.incarnations('b').length === 1 && failures-- > 0) throw new Error('not yet');
      return b.start();
    },
  };
  const sup = await world.supervise({
    strategy: 'rest_for_one',
    intensity: 2,
    children: [world.worker('a'), flaky, world.worker('c')],
  });
  world.events.length = 0;
  await world.end('a');
  await world.children(sup);
  await allRun(world, sup, 'a', 'b', 'c');
  assert.deepEqual(world.events, ['stop a', 'stop c', 'stop b', 'start a', 'start b', 'start c']);
});

// What OTP calls escalation: a child cannot start again, however often it is tried, and takes the supervisor with it.
for (const [strategy, dies, failing] of [
  ['one_for_one', 'b', 'b'],
  ['one_for_all', 'a', 'b'],
  ['rest_for_one', 'a', 'b'],
] as const) {
  test(`${strategy}_escalation: a child that cannot start again ends the supervisor with shutdown, and its siblings`, async () => {
    const world = new World();
    const children = ['a', 'b', 'c'].map((id) => (id === failing ? world.failing(id, 1) : world.worker(id)));
    const sup = await world.supervise({ strategy, intensity: 4, children });
    const end = world.ended(sup);
    await world.end(dies);
    assert.equal(await end, 'shutdown');
    for (const id of ['a', 'b', 'c']) assert.equal(world.puppet(id).alive, false);
    assert.equal(world.reports.filter((line) => line.includes('b failed to restart: b cannot start')).length, 4);
    assert.match(world.reports.at(-1)!, /sup gives up: more than 4 restarts/);
  });
}

test('simple_one_for_one_escalation: the same for a dynamic supervisor', async () => {
  const world = new World();
  const sup = await world.superviseDynamically({ intensity: 4 });
  await world.startChild(sup, world.failing('a', 1, { restart: 'permanent' }));
  await world.startChild(sup, world.worker('b', { restart: 'permanent' }));
  const end = world.ended(sup);
  await world.end('a');
  assert.equal(await end, 'shutdown');
  assert.equal(world.puppet('b').alive, false);
  assert.match(world.reports.at(-1)!, /sup gives up: more than 4 restarts/);
});

test('simple_one_for_one: only the child that ended is restarted, in the same way as it was started', async () => {
  const world = new World();
  const sup = await world.superviseDynamically();
  for (const id of ['a', 'b']) await world.startChild(sup, world.worker(id, { restart: 'permanent' }));
  await world.end('a');
  assert.deepEqual(
    new Set((await world.children(sup)).map(({ ref }) => ref)),
    new Set([world.ref('a'), world.ref('b')]),
  );
  assert.deepEqual(lives(world, 'a', 'b'), [2, 1]);
});

test('simple_one_for_one_shutdown: the end of the supervisor is the end of its children', async () => {
  const world = new World();
  const sup = await world.superviseDynamically();
  for (const id of ['a', 'b']) await world.startChild(sup, world.worker(id, { restart: 'permanent' }));
  await world.kernel.stop(sup, 'shutdown');
  assert.deepEqual(world.events.slice(2).sort(), ['stop a', 'stop b']);
});

test('simple_one_for_one: the same limit holds, for all children together', async () => {
  const world = new World();
  const sup = await world.superviseDynamically();
  for (const id of ['a', 'b']) await world.startChild(sup, world.worker(id, { restart: 'permanent' }));
  const end = world.ended(sup);
  await world.end('a');
  await world.end('b');
  assert.equal(await end, 'shutdown');
  assert.equal(world.puppet('a').alive, false);
});

test('simple_one_for_one_corruption: a message that is none of its calls does not harm a supervisor', async () => {
  const world = new World();
  for (const sup of [await world.superviseDynamically(), await world.supervise({ children: [] })]) {
    sup.tell({ type: 'nonsense' } as never);
    sup.tell('nonsense' as never);
    sup.tell({ type: 'which_children' });
    await world.startChild(sup, world.worker('a'));
    assert.equal((await world.count(sup)).active, 1);
  }
});

test('simple_one_for_one_restart_ignore: a child that ignores when it is restarted is forgotten', async () => {
  const world = new World();
  const sup = await world.superviseDynamically();
  let starts = 0;
  const init = (): void => {
    starts += 1;
    if (starts > 1) throw ignore;
  };
  await world.startChild(sup, world.worker('a', { restart: 'permanent' }, { init }));
  await world.end('a');
  await world.children(sup);
  assert.deepEqual(await world.children(sup), []);
});

test('children that end at the same time are all restarted', async () => {
  for (const strategy of ['one_for_one', 'one_for_all', 'rest_for_one'] as const) {
    const { world, sup } = await abc(strategy, 3);
    for (const id of ['c', 'a', 'b']) world.kernel.exit(sup, world.ref(id), 'kill');
    await allRun(world, sup, 'a', 'b', 'c');
    for (const id of ['a', 'b', 'c']) assert.equal(world.incarnations(id).at(-1)?.alive, true);
  }
});

test('tree: a supervisor that gives up is restarted by its own, with all its children', async () => {
  const world = new World();
  const inner = () => new Supervisor({ children: [world.worker('c'), world.worker('d')] });
  const outer = await world.supervise({
    children: [world.worker('a'), world.worker('b'), { id: 'inner', type: 'supervisor', start: inner }],
  });
  const before = (await world.child(outer, 'inner'))?.ref;
  const gone = world.ended(before as never);
  await world.end('c');
  await world.kernel.ask(before as Supervised, { type: 'which_children' });
  await world.end('c');
  assert.equal(await gone, 'shutdown');
  const after = (await world.child(outer, 'inner'))?.ref;
  assert.notEqual(after, before);
  assert.deepEqual(lives(world, 'a', 'b', 'c', 'd'), [1, 1, 3, 2]);

  const end = world.ended(outer);
  world.kernel.exit(outer, after as never, 'kill');
  assert.equal(await end, 'shutdown');
  assert.equal(world.puppet('d').alive, false);
});

test('multiple_restarts: restarts that lie further back than the period do not count', async () => {
  const world = new World();
  const sup = await world.supervise({ intensity: 1, periodMs: 30, children: [world.worker('a')] });
  for (let i = 0; i < 4; i += 1) {
    await world.end('a');
    await world.children(sup);
    await new Promise<void>((resolve) => world.kernel.wheel.schedule(40, resolve));
  }
  assert.equal(world.incarnations('a').length, 5);
  await world.terminateChild(sup, 'a');
  await world.deleteChild(sup, 'a');
  assert.deepEqual(await world.children(sup), []);
});
