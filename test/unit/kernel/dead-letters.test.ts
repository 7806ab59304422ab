import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeName } from '../../../src/kernel/types.ts';
import { never, Puppet, TestKernel } from '../../support/actors.ts';
import { eventually } from '../../support/eventually.ts';

const reasons = ['dead', 'full', 'unknown_name', 'no_connection'] as const;

function counted(kernel: TestKernel): number[] {
  return reasons.map((reason) => kernel.metrics.counter(`hive.dead_letters.${reason}`).value);
}

// They were one number, and no line.
test('a message that reaches nobody is counted by the reason, and the first of them logged', async () => {
  const kernel = new TestKernel();
  const gone = await kernel.run(new Puppet());
  await kernel.stop(gone);
  const busy = await kernel.run(new Puppet({ mailboxLimit: 1 }), { label: 'busy' });
  busy.tell({ type: 'do', task: never });
  await eventually(() => kernel.inspect(busy)?.status === 'waiting', 'the handler');
  busy.tell('waits');

  gone.tell('1');
  busy.tell({ type: 'do', task: never });
  await assert.rejects(kernel.ask(busy, { type: 'do', task: never }), { code: 'overloaded' });
  kernel.remote<string>(kernel.node, 'nobody').tell('1');
  kernel.remote<string>('far@away' as NodeName, 'somebody').tell('1');
  kernel.remotePid<string>('far@away' as NodeName, 1, 0, 5).tell('2');
  assert.deepEqual(counted(kernel), [1, 2, 1, 2]);
  assert.equal(kernel.count('dead_letters'), 6);
  assert.deepEqual(
    kernel.lines.map(({ level, message, fields }) => [level, message, fields]),
    [
      ['debug', 'A message reached nobody', { to: `${gone}`, reason: 'dead', type: 'string' }],
      ['warning', 'A message reached nobody', { to: `${busy}`, reason: 'full', type: 'do' }],
      [
        'warning',
        'A message reached nobody',
        { to: '{nobody, test@127.0.0.1}', reason: 'unknown_name', type: 'string' },
      ],
      ['notice', 'A message reached nobody', { to: '{somebody, far@away}', reason: 'no_connection', type: 'string' }],
    ],
  );
  kernel.exit(busy, busy, 'kill');
  assert.deepEqual(counted(kernel), [2, 2, 1, 2]);
  kernel.halt();
});
