import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World } from '../support/supervised.ts';

test('a child that crashes is reported with its supervisor, itself and the reason', async () => {
  const world = new World();
  const sup = await world.supervise({ children: [world.worker('a')] });
  await world.end('a', new Error('boom'));
  await world.children(sup);
  const line = world.kernel.lines.find(({ level }) => level === 'error');
  assert.deepEqual(line, {
    level: 'error',
    message: 'sup: child a ended: boom',
    fields: { supervisor: 'sup', child: 'a', reason: 'boom' },
  });
});

test('planned ends of children that are not permanent are not reported', async () => {
  const world = new World();
  const children = [world.worker('a', { restart: 'transient' }), world.worker('b', { restart: 'temporary' })];
  const sup = await world.supervise({ children });
  await world.end('a', 'normal');
  await world.end('b', 'shutdown');
  await world.children(sup);
  assert.deepEqual(world.reports, []);
});

test('an inspection shows strategy, restarts used and allowed, and the children', async () => {
  const world = new World();
  const sup = await world.supervise({ intensity: 3, periodMs: 9000, children: [world.worker('a'), world.worker('b')] });
  await world.end('b', new Error('boom'));
  await world.children(sup);
  const state = JSON.parse(JSON.stringify(world.kernel.inspect(sup)?.state));
  const { lastExit } = state.children[1];
  assert.ok(lastExit.at > 0 && lastExit.agoMs >= 0);
  state.children[1].lastExit = { reason: lastExit.reason };
  assert.deepEqual(state, {
    strategy: 'one_for_one',
    intensity: { used: 1, allowed: 3, periodMs: 9000 },
    count: { specs: 2, active: 2, supervisors: 0, workers: 2 },
    children: [
      { id: 'a', ref: `${world.ref('a')}`, type: 'worker', restart: 'permanent', restarts: 0 },
      {
        id: 'b',
        ref: `${world.ref('b')}`,
        type: 'worker',
        restart: 'permanent',
        restarts: 1,
        lastExit: { reason: 'boom' },
      },
    ],
  });
});
