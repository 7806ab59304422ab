/** Crashes, kills, starts and stops at random, all at once: the tree must stand, and leave nothing when it ends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChildSpec } from '../../src/kernel/supervision.ts';
import { PartitionSupervisor } from '../../src/supervisors/partition-supervisor.ts';
import { Supervisor } from '../../src/supervisors/supervisor.ts';
import { Puppet } from '../support/actors.ts';
import { eventually } from '../support/eventually.ts';
import { fc } from '../support/properties.ts';
import { type Supervised, World } from '../support/supervised.ts';

/** Restarts that no storm uses up. */
const plenty = { intensity: 1_000_000 };
const managers = ['m0', 'm1', 'm2', 'm3'];

const blow = fc.oneof(
  fc.record({ kind: fc.constant('kill manager' as const), which: fc.nat(3) }),
  fc.record({ kind: fc.constant('crash manager' as const), which: fc.nat(3) }),
  fc.record({ kind: fc.constant('kill supervisor' as const), which: fc.nat(1) }),
  fc.record({ kind: fc.constant('start clients' as const), which: fc.nat(20) }),
  fc.record({ kind: fc.constant('crash client' as const), which: fc.nat(50) }),
  fc.record({ kind: fc.constant('terminate client' as const), which: fc.nat(50) }),
  fc.record({ kind: fc.constant('breathe' as const), which: fc.nat(1) }),
);

/** A client whose init and farewell take a few turns. */
function client(id: string): ChildSpec<never> {
  const aWhile = async (): Promise<void> => {
    for (let i = 0; i < 3; i += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  return { id, start: () => new Puppet({ traps: true, init: aWhile, terminate: aWhile }) };
}

test('a tree stands in any storm, and leaves nothing behind', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(blow, { maxLength: 120 }),
      fc.constantFrom('one_for_one', 'one_for_all', 'rest_for_one'),
      async (storm, strategy) => {
        const world = new World();
        const { kernel } = world;
        const children = managers.map((id) => world.worker(id, { name: id }));
        const root: Supervised = await world.supervise({
          ...plenty,
          children: [
            {
              id: 'managers',
              type: 'supervisor',
              start: () => new Supervisor({ ...plenty, strategy, children }),
            },
            {
              id: 'clients',
              name: 'clients',
              type: 'supervisor',
              start: () => new PartitionSupervisor({ ...plenty, partitions: 3 }),
            },
          ],
        });
        const clients = kernel.remote(kernel.node, 'clients') as unknown as Supervised;
        const rows = async (): Promise<{ ref?: unknown }[]> => world.children(clients).catch(() => []);
        const calls: Promise<unknown>[] = [];
        const bosses = async (): Promise<unknown[]> => (await world.children(root)).map(({ ref }) => ref);

        for (const { kind, which } of storm) {
          const manager = kernel.whereis<never>(`m${which}`);
          if (kind === 'kill manager' && manager) kernel.exit(root, manager, 'kill');
          if (kind === 'crash manager' && manager) void kernel.stop(manager, new Error('storm'));
          if (kind === 'kill supervisor') {
            const boss = (await bosses())[which];
            if (typeof boss === 'object') kernel.exit(root, boss as never, 'kill');
          }
          if (kind === 'start clients') {
            for (let i = 0; i < which; i += 1) calls.push(world.startChild(clients, client(`c${i}`)).catch(() => {}));
          }
          if (kind === 'crash client' || kind === 'terminate client') {
            const ref = (await rows())[which]?.ref;
            if (typeof ref !== 'object' || ref === null) continue;
            if (kind === 'crash client') void kernel.stop(ref as never, new Error('storm'));
            else calls.push(world.terminateChild(clients, ref as never).catch(() => {}));
          }
          if (kind === 'breathe') await new Promise((resolve) => setImmediate(resolve));
        }

        await Promise.all(calls);
        await eventually(async () => {
          const all = await bosses();
          return all.every((boss) => typeof boss === 'object') && managers.every((id) => kernel.whereis(id));
        }, 'the calm');
        const newcomer = await eventually(
          () => world.startChild(clients, client('newcomer')).catch(() => undefined),
          'a client after the storm',
        );
        assert.ok(kernel.inspect(newcomer));

        assert.equal(await kernel.stop(root, 'shutdown'), 'shutdown');
        const running = (): unknown => kernel.metrics.tree('hive.actors.running')?.hive;
        await eventually(() => JSON.stringify(running()) === '{"actors":{"running":0}}', 'the end of everybody');
        kernel.repeated.settle();
        assert.deepEqual([kernel.registered(), kernel.abandoned(), kernel.wheel.pending], [[], [], 0]);
      },
    ),
    { numRuns: 60 },
  );
});
