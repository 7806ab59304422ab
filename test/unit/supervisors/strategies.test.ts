import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Restart } from '../../../src/kernel/supervision.ts';
import type { Strategy } from '../../../src/supervisors/supervisor.ts';
import { fc } from '../../support/properties.ts';
import { World } from '../../support/supervised.ts';

/** What is expected of a child: how often it was started, and whether it runs or is forgotten. */
interface Expected {
  readonly id: string;
  readonly restart: Restart;
  starts: number;
  state: 'running' | 'stopped' | 'forgotten';
}

/** What the end of a child means for all, by the book. */
function afterEnd(children: Expected[], ended: number, reason: string, strategy: Strategy): void {
  const child = children[ended]!;
  child.state = child.restart === 'temporary' ? 'forgotten' : 'stopped';
  if (child.restart === 'temporary' || (child.restart === 'transient' && reason === 'normal')) return;
  const affected = strategy === 'one_for_one' ? [child] : strategy === 'one_for_all' ? children : children.slice(ended);
  for (const one of affected) {
    if (one.state === 'forgotten') continue;
    if (one.restart === 'temporary') one.state = 'forgotten';
    else {
      one.state = 'running';
      one.starts += 1;
    }
  }
}

test('whatever ends in whatever order, every strategy leaves running what the book says', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom<Strategy>('one_for_one', 'one_for_all', 'rest_for_one'),
      fc.array(fc.constantFrom<Restart>('permanent', 'transient', 'temporary'), { minLength: 1, maxLength: 5 }),
      fc.array(fc.tuple(fc.nat(4), fc.constantFrom('normal', 'abnormal')), { maxLength: 8 }),
      async (strategy, restarts, ends) => {
        const world = new World();
        const expected = restarts.map((restart, i): Expected => ({ id: `${i}`, restart, starts: 1, state: 'running' }));
        const children = restarts.map((restart, i) => world.worker(`${i}`, { restart }));
        const sup = await world.supervise({ strategy, intensity: 100, children });
        for (const [number, reason] of ends) {
          if (expected[number]?.state !== 'running') continue;
          await world.end(`${number}`, reason);
          afterEnd(expected, number, reason, strategy);
          const rows = await world.children(sup);
          for (const { id, state, starts } of expected) {
            const row = rows.find((candidate) => candidate.id === id);
            assert.equal(world.incarnations(id).length, starts);
            if (state === 'forgotten') assert.equal(row, undefined);
            else assert.equal(row?.ref, state === 'running' ? world.ref(id) : undefined);
            assert.equal(world.puppet(id).alive, state === 'running');
          }
        }
        world.events.length = 0;
        await world.kernel.stop(sup, 'shutdown');
        const running = expected.filter(({ state }) => state === 'running').map(({ id }) => `stop ${id}`);
        assert.deepEqual(world.events, running.reverse());
      },
    ),
    { numRuns: 100 },
  );
});
