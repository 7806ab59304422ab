import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AnyRef, From } from '../../../src/kernel/types.ts';
import { DynamicSupervisor } from '../../../src/supervisors/dynamic-supervisor.ts';
import { PartitionSupervisor } from '../../../src/supervisors/partition-supervisor.ts';
import { Supervisor } from '../../../src/supervisors/supervisor.ts';
import { Puppet, TestKernel, within } from '../../support/actors.ts';
import { eventually } from '../../support/eventually.ts';
import { failsWith } from '../../support/supervised.ts';

const thrower = new Proxy(
  {},
  {
    get() {
      throw new Error('hands off');
    },
  },
);

/** None of them is a message. */
const nothings = [null, undefined, thrower];

/** What a supervisor could take for a message of its own if it looked at its type only. */
const halves = [
  17,
  'which_children',
  [],
  {},
  Object.create(null),
  () => {},
  { type: 'no such' },
  { type: 'start_child' },
  { type: 'start_child', child: null },
  { type: 'start_child', child: { id: 'a' } },
  { type: 'start_child', child: { id: 7, start: () => new Puppet() } },
  { type: 'terminate_child' },
  { type: 'terminate_child', child: null },
  { type: 'restart_child' },
  { type: 'delete_child', id: {} },
  { type: 'try_again' },
  { type: 'try_again', child: { ref: 'restarting' } },
];

function anything(ref: AnyRef): { tell(message: unknown): void; call(message: unknown, from: From): void } {
  return ref as never;
}

const unexpected = (kernel: TestKernel): number => kernel.metrics.counter('hive.actors.unexpected').value;

test('what is no message reaches no actor: it is counted and logged, and who asks is told', async () => {
  const kernel = new TestKernel();
  const puppet = new Puppet();
  const ref = await kernel.run(puppet);
  for (const nothing of nothings) {
    anything(ref).tell(nothing);
    await assert.rejects(kernel.ask(anything(ref) as never, nothing as never), failsWith('bad_request'));
  }
  assert.equal(await within(puppet, () => 'alive'), 'alive');
  assert.equal(unexpected(kernel), 6);
  assert.deepEqual(
    kernel.lines.map(({ level, fields }) => [level, fields?.type]),
    [['warning', 'none']],
  );
  kernel.halt();
});

// `null` to the root supervisor, or `try_again` without a child, ended the node.
for (const [name, make] of [
  ['a supervisor', () => new Supervisor({ children: [] })],
  ['a dynamic supervisor', () => new DynamicSupervisor()],
  ['a partition supervisor', () => new PartitionSupervisor({ partitions: 2 })],
] as const) {
  test(`${name} survives whatever it is sent`, async () => {
    const kernel = new TestKernel();
    const ref = await kernel.run(make() as Supervisor);
    const before = await kernel.ask(ref, { type: 'count_children' });
    for (const message of [...nothings, ...halves]) {
      anything(ref).tell(message);
      await assert.rejects(kernel.ask(anything(ref) as never, message as never), failsWith('bad_request'));
    }
    assert.deepEqual(await kernel.ask(ref, { type: 'count_children' }), before);
    assert.equal(unexpected(kernel), 2 * (nothings.length + halves.length));
    assert.equal(kernel.count('crashes'), 0);
    kernel.halt();
  });
}

test('from other nodes an actor gets only what it admits; a check that fails admits nothing', async () => {
  const kernel = new TestKernel();
  const shy = new Puppet();
  const open = new (class extends Puppet {
    override admits(message: unknown): boolean {
      if (message === 'throw') throw new Error('the check itself is faulty');
      return typeof message === 'string';
    }
  })();
  for (const puppet of [shy, open]) await kernel.run(puppet);
  for (const message of ['hello', 'throw', { type: 'do', task: assert.fail }, null]) {
    kernel.foreign(shy.self, message, undefined);
    kernel.foreign(open.self, message, undefined);
  }
  await eventually(() => open.seen.length > 0, 'the message');
  assert.deepEqual([open.seen, shy.seen], [['hello'], []]);
  assert.equal(unexpected(kernel), 7);
  const failed = new Promise((_, fail) => kernel.foreign(shy.self, 'hello', { reply: assert.fail, fail }));
  await assert.rejects(failed, failsWith('bad_request'));
  kernel.halt();
});
