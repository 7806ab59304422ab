import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { DynamicSupervisor } from '../../src/supervisors/dynamic-supervisor.ts';
import { Supervisor } from '../../src/supervisors/supervisor.ts';
import { Gate, Puppet } from '../support/actors.ts';
import { eventually } from '../support/eventually.ts';
import { failsWith, type Supervised, World } from '../support/supervised.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

test('child_adm: children are started, terminated, restarted and deleted on demand', async () => {
  const world = new World();
  const sup = await world.supervise({ children: [world.worker('a')] });
  const first = world.ref('a');
  await assert.rejects(world.startChild(sup, world.worker('a')), failsWith('already_started'));
  await assert.rejects(world.restartChild(sup, 'a'), failsWith('running'));
  await assert.rejects(world.deleteChild(sup, 'a'), failsWith('running'));

  await world.terminateChild(sup, 'a');
  assert.equal(world.puppet('a').alive, false);
  assert.equal((await world.child(sup, 'a'))?.ref, undefined);
  await world.terminateChild(sup, 'a');
  await assert.rejects(world.startChild(sup, world.worker('a')), failsWith('already_present'));

  const second = await world.restartChild(sup, 'a');
  assert.notEqual(second, first);
  assert.equal((await world.child(sup, 'a'))?.ref, second);
  await assert.rejects(world.terminateChild(sup, second!), failsWith('not_found'));
  assert.equal((await world.child(sup, 'a'))?.ref, second);
  await world.terminateChild(sup, 'a');
  await world.deleteChild(sup, 'a');
  assert.deepEqual(await world.children(sup), []);

  for (const call of [world.terminateChild(sup, 'a'), world.restartChild(sup, 'a'), world.deleteChild(sup, 'a')]) {
    await assert.rejects(call, failsWith('not_found'));
  }
  assert.equal(await world.startChild(sup, world.worker('a')), world.ref('a'));

  const nobody = world.kernel.remote<never>(world.kernel.node, 'foo') as typeof sup;
  const calls = [
    world.startChild(nobody, world.worker('a')),
    world.terminateChild(nobody, 'a'),
    world.deleteChild(nobody, 'a'),
  ];
  for (const call of [...calls, world.children(nobody), world.count(nobody)]) {
    await assert.rejects(call, failsWith('not_running'));
  }
});

test('child_adm: a temporary child that is terminated is forgotten', async () => {
  const world = new World();
  const sup = await world.supervise({ children: [world.worker('a', { restart: 'temporary' })] });
  await world.terminateChild(sup, 'a');
  assert.deepEqual(await world.children(sup), []);
  await assert.rejects(world.terminateChild(sup, 'a'), failsWith('not_found'));
});

test('child_adm: a child that fails to start, or to start again, is told of', async () => {
  const world = new World();
  const sup = await world.supervise({ children: [world.failing('a', 1)] });
  await assert.rejects(world.startChild(sup, world.failing('b', 0)), /b cannot start/);
  assert.deepEqual(await world.ids(sup), ['a']);
  await world.terminateChild(sup, 'a');
  await assert.rejects(world.restartChild(sup, 'a'), /a cannot start/);
  assert.deepEqual(await world.ids(sup), ['a']);
});

// OTP's count of specifications is 1, that of the one template: here each child has its own. Its error for ids is
// simple_one_for_one: here there is one code for what no supervisor knows, and the description says why.
test('child_adm_simple: children are known by their references only, and one that has ended is terminated already', async () => {
  const world = new World();
  const sup = await world.superviseDynamically();
  assert.deepEqual(await world.count(sup), { specs: 0, active: 0, supervisors: 0, workers: 0 });
  const one = await world.startChild(sup, world.worker('same'));
  const two = await world.startChild(sup, world.worker('same'));
  assert.notEqual(one, two);
  assert.deepEqual(await world.count(sup), { specs: 2, active: 2, supervisors: 0, workers: 2 });
  await world.terminateChild(sup, one!);
  assert.equal(world.incarnations('same')[0]!.alive, false);
  await world.terminateChild(sup, one!);
  assert.equal((await world.count(sup)).active, 1);
  const outsider = new Puppet();
  await assert.rejects(world.terminateChild(sup, (await world.kernel.run(outsider)) as never), failsWith('not_found'));
  assert.equal(outsider.alive, true);
  await assert.rejects(world.terminateChild(sup, 'same'), failsWith('not_found'));
  await assert.rejects(world.restartChild(sup, 'same'), failsWith('not_found'));
  await assert.rejects(world.deleteChild(sup, 'same'), failsWith('not_found'));
  assert.deepEqual(
    (await world.children(sup)).map(({ ref }) => ref),
    [two],
  );
});

