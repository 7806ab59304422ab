import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../support/eventually.ts';
import { World } from '../../support/supervised.ts';

const many = 1000;

// Every start, end and removal looked through all children for the one of that id or reference.
test('to start, end, restart, terminate and delete one child of a thousand, none of the others is looked at', async (t) => {
  const world = new World();
  const children = Array.from({ length: many }, (_, i) => world.worker(`${i}`));
  const sup = await world.supervise({ children });
  let walked = 0;
  const walks = ['find', 'filter', 'some', 'includes', 'indexOf', 'slice', 'map'] as const;
  const originals = walks.map((name) => [name, Array.prototype[name]] as const);
  t.after(() => {
    for (const [name, value] of originals) {
      Object.defineProperty(Array.prototype, name, { value, writable: true, configurable: true });
    }
  });
  for (const [name, original] of originals) {
    const counting = function (this: unknown[], ...args: unknown[]): unknown {
      if (this.length >= many) walked += 1;
      return Reflect.apply(original, this, args);
    };
    Object.defineProperty(Array.prototype, name, { value: counting, writable: true, configurable: true });
  }
  await world.startChild(sup, world.worker('new'));
  await world.end('500');
  await eventually(() => world.incarnations('500').length === 2, 'the restart');
  await world.terminateChild(sup, 'new');
  await world.restartChild(sup, 'new');
  await world.terminateChild(sup, 'new');
  await world.deleteChild(sup, 'new');
  await world.startChild(sup, world.worker('short', { restart: 'temporary' }));
  await world.end('short', 'normal');
  assert.deepEqual([walked, await world.count(sup)], [0, { specs: many, active: many, supervisors: 0, workers: many }]);
});
