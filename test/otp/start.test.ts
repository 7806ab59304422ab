/**
 * Titles that look like `sup_start_normal` are the cases of OTP's supervisor_SUITE, here and in the neighbouring files. Cases
 * that only make sense on the BEAM are missing, because:
 *
 *   extra_return, simple_one_for_one_extra     a start gives a reference and nothing else
 *   external_start_no_progress_log             there are no progress reports
 *   faulty_application_shutdown                there are no applications
 *   get_callback_module                        a supervisor is configured by options, not by a callback module
 *   code_change, code_change_map, code_change_simple, code_change_simple_map, significant_upgrade_never_any,
 *   significant_upgrade_any_never, significant_upgrade_never_all, significant_upgrade_all_never,
 *   significant_upgrade_any_all, significant_upgrade_all_any, significant_upgrade_child
 *                                              code is not changed while it runs
 *   format_log_1, format_log_2                 term formatting of the BEAM's logger; what our reports say is tested in report.test.ts
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ignore } from '../../src/kernel/actor.ts';
import { HiveError } from '../../src/observe/errors.ts';
import { DynamicSupervisor } from '../../src/supervisors/dynamic-supervisor.ts';
import { Supervisor } from '../../src/supervisors/supervisor.ts';
import { Gate, never, Puppet } from '../support/actors.ts';
import { eventually } from '../support/eventually.ts';
import { failsWith, World } from '../support/supervised.ts';

const ignoring = {
  init: (): void => {
    throw ignore;
  },
};

test('sup_start_normal: a supervisor without children starts', async () => {
  const world = new World();
  const sup = await world.supervise({ children: [] });
  assert.deepEqual(await world.children(sup), []);
});

test('sup_start_normal: children start in order, each after the init of the one before', async () => {
  const world = new World();
  const gate = new Gate();
  const slow = world.worker('a', {}, { init: () => gate.promise });
  const starting = world.supervise({ children: [slow, world.worker('b')] });
  assert.deepEqual(world.events, ['start a']);
  gate.open();
  assert.deepEqual(await world.ids(await starting), ['a', 'b']);
  assert.deepEqual(world.events, ['start a', 'start b']);
});

test('sup_start_ignore_init: a supervisor may ignore', async () => {
  const world = new World();
  class Ignoring extends Supervisor {
    override async init(): Promise<void> {
      throw ignore;
    }
  }
  assert.equal(await world.kernel.spawn(new Ignoring({ children: [] })), undefined);
});

test('sup_start_ignore_child: a child that ignores is kept, not running', async () => {
  const world = new World();
  const sup = await world.supervise({ children: [world.worker('a', {}, ignoring), world.worker('b')] });
  assert.deepEqual(
    (await world.children(sup)).map(({ id, ref }) => [id, ref]),
    [
      ['a', undefined],
      ['b', world.ref('b')],
    ],
  );
  assert.deepEqual(await world.count(sup), { specs: 2, active: 1, supervisors: 0, workers: 2 });
});

test('sup_start_ignore_temporary_child: a temporary child that ignores is forgotten', async () => {
  const world = new World();
  const children = [world.worker('a', { restart: 'temporary' }, ignoring), world.worker('b', { restart: 'temporary' })];
  assert.deepEqual(await world.ids(await world.supervise({ children })), ['b']);
});

test('sup_start_ignore_temporary_child_start_child: also when it is started later', async () => {
  const world = new World();
  const sup = await world.supervise({ children: [] });
  assert.equal(await world.startChild(sup, world.worker('a', { restart: 'temporary' }, ignoring)), undefined);
  assert.equal(await world.startChild(sup, world.worker('b', { restart: 'permanent' }, ignoring)), undefined);
  assert.deepEqual(await world.ids(sup), ['b']);
});

test('sup_start_ignore_temporary_child_start_child_simple: and under a dynamic supervisor', async () => {
  const world = new World();
  const sup = await world.superviseDynamically();
  assert.equal(await world.startChild(sup, world.worker('a', { restart: 'temporary' }, ignoring)), undefined);
  assert.deepEqual(await world.children(sup), []);
});

test('sup_start_ignore_permanent_child_start_child_simple: where permanent ones are forgotten too', async () => {
  const world = new World();
  const sup = await world.superviseDynamically();
  assert.equal(await world.startChild(sup, world.worker('a', { restart: 'permanent' }, ignoring)), undefined);
  assert.deepEqual(await world.count(sup), { specs: 0, active: 0, supervisors: 0, workers: 0 });
});

test('sup_start_error_return: flags that make no sense are refused', () => {
  for (const flags of [{ intensity: -1 }, { intensity: 0.5 }, { periodMs: 0 }, { periodMs: Number.NaN }]) {
    assert.throws(() => new Supervisor({ ...flags, children: [] }), RangeError);
    assert.throws(() => new DynamicSupervisor(flags), RangeError);
  }
});

test('sup_start_fail: a supervisor whose init crashes does not start', async () => {
  const world = new World();
  const children = [world.worker('a'), world.worker('a')];
  await assert.rejects(world.kernel.spawn(new Supervisor({ children })), failsWith('already_present'));
  assert.deepEqual(world.events, []);
});

test('a child that cannot start makes the start fail, naming the child, after the started ones were stopped in reverse', async () => {
  const world = new World();
  const fault = new HiveError('port_taken', 'Port 80 is in use.');
  const faulty = world.worker('c', {}, { init: () => Promise.reject(fault) });
  const inner = new Supervisor({ children: [world.worker('b'), faulty, world.worker('d')] });
  const outer = world.supervise({
    children: [world.worker('a'), { id: 'inner', type: 'supervisor', start: () => inner }],
  });
  await assert.rejects(outer, (error) => {
    assert.ok(error instanceof HiveError);
    assert.equal(error.code, 'port_taken');
    assert.equal(error.message, 'inner: c: Port 80 is in use.');
    return true;
  });
  assert.deepEqual(world.events, ['start a', 'start b', 'start c', 'stop b', 'stop a']);
});

test('sup_start_child_returns_error: the caller gets the error, and nothing is kept of the child', async () => {
  const world = new World();
  const sup = await world.supervise({ children: [] });
  const fault = new HiveError('port_taken', 'Port 80 is in use.');
  const inits = [() => assert.fail(fault), () => Promise.reject(fault)];
  for (const init of inits) {
    await assert.rejects(world.startChild(sup, world.worker('a', {}, { init })), fault);
  }
  await assert.rejects(world.startChild(sup, world.failing('a', 0)), /a cannot start/);
  assert.deepEqual(await world.children(sup), []);
});

test('sup_start_restart_child_returns_error: the caller gets the error, and the child stays as it was: not running', async () => {
  const world = new World();
  const sup = await world.supervise({ children: [world.failing('a', 1)] });
  await world.terminateChild(sup, 'a');
  await assert.rejects(world.restartChild(sup, 'a'), /a cannot start/);
  const rows = await world.children(sup);
  assert.deepEqual(
    rows.map(({ id, ref }) => [id, ref]),
    [['a', undefined]],
  );
});

test('sup_start_child_returns_error_simple: the caller gets the error, the supervisor lives on', async () => {
  const world = new World();
  const sup = await world.superviseDynamically();
  const fault = new Error('no');
  await assert.rejects(world.startChild(sup, world.worker('a', {}, { init: () => assert.fail(fault) })), fault);
  await assert.rejects(world.startChild(sup, world.worker('a', {}, { init: () => Promise.reject(fault) })), fault);
  await assert.rejects(world.startChild(sup, world.failing('a', 0)), /cannot start/);
  assert.deepEqual(await world.children(sup), []);
});

test('sup_start_map: what a specification leaves out has its default', async () => {
  const world = new World();
  const sup = await world.supervise({ children: [{ id: 'a', start: () => new Puppet() }] });
  const [row] = await world.children(sup);
  assert.deepEqual([row?.restart, row?.type], ['permanent', 'worker']);
});

test('sup_start_map_simple: children of dynamic supervisors are temporary by default', async () => {
  const world = new World();
  const sup = await world.superviseDynamically();
  await world.startChild(sup, { id: 'a', start: () => new Puppet() });
  const [row] = await world.children(sup);
  assert.deepEqual([row?.restart, row?.type], ['temporary', 'worker']);
});

test('sup_start_map_faulty_specs: a faulty specification is refused, and nothing has started', async () => {
  const world = new World();
  for (const fault of [{ shutdown: -1 }, { shutdown: Number.NaN }, { significant: true }]) {
    const start = world.supervise({ children: [world.worker('a'), world.worker('b', fault)] });
    await assert.rejects(start, failsWith('hive_error'));
  }
  const permanent = world.worker('b', { significant: true, restart: 'permanent' });
  const start = world.supervise({ autoShutdown: 'any_significant', children: [permanent] });
  await assert.rejects(start, failsWith('hive_error'));
  assert.deepEqual(world.events, []);
});

test('already_started_outside_supervisor: a child whose name is taken does not start', async () => {
  const world = new World();
  const outsider = await world.kernel.run(new Puppet(), { name: 'unique' });
  for (const sup of [await world.supervise({ children: [] }), await world.superviseDynamically()]) {
    const child = world.worker('a', { name: 'unique' });
    await assert.rejects(world.startChild(sup, child), failsWith('already_started'));
    assert.deepEqual(await world.children(sup), []);
  }
  assert.equal(world.kernel.whereis('unique'), outsider);
});

test('a supervisor that is told to stop while a child starts does not wait for it for ever', async () => {
  const world = new World();
  const hanging = world.worker('b', { shutdown: 1 }, { init: never });
  const inner = new Supervisor({ children: [world.worker('a'), hanging, world.worker('c')] });
  const sup = await world.supervise({ children: [] });
  const starting = world.startChild(sup, { id: 'inner', type: 'supervisor', start: () => inner });
  const failed = assert.rejects(starting, failsWith('crashed'));
  await eventually(() => world.events.includes('start b'), 'the hanging init');
  assert.equal(await world.kernel.stop(sup, 'shutdown'), 'shutdown');
  await failed;
  assert.deepEqual(world.events, ['start a', 'start b', 'stop a']);
  assert.deepEqual(
    world.kernel.abandoned().map(({ label }) => label),
    ['b'],
  );
});
