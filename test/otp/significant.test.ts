import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Restart } from '../../src/kernel/supervision.ts';
import { Supervisor } from '../../src/supervisors/supervisor.ts';
import { World } from '../support/supervised.ts';

const significant = (restart: Restart) => ({ restart, significant: true });

test('nonsignificant_temporary: the end of a child that is not significant does not matter', async () => {
  for (const autoShutdown of ['never', 'any_significant', 'all_significant'] as const) {
    const world = new World();
    const sup = await world.supervise({ autoShutdown, children: [world.worker('a', { restart: 'temporary' })] });
    await world.end('a');
    assert.deepEqual(await world.children(sup), []);
  }
});

test('nonsignificant_transient: nor does that of a transient one', async () => {
  for (const autoShutdown of ['never', 'any_significant', 'all_significant'] as const) {
    const world = new World();
    const sup = await world.supervise({ autoShutdown, children: [world.worker('a', { restart: 'transient' })] });
    await world.end('a', 'normal');
    assert.deepEqual(await world.ids(sup), ['a']);
  }
});

test('significant_temporary: any end of it ends the supervisor', async () => {
  for (const reason of ['normal', 'shutdown', 'abnormal']) {
    const world = new World();
    const children = [world.worker('a', significant('temporary')), world.worker('b')];
    const sup = await world.supervise({ autoShutdown: 'any_significant', children });
    const end = world.ended(sup);
    await world.end('a', reason);
    assert.equal(await end, 'shutdown');
    assert.equal(world.puppet('b').alive, false);
  }
});

test('significant_temporary: with all_significant, the end of the last of them', async () => {
  const world = new World();
  const children = [world.worker('a', significant('temporary')), world.worker('b', significant('temporary'))];
  const sup = await world.supervise({ autoShutdown: 'all_significant', children: [...children, world.worker('c')] });
  const end = world.ended(sup);
  await world.end('b');
  assert.deepEqual(await world.ids(sup), ['a', 'c']);
  await world.end('a', 'normal');
  assert.equal(await end, 'shutdown');
});

test('significant_transient: only its planned end ends the supervisor', async () => {
  const world = new World();
  const sup = await world.supervise({
    autoShutdown: 'any_significant',
    children: [world.worker('a', significant('transient')), world.worker('b')],
  });
  const end = world.ended(sup);
  await world.end('a', 'abnormal');
  assert.equal((await world.child(sup, 'a'))?.ref, world.ref('a'));
  await world.end('a', 'normal');
  assert.equal(await end, 'shutdown');
});

test('significant_simple: children of dynamic supervisors cannot be significant', async () => {
  const world = new World();
  const sup = await world.superviseDynamically();
  await assert.rejects(world.startChild(sup, world.worker('a', significant('temporary'))), /auto-shutdown/);
});

test('significant_bystander: to be taken down with a sibling, or terminated, ends nobody else', async () => {
  for (const strategy of ['one_for_all', 'rest_for_one'] as const) {
    const world = new World();
    const sup = await world.supervise({
      strategy,
      autoShutdown: 'any_significant',
      children: [
        world.worker('a'),
        world.worker('b', significant('temporary')),
        world.worker('c', significant('transient')),
      ],
    });
    await world.end('a');
    assert.deepEqual(await world.ids(sup), ['a', 'c']);
    await world.terminateChild(sup, 'c');
    assert.deepEqual(await world.ids(sup), ['a', 'c']);
  }
});

test('significant_escalation: the end passes up through supervisors that are significant themselves', async () => {
  const world = new World();
  const inner = () =>
    new Supervisor({ autoShutdown: 'any_significant', children: [world.worker('a', significant('transient'))] });
  const sup = await world.supervise({
    autoShutdown: 'any_significant',
    children: [{ id: 'inner', type: 'supervisor', ...significant('transient'), start: inner }, world.worker('b')],
  });
  const end = world.ended(sup);
  await world.end('a', 'normal');
  assert.equal(await end, 'shutdown');
  assert.equal(world.puppet('b').alive, false);
});
