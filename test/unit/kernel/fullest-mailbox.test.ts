import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fullestMailbox } from '../../../src/kernel/fullest-mailbox.ts';
import { Gate, Puppet, TestKernel } from '../../support/actors.ts';
import { eventually } from '../../support/eventually.ts';

test('nobody is the fullest while nothing waits', async () => {
  const kernel = new TestKernel();
  await kernel.run(new Puppet());
  assert.equal(await fullestMailbox(kernel), undefined);
  kernel.halt();
});

test('who has the most messages waiting is found among more actors than are looked at at once', async () => {
  const kernel = new TestKernel();
  const gate = new Gate();
  const top = await kernel.run(new Puppet(), { label: 'top' });
  const some = await kernel.run(new Puppet(), { label: 'some', parent: top });
  for (let i = 0; i < 5001; i += 1) await kernel.run(new Puppet(), { label: 'idle' });
  const most = await kernel.run(new Puppet(), { label: 'most', parent: top });
  const busy = [some, most].map((ref) => kernel.ask(ref, { type: 'do', task: () => gate.promise }));
  await eventually(() => [some, most].every((ref) => kernel.inspect(ref)?.status === 'waiting'), 'both to be busy');
  for (let i = 0; i < 3; i += 1) some.tell('hello');
  for (let i = 0; i < 7; i += 1) most.tell('hello');
  assert.deepEqual(await fullestMailbox(kernel), { length: 7, path: 'top/most', pid: most.toString() });
  gate.open();
  await Promise.all(busy);
  kernel.halt();
});