test('child_specs: a faulty specification is refused at run time too', async () => {
  const world = new World();
  for (const sup of [await world.supervise({ children: [] }), await world.superviseDynamically()]) {
    for (const fault of [{ shutdown: -1 }, { shutdown: Number.POSITIVE_INFINITY }, { significant: true }]) {
      await assert.rejects(world.startChild(sup, world.worker('a', fault)), failsWith('hive_error'));
    }
    assert.deepEqual(await world.children(sup), []);
  }
});

test('child_specs_map: the time to shut down is 5 s for workers and no limit for supervisors, unless said otherwise', async () => {
  const world = new World();
  const sup = await world.supervise({
    children: [
      world.worker('a', { shutdown: 0 }, { terminate: () => new Promise(() => {}) }),
      { id: 'b', type: 'supervisor', shutdown: 'brutal_kill', start: () => new Supervisor({ children: [] }) },
    ],
  });
  await world.kernel.stop(sup, 'shutdown');
  assert.deepEqual(world.reports, ['sup: child a did not shut down properly: killed']);
});

test('sup_flags: without flags one restart within 5 s is allowed, one for one', () => {
  const { strategy, restarts } = new Supervisor({ children: [] });
  assert.deepEqual([strategy, restarts.allowed, restarts.periodMs], ['one_for_one', 1, 5000]);
  assert.equal(new DynamicSupervisor().strategy, 'simple_one_for_one');
});

test('count_children: specifications, running children, and their kinds', async () => {
  const world = new World();
  const sup = await world.supervise({
    children: [
      world.worker('a'),
      world.worker('b'),
      { id: 'c', type: 'supervisor', start: () => new Supervisor({ children: [] }) },
    ],
  });
  assert.deepEqual(await world.count(sup), { specs: 3, active: 3, supervisors: 1, workers: 2 });
  await world.terminateChild(sup, 'c');
  assert.deepEqual(await world.count(sup), { specs: 3, active: 2, supervisors: 1, workers: 2 });
});

test('count_children_supervisor: supervisors of dynamic supervisors are counted', async () => {
  const world = new World();
  const sup = await world.superviseDynamically();
  const child = { id: 'c', type: 'supervisor', start: () => new DynamicSupervisor() } as const;
  await world.startChild(sup, child);
  await world.startChild(sup, world.worker('a'));
  assert.deepEqual(await world.count(sup), { specs: 2, active: 2, supervisors: 1, workers: 1 });
});

test('which_children: a row for each child, in the order of their start', async () => {
  const world = new World();
  const sup = await world.supervise({ intensity: 2, children: [world.worker('a'), world.worker('b')] });
  await world.end('b', new Error('boom'));
  const rows = await world.children(sup);
  assert.deepEqual(
    rows.map(({ id, type, restart, restarts, lastExit }) => ({ id, type, restart, restarts, why: lastExit?.reason })),
    [
      { id: 'a', type: 'worker', restart: 'permanent', restarts: 0, why: undefined },
      { id: 'b', type: 'worker', restart: 'permanent', restarts: 1, why: 'boom' },
    ],
  );
  assert.equal(rows[1]?.ref, world.ref('b'));
});

test('which_children_simple_one_for_one: a row for each child', async () => {
  const world = new World();
  const sup = await world.superviseDynamically();
  await world.startChild(sup, world.worker('a'));
  await world.startChild(sup, world.worker('b'));
  assert.deepEqual(
    (await world.children(sup)).map(({ ref }) => ref),
    [world.ref('a'), world.ref('b')],
  );
});

