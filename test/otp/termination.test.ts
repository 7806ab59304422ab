import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Restart } from '../../src/kernel/supervision.ts';
import { type ExitReason, Shutdown } from '../../src/kernel/types.ts';
import { World } from '../support/supervised.ts';

const detailed = new Shutdown('maintenance');

/** What becomes of a child after an end of its own: `restarted`, `kept` (not running), `forgotten`. */
const cases: [title: string, restart: Restart, reason: ExitReason, outcome: 'restarted' | 'kept' | 'forgotten'][] = [
  ['permanent_normal', 'permanent', 'normal', 'restarted'],
  ['transient_normal', 'transient', 'normal', 'kept'],
  ['temporary_normal', 'temporary', 'normal', 'forgotten'],
  ['permanent_shutdown', 'permanent', 'shutdown', 'restarted'],
  ['permanent_shutdown, with a detail', 'permanent', detailed, 'restarted'],
  ['transient_shutdown', 'transient', 'shutdown', 'kept'],
  ['transient_shutdown, with a detail', 'transient', detailed, 'kept'],
  ['temporary_shutdown', 'temporary', 'shutdown', 'forgotten'],
  ['temporary_shutdown, with a detail', 'temporary', detailed, 'forgotten'],
  ['permanent_abnormal', 'permanent', 'abnormal', 'restarted'],
  ['transient_abnormal', 'transient', 'abnormal', 'restarted'],
  ['temporary_abnormal', 'temporary', 'abnormal', 'forgotten'],
];

for (const [title, restart, reason, outcome] of cases) {
  test(`${title}: the child is ${outcome}`, async () => {
    const world = new World();
    const sup = await world.supervise({ children: [world.worker('a', { restart }), world.worker('b')] });
    const first = world.ref('a');
    await world.end('a', reason);
    const row = await world.child(sup, 'a');
    if (outcome === 'forgotten') assert.equal(row, undefined);
    else assert.equal(row?.ref, outcome === 'kept' ? undefined : world.ref('a'));
    assert.equal(world.ref('a') !== first, outcome === 'restarted');
    assert.equal(world.incarnations('b').length, 1);
  });

  test(`${title}, under a dynamic supervisor: the child is ${outcome === 'restarted' ? outcome : 'forgotten'}`, async () => {
    const world = new World();
    const sup = await world.superviseDynamically();
    await world.startChild(sup, world.worker('a', { restart }));
    const first = world.ref('a');
    await world.end('a', reason);
    const rows = await world.children(sup);
    if (outcome !== 'restarted') assert.deepEqual(rows, []);
    else assert.deepEqual([rows[0]?.ref, rows[0]?.ref !== first], [world.ref('a'), true]);
  });
}

for (const strategy of ['one_for_all', 'rest_for_one'] as const) {
  test(`temporary_bystander: a temporary child that ${strategy} takes down is not restarted, and forgotten`, async () => {
    const world = new World();
    const sup = await world.supervise({
      strategy,
      children: [world.worker('a'), world.worker('b', { restart: 'temporary' })],
    });
    const end = world.ended(world.ref('b'));
    await world.end('a');
    assert.equal(await end, 'shutdown');
    assert.deepEqual(await world.ids(sup), ['a']);
    assert.equal(world.incarnations('b').length, 1);
  });
}
