import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AnyRef } from '../../../src/kernel/types.ts';
import { HiveError } from '../../../src/observe/errors.ts';
import { Puppet, type PuppetMessage, TestKernel, within } from '../../support/actors.ts';
import { eventually } from '../../support/eventually.ts';

test('a name stands for whoever bears it: monitored, linked, sent an exit signal, watched and stopped', async () => {
  // Monitors brought noconnection, the others had no effect.
  const kernel = new TestKernel();
  const named = kernel.remote<PuppetMessage>(kernel.node, 'named') as AnyRef;
  const observer = new Puppet({ traps: true });
  await kernel.run(observer);
  const first = await kernel.run(new Puppet({ traps: true }), { name: 'named' });
  await within(observer, (self) => {
    self.monitor(named);
    self.link(named);
    self.exit(named, 'kill');
  });
  await eventually(() => observer.downs.length + observer.exits.length === 2, 'the end');
  assert.deepEqual(observer.downs[0], { monitor: observer.downs[0]!.monitor, ref: named, reason: 'killed' });
  assert.deepEqual(observer.exits[0], { ref: first, reason: 'killed' });

  const second = new Puppet();
  await kernel.run(second, { name: 'named' });
  const watched = new Promise((resolve) => kernel.onExit(named, resolve));
  await within(observer, (self) => {
    self.link(named);
    self.unlink(named);
    self.demonitor(self.monitor(named));
  });
  assert.equal(second.cell.links, undefined);
  assert.equal(await kernel.stop(named, 'shutdown'), 'shutdown');
  assert.equal(await watched, 'shutdown');
  assert.deepEqual(second.ends, ['shutdown']);

  assert.equal(await kernel.stop(named), 'noproc');
  await within(observer, (self) => {
    self.monitor(named);
    self.link(named);
    self.exit(named, 'kill');
  });
  await eventually(() => observer.downs.length + observer.exits.length === 4, 'noproc, twice');
  assert.deepEqual([observer.downs[1]!.reason, observer.exits[1]!.reason], ['noproc', 'noproc']);
});

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
  kernel.onExit(ref, () => {
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
    await eventually(() => puppet.seen.includes(round), 'the message');
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