test('do_not_save_start_parameters_for_temporary_children: what the start holds on to is let go', async () => {
  for (const dynamic of [false, true]) {
    const world = new World();
    const sup = dynamic ? await world.superviseDynamically() : await world.supervise({ children: [] });
    const held = await startHolding(world, sup);
    await eventually(() => {
      collectGarbage();
      return held.deref() === undefined;
    }, 'the parameters to be collected');
    assert.equal((await world.count(sup)).active, 1);
  }

  async function startHolding(world: World, sup: Awaited<ReturnType<World['supervise']>>): Promise<WeakRef<object>> {
    const parameters = { big: new Uint8Array(1000) };
    await world.startChild(sup, {
      id: 'a',
      restart: 'temporary',
      start: () => {
        assert.equal(parameters.big.length, 1000);
        return new Puppet();
      },
    });
    return new WeakRef(parameters);
  }
});

test('do_not_save_child_specs_for_temporary_children: a temporary child that has ended leaves nothing', async () => {
  const world = new World();
  const temporary = { restart: 'temporary' } as const;
  const sup = await world.supervise({ children: [world.worker('a', temporary), world.worker('b', temporary)] });
  await world.end('a', 'normal');
  await world.end('b');
  assert.deepEqual(await world.count(sup), { specs: 0, active: 0, supervisors: 0, workers: 0 });
});

test('simple_one_for_one_scale_many_temporary_children: the price of a child does not grow with their number', async () => {
  const world = new World();
  const start = async (sup: Supervised, n: number): Promise<number> => {
    const startedAt = performance.now();
    const spec = { id: 'client', start: () => new Puppet({ traps: true }) };
    await Promise.all(Array.from({ length: n }, () => world.startChild(sup, spec)));
    return performance.now() - startedAt;
  };
  const crowded = await world.superviseDynamically();
  await start(crowded, 20_000);
  const among: number[] = [];
  const alone: number[] = [];
  for (let i = 0; i < 3; i += 1) {
    alone.push(await start(await world.superviseDynamically(), 1000));
    among.push(await start(crowded, 1000));
  }
  const [fast, slow] = [Math.min(...alone), Math.min(...among)];
  assert.ok(slow < fast * 5, `1000 children took ${fast} ms alone, ${slow} ms among 20000 others`);
  world.kernel.halt();
});

test('simple_global_supervisor: a supervisor is reached by its name, whichever incarnation bears it', async () => {
  const world = new World();
  const spec = { id: 's', name: 'known', type: 'supervisor', start: () => new DynamicSupervisor() } as const;
  const sup = await world.supervise({ children: [spec] });
  const named = world.kernel.remote<never>(world.kernel.node, 'known') as typeof sup;
  await world.startChild(named, world.worker('a'));
  const before = world.kernel.whereis('known')!;
  world.kernel.exit(sup, before, 'kill');
  await eventually(() => ![undefined, before].includes(world.kernel.whereis('known')), 'the restart');
  assert.deepEqual(await world.children(named), []);
});

test('a dynamic supervisor does not wait for a slow child', async () => {
  const world = new World();
  const sup = await world.superviseDynamically();
  const gate = new Gate();
  const slow = world.startChild(sup, world.worker('slow', {}, { init: () => gate.promise }));
  const quick = await world.startChild(sup, world.worker('quick', {}, { terminate: () => gate.promise }));
  const terminated = world.terminateChild(sup, quick!);
  assert.deepEqual(await world.count(sup), { specs: 2, active: 0, supervisors: 0, workers: 2 });
  gate.open();
  await terminated;
  assert.equal(await slow, world.ref('slow'));
  assert.equal((await world.count(sup)).active, 1);
});

test('a dynamic supervisor refuses more children than it may have', async () => {
  const world = new World();
  const sup = await world.superviseDynamically({ maxChildren: 1 });
  const only = await world.startChild(sup, world.worker('a'));
  await assert.rejects(world.startChild(sup, world.worker('b')), failsWith('overloaded'));
  await world.terminateChild(sup, only!);
  await world.startChild(sup, world.worker('b'));
});
