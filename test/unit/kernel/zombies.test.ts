import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gate, Puppet, TestKernel } from '../../support/actors.ts';
import { eventually } from '../../support/eventually.ts';

/** Starts a handler that waits, kills its actor, and lets the handler go on with `task`. */
async function asZombie(kernel: TestKernel, zombie: Puppet, task: (self: Puppet) => unknown): Promise<void> {
  const gate = new Gate();
  const done = new Gate();
  const ref = await kernel.run(zombie, { label: 'zombie' });
  ref.tell({ type: 'do', task: (self) => gate.promise.then(() => task(self)).then(() => done.open(), done.fail) });
  await eventually(() => kernel.inspect(ref)?.status === 'waiting', 'the handler');
  kernel.exit(ref, ref, 'kill');
  assert.equal(kernel.abandoned()[0]?.label, 'zombie');
  gate.open();
  await done.promise;
  await eventually(() => kernel.abandoned().length === 0, 'the return');
}

test('a zombie can send, ask, signal and spawn nothing', async () => {
  const kernel = new TestKernel();
  const bystander = new Puppet({ traps: true });
  const ref = await kernel.run(bystander);
  await asZombie(kernel, new Puppet(), async (self) => {
    self.send(ref, 'from the grave');
    self.exit(ref, 'kill');
    self.link(ref);
    self.monitor(ref);
    await assert.rejects(self.ask(ref, 'from the grave'), /not running/);
    await assert.rejects(self.spawn(new Puppet()), /not running/);
    assert.equal(self.after(1, 'from the grave').pending, false);
    self.stop();
    assert.equal(self.alive, false);
    assert.equal(self.signal.aborted, true);
  });
  await kernel.ask(ref, { type: 'do', task: () => undefined });
  assert.deepEqual([bystander.seen, bystander.exits, bystander.cell.exitListeners], [[], [], undefined]);
  assert.equal(bystander.cell.links, undefined);
});

test("a zombie's crash is nobody's crash", async () => {
  const kernel = new TestKernel();
  const gate = new Gate();
  const zombie = new Puppet();
  const ref = await kernel.run(zombie);
  ref.tell({ type: 'do', task: () => gate.promise });
  await eventually(() => kernel.inspect(ref)?.status === 'waiting', 'the handler');
  kernel.exit(ref, ref, 'kill');
  gate.fail(new Error('too late'));
  await eventually(() => kernel.abandoned().length === 0, 'the return');
  assert.equal(kernel.count('crashes'), 0);
  assert.deepEqual(zombie.ends, []);
});

test('the answer of a zombie lands nowhere', async () => {
  const kernel = new TestKernel();
  const gate = new Gate<string>();
  const ref = await kernel.run(new Puppet());
  const call = kernel.ask(ref, { type: 'do', task: () => gate.promise });
  const failed = assert.rejects(call, /killed/);
  await eventually(() => kernel.inspect(ref)?.status === 'waiting', 'the handler');
  kernel.exit(ref, ref, 'kill');
  gate.open('too late');
  await failed;
});

test('a restarted actor is another: messages to the old one reach nobody', async () => {
  const kernel = new TestKernel();
  const old = await kernel.run(new Puppet(), { name: 'role' });
  await kernel.stop(old);
  const present = new Puppet();
  const ref = await kernel.run(present, { name: 'role' });
  old.tell('for the old one');
  await kernel.ask(ref, { type: 'do', task: () => undefined });
  assert.deepEqual(present.seen, []);
  assert.equal(kernel.count('dead_letters'), 1);
});
