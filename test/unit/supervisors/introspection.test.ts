import assert from 'node:assert/strict';
import { test } from 'node:test';
import { supervisionTree } from '../../../src/supervisors/introspection.ts';
import { PartitionSupervisor } from '../../../src/supervisors/partition-supervisor.ts';
import { Supervisor } from '../../../src/supervisors/supervisor.ts';
import type { TreeOptions } from '../../../src/supervisors/tree.ts';
import { never, Puppet } from '../../support/actors.ts';
import { type Supervised, World } from '../../support/supervised.ts';

async function house(clientCount = 10): Promise<{ world: World; root: Supervised }> {
  const world = new World();
  const clients = new PartitionSupervisor({ partitions: 2 });
  const root = await world.supervise({
    intensity: 3,
    children: [
      world.worker('a'),
      { id: 'inner', type: 'supervisor', start: () => new Supervisor({ children: [world.worker('b')] }) },
      { id: 'clients', type: 'supervisor', start: () => clients },
    ],
  });
  for (let i = 0; i < clientCount; i += 1)
    await world.startChild(clients.self, { id: `c${i}`, start: () => new Puppet() });
  return { world, root };
}

test('the tree shows kinds, states, restarts and mailboxes, as JSON', async () => {
  const { world, root } = await house();
  await world.end('a', new Error('boom'));
  await world.children(root);
  const tree = supervisionTree(root)!;
  assert.deepEqual(JSON.parse(JSON.stringify(tree)), tree);
  const { kind, status, strategy, intensity, count, children } = tree;
  assert.deepEqual(
    { kind, status, strategy, intensity, count },
    {
      kind: 'supervisor',
      status: 'running',
      strategy: 'one_for_one',
      intensity: { used: 1, allowed: 3, periodMs: 5000 },
      count: 3,
    },
  );
  const [a, inner, clients] = children!;
  assert.equal(a?.pid, world.ref('a').toString());
  assert.deepEqual([a?.id, a?.kind, a?.restarts, a?.lastExit?.reason], ['a', 'worker', 1, 'boom']);
  assert.deepEqual(a?.mailbox, { length: 0, peak: 0 });
  assert.ok(a!.ageMs! >= 0);
  assert.deepEqual([inner?.id, inner?.children?.[0]?.id], ['inner', 'b']);
  assert.deepEqual(
    clients?.children?.map(({ id, strategy, count }) => [id, strategy, count]),
    [
      ['0', 'simple_one_for_one', 5],
      ['1', 'simple_one_for_one', 5],
    ],
  );
});

test('unless asked for more, the tree of a full node is short', async () => {
  const { root } = await house(204);
  const listed = (options: TreeOptions) =>
    supervisionTree(root, options)
      ?.children?.at(-1)
      ?.children?.map(({ count, children }) => [count, children?.length]);
  assert.deepEqual(listed({}), [
    [102, 50],
    [102, 50],
  ]);
  assert.deepEqual(listed({ limit: 101 }), [
    [102, 101],
    [102, 101],
  ]);
  assert.equal(supervisionTree(root, { path: 'clients/1' })?.children?.length, 100);
});

test('depth and limit cut the tree; counts stay whole', async () => {
  const { root } = await house();
  assert.equal(supervisionTree(root, { depth: 0 })?.children, undefined);
  const shallow = supervisionTree(root, { depth: 1 })!;
  assert.deepEqual(
    shallow.children?.map(({ count, children }) => [count, children]),
    [
      [undefined, undefined],
      [1, undefined],
      [2, undefined],
    ],
  );
  const clients = supervisionTree(root, { limit: 3 })?.children?.[2]?.children?.[0];
  assert.deepEqual([clients?.count, clients?.children?.length], [5, 3]);
});

test('a child that does not run is shown as stopped', async () => {
  const { world, root } = await house();
  await world.terminateChild(root, 'a');
  const a = supervisionTree(root)?.children?.[0];
  assert.deepEqual([a?.pid, a?.status, a?.lastExit?.reason], [null, 'stopped', 'shutdown']);
});

test('the tree can be read while its supervisor waits, and not when it has ended', async () => {
  const world = new World();
  const root = await world.supervise({ children: [world.worker('a')] });
  const hanging = world.startChild(root, world.worker('b', { shutdown: 1 }, { init: never }));
  const failed = assert.rejects(hanging);
  await world.kernel.ask(await world.kernel.run(new Puppet()), { type: 'do', task: () => undefined });
  assert.equal(supervisionTree(root)?.status, 'waiting');
  await world.kernel.stop(root, 'shutdown');
  await failed;
  assert.equal(supervisionTree(root), undefined);
});

test('the children with the most messages come first, if asked for', async () => {
  const world = new World();
  const root = await world.supervise({ children: [world.worker('a'), world.worker('b'), world.worker('c')] });
  for (const [id, messages] of [
    ['b', 3],
    ['c', 1],
  ] as const) {
    for (let i = 0; i < messages; i += 1) world.ref(id).tell('message' as never);
  }
  const ids = (sort: 'mailbox' | undefined) => supervisionTree(root, { sort, limit: 2 })?.children?.map(({ id }) => id);
  assert.deepEqual(
    [ids('mailbox'), ids(undefined)],
    [
      ['b', 'c'],
      ['a', 'b'],
    ],
  );
});

test('partitions are left out of a flat tree: their children are those of the supervisor, by name of their partition', async () => {
  const { root } = await house(7);
  const clients = (options: TreeOptions) => supervisionTree(root, { path: 'clients', flat: true, ...options })!;
  const { children, ...whole } = clients({});
  assert.deepEqual([whole.strategy, whole.count, whole.partitions], ['one_for_one', 7, 2]);
  assert.deepEqual(
    children?.map(({ id, partition }) => [id, partition]),
    [
      ['c0', '0'],
      ['c2', '0'],
      ['c4', '0'],
      ['c6', '0'],
      ['c1', '1'],
      ['c3', '1'],
      ['c5', '1'],
    ],
  );
  assert.deepEqual([clients({ depth: 0 }).count, clients({ depth: 0 }).children], [7, undefined]);
  const short = clients({ limit: 5 });
  assert.deepEqual([short.count, short.children?.length], [7, 5]);
});

test('a flat tree has the children with the fullest mailboxes first, of all partitions', async () => {
  const world = new World();
  const partitioned = new PartitionSupervisor({ partitions: 2 });
  await world.kernel.run(partitioned, { label: 'sup' });
  for (const id of ['a', 'b', 'c', 'd']) await world.startChild(partitioned.self, world.worker(id));
  for (const [id, messages] of [
    ['c', 1],
    ['b', 2],
    ['d', 3],
  ] as const) {
    for (let i = 0; i < messages; i += 1) world.ref(id).tell('message' as never);
  }
  const sorted = supervisionTree(partitioned.self, { flat: true, sort: 'mailbox', limit: 3 })!;
  assert.deepEqual(
    sorted.children?.map(({ id, partition }) => [id, partition]),
    [
      ['d', '1'],
      ['b', '1'],
      ['c', '0'],
    ],
  );
});
