import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HiveError } from '../../../src/observe/errors.ts';
import { Puppet, TestKernel, within } from '../../support/actors.ts';
import { eventually } from '../../support/eventually.ts';

test('a name is known before init runs, and to one actor only', async () => {
  const kernel = new TestKernel();
  let inInit: unknown;
  const init = (): void => {
    inInit = kernel.whereis('only');
  };
  const ref = await kernel.run(new Puppet({ init }), { name: 'only' });
  assert.equal(inInit, ref);
  await assert.rejects(
    kernel.spawn(new Puppet(), { name: 'only' }),
    (error) => error instanceof HiveError && error.code === 'already_started',
  );
  assert.equal(kernel.whereis('only'), ref);
  assert.deepEqual(kernel.registered(), ['only']);
});

test('a name is free before anybody hears of the end of its bearer', async () => {
  const kernel = new TestKernel();
  const ref = await kernel.run(new Puppet(), { name: 'free' });
  let found: unknown = 'not called';
  kernel.watch(ref, () => {
    found = kernel.whereis('free');
  });
  await kernel.stop(ref);
  assert.equal(found, undefined);
});

test('a named reference leads to the present bearer', async () => {
  const kernel = new TestKernel();
  const named = kernel.remote<string>(kernel.node, 'role');
  named.tell('nobody');
  assert.equal(kernel.count('dead_letters'), 1);
  for (const round of ['first', 'second']) {
    const puppet = new Puppet();
    const ref = await kernel.run(puppet, { name: 'role' });
    named.tell(round);
    await eventually(() => puppet.seen.includes(round), 'the letter');
    await kernel.stop(ref);
  }
  await assert.rejects(kernel.ask(named, 'anybody?'), /No actor named role is running/);
});

test('a call by name fails when its bearer ends', async () => {
  const kernel = new TestKernel();
  const puppet = new Puppet();
  await kernel.run(puppet, { name: 'role' });
  const named = kernel.remote<string>(kernel.node, 'role');
  const call = kernel.ask(named, 'never answered');
  const failed = assert.rejects(call, (error) => error instanceof HiveError && error.code === 'not_running');
  await within(puppet, (self) => self.stop());
  await failed;
});

test('an address finds its actor for as long as that lives, and only within its boot', async () => {
  const kernel = new TestKernel();
  const ref = await kernel.run(new Puppet());
  assert.equal(kernel.local(ref.id, ref.serial, ref.creation), ref);
  assert.equal(kernel.local(ref.id, ref.serial, ref.creation + 1), undefined);
  await kernel.stop(ref);
  assert.equal(kernel.local(ref.id, ref.serial, ref.creation), undefined);
});
