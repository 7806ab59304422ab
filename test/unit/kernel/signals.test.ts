import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AnyRef } from '../../../src/kernel/types.ts';
import { Puppet, type PuppetOptions, TestKernel, within } from '../../support/actors.ts';
import { eventually } from '../../support/eventually.ts';

async function pair(options: PuppetOptions = {}): Promise<{ kernel: TestKernel; one: Puppet; other: Puppet }> {
  const kernel = new TestKernel();
  const one = new Puppet(options);
  const other = new Puppet();
  await kernel.run(one);
  await kernel.run(other);
  return { kernel, one, other };
}

test('each monitor brings exactly one Down, with the reason', async () => {
  const { kernel, one, other } = await pair();
  const monitors = await within(one, (self) => [self.monitor(other.self), self.monitor(other.self)]);
  await kernel.stop(other.self, 'shutdown');
  await eventually(() => one.downs.length === 2, 'the Downs');
  assert.deepEqual(
    one.downs.map(({ monitor }) => monitor),
    monitors,
  );
  assert.ok(one.downs.every(({ ref, reason }) => ref === other.self && reason === 'shutdown'));
});

test('a monitor of a dead actor brings noproc', async () => {
  const { kernel, one, other } = await pair();
  await kernel.stop(other.self);
  await within(one, (self) => self.monitor(other.self));
  await eventually(() => one.downs[0]?.reason === 'noproc', 'the Down');
});

test('a monitor of another node brings noconnection while there is no transport', async () => {
  const { kernel, one } = await pair();
  await within(one, (self) => self.monitor(kernel.remotePid('far@away' as never, 1, 0, 5)));
  await eventually(() => one.downs[0]?.reason === 'noconnection', 'the Down');
});

test('a transport that answers a monitor at once is heard', async () => {
  const { kernel, one } = await pair();
  kernel.transport = {
    monitor: (watcher: AnyRef, monitor: number, target: AnyRef) =>
      kernel.signalDown(watcher, { monitor, ref: target, reason: 'noconnection' }),
    demonitor: () => assert.fail('it is over'),
  } as unknown as NonNullable<typeof kernel.transport>;
  await within(one, (self) => self.monitor(kernel.remotePid('far@away' as never, 1, 0, 5)));
  await eventually(() => one.downs.length === 1, 'the Down');
  await kernel.stop(one.self);
});

test('demonitor removes a Down that is queued already', async () => {
  const { kernel, one, other } = await pair();
  await within(one, (self) => {
    const monitor = self.monitor(other.self);
    kernel.exit(other.self, other.self, 'kill');
    self.cell.tell('between');
    self.demonitor(monitor);
  });
  await eventually(() => one.seen.length === 1, 'the message');
  assert.deepEqual(one.downs, []);
});

test('a watcher that another has called off is not told', async () => {
  const { kernel, other } = await pair();
  const told: string[] = [];
  kernel.onExit(other.self, () => {
    told.push('first');
    second[Symbol.dispose]();
  });
  const second = kernel.onExit(other.self, () => told.push('called off'));
  kernel.onExit(other.self, () => told.push('last'));
  await kernel.stop(other.self);
  assert.deepEqual(told, ['first', 'last']);
});

test('a watcher that throws is reported, and keeps nobody from being told', async () => {
  const { kernel, one, other } = await pair({ traps: true });
  kernel.onExit(other.self, () => assert.fail('clumsy'));
  await within(one, (self) => self.monitor(other.self));
  assert.equal(await kernel.stop(other.self), 'normal');
  await eventually(() => one.downs.length === 1, 'the Down');
  assert.equal(kernel.lines.filter(({ level }) => level === 'critical').length, 1);
});

test('a link takes the other down with the same reason', async () => {
  const { kernel, one, other } = await pair();
  await within(one, (self) => self.link(other.self));
  const end = kernel.ended(one.self);
  const failure = new Error('boom');
  other.self.tell({ type: 'do', task: () => assert.fail(failure) });
  assert.equal(await end, failure);
  assert.deepEqual(one.ends, []);
});

test('a linked actor that ends normally takes nobody down', async () => {
  const { kernel, one, other } = await pair();
  await within(one, (self) => self.link(other.self));
  await kernel.stop(other.self, 'normal');
  assert.equal(await within(one, () => 'alive'), 'alive');
});

test('an actor that traps exits hears of every end, once, with killed for kill', async () => {
  const { kernel, one, other } = await pair({ traps: true });
  await within(one, (self) => {
    self.link(other.self);
    self.link(other.self);
  });
  kernel.exit(one.self, other.self, 'kill');
  await eventually(() => one.exits.length > 0, 'the exit');
  assert.deepEqual(one.exits, [{ ref: other.self, reason: 'killed' }]);
});

test('a link to a dead actor brings noproc', async () => {
  const { kernel, one, other } = await pair({ traps: true });
  await kernel.stop(other.self);
  await within(one, (self) => self.link(other.self));
  await eventually(() => one.exits[0]?.reason === 'noproc', 'the exit');
  const plain = new Puppet();
  const end = kernel.ended(await kernel.run(plain));
  plain.self.tell({ type: 'do', task: (self) => self.link(other.self) });
  assert.equal(await end, 'noproc');
});

test('an unlinked actor is not told', async () => {
  const { kernel, one, other } = await pair({ traps: true });
  await within(one, (self) => {
    self.link(other.self);
    self.unlink(other.self);
  });
  kernel.exit(one.self, other.self, 'kill');
  assert.equal(await within(one, (self) => self.exits.length), 0);
  assert.equal(other.cell.links, undefined);
});

test('an exit signal is not the end of a link', async () => {
  const { kernel, one, other } = await pair({ traps: true });
  await within(one, (self) => self.link(other.self));
  await within(other, (self) => self.exit(one.self, 'hello'));
  await eventually(() => one.exits.length === 1, 'the signal');
  kernel.exit(one.self, other.self, 'kill');
  await eventually(() => one.exits.length === 2, 'the end of the linked actor');
  assert.deepEqual(
    one.exits.map(({ reason }) => reason),
    ['hello', 'killed'],
  );
});

test('the reason kill can be trapped when it comes from a link, and not when it is sent', async () => {
  const { kernel, one, other } = await pair({ traps: true });
  await within(one, (self) => self.link(other.self));
  await kernel.stop(other.self, 'kill');
  await eventually(() => one.exits[0]?.reason === 'kill', 'the exit');
  const end = kernel.ended(one.self);
  kernel.exit(other.self, one.self, 'kill');
  assert.equal(await end, 'killed');
});

test('signals reach an actor whose mailbox is full', async () => {
  const { kernel, one, other } = await pair({ traps: true, mailboxLimit: 1 });
  await within(one, (self) => {
    self.link(other.self);
    self.monitor(other.self);
    self.cell.tell('one');
    self.cell.tell('refused');
    kernel.exit(one.self, other.self, 'kill');
  });
  await eventually(() => one.exits.length === 1 && one.downs.length === 1, 'the signals');
  assert.deepEqual(one.seen, ['one']);
});

test('signals and messages of one actor arrive in the order in which it sent them', async () => {
  const { one, other } = await pair({ traps: true });
  const order: string[] = [];
  one.receive = (message) => void order.push(String(message));
  one.handleExit = ({ reason }) => void order.push(String(reason));
  await within(other, (self) => {
    self.send(one.self, '1');
    self.exit(one.self, '2');
    self.send(one.self, '3');
    self.exit(one.self, '4');
  });
  await eventually(() => order.length === 4, 'all four');
  assert.deepEqual(order, ['1', '2', '3', '4']);
});

test('a chain of links of any length ends link by link', async () => {
  // Each end was told within the end before it: a chain of 3,000 links overflowed the stack.
  const kernel = new TestKernel();
  const chain: Puppet[] = [];
  for (let i = 0; i < 30_000; i += 1) {
    const puppet = new Puppet();
    await kernel.run(puppet);
    chain.at(-1)?.cell.link(puppet.self);
    chain.push(puppet);
  }
  const end = kernel.ended(chain.at(-1)!.self);
  const middle = kernel.ended(chain[15_000]!.self);
  kernel.exit(chain[0]!.self, chain[0]!.self, 'boom');
  assert.deepEqual([await middle, await end], ['boom', 'boom']);
  assert.equal(chain.filter(({ alive }) => alive).length, 0);
});

test('a chain of actors that kill each other when they are told ends link by link', async () => {
  const kernel = new TestKernel();
  const chain: Puppet[] = [];
  for (let i = 0; i < 30_000; i += 1) {
    const puppet = new Puppet();
    await kernel.run(puppet);
    const last = chain.at(-1);
    if (last) kernel.onExit(last.self, () => kernel.exit(last.self, puppet.self, 'kill'));
    chain.push(puppet);
  }
  kernel.exit(chain[0]!.self, chain[0]!.self, 'kill');
  assert.equal(chain.at(-1)!.alive, false);
});

test('children of children of any depth leave the hierarchy with the last of them', async () => {
  const kernel = new TestKernel();
  let parent: Puppet | undefined;
  for (let i = 0; i < 10_000; i += 1) {
    const puppet = new Puppet({ traps: true });
    await kernel.run(puppet, parent ? { parent: parent.self } : {});
    if (parent) parent.cell.unlink(puppet.self);
    parent = puppet;
  }
  assert.equal(parent!.cell.path.split('/').length, 10_000);
  kernel.halt();
  assert.equal(parent!.cell.place, undefined);
});

test('a caller that throws when its call fails keeps nobody from being told', async () => {
  const { kernel, one, other } = await pair({ traps: true });
  await within(one, (self) => self.link(other.self));
  kernel.askThen(
    other.self,
    { type: 'do', task: () => new Promise(() => {}) },
    5000,
    () => {},
    () => assert.fail('clumsy'),
  );
  await eventually(() => other.cell.status === 'waiting', 'the call');
  kernel.exit(one.self, other.self, 'kill');
  await eventually(() => one.exits.length === 1, 'the exit');
  assert.equal(kernel.lines.filter(({ level }) => level === 'critical').length, 1);
});

test('a Down that was called off and one that was delivered leave nothing, and demonitor looks through no mailbox', async () => {
  // Each demonitor behind queued Downs took out and put back every message that waited.
  const { kernel, one } = await pair();
  const others: Puppet[] = [];
  for (let i = 0; i < 100; i += 1) {
    const puppet = new Puppet();
    await kernel.run(puppet);
    others.push(puppet);
  }
  let shifts = 0;
  await within(one, (self) => {
    const monitors = others.map((other) => self.monitor(other.self));
    for (const other of others) kernel.exit(other.self, other.self, 'kill');
    const { mailbox } = self.cell;
    const shift = mailbox.shift.bind(mailbox);
    mailbox.shift = () => {
      shifts += 1;
      return shift();
    };
    for (const monitor of monitors.slice(0, 50)) self.demonitor(monitor);
    assert.equal(shifts, 0);
  });
  await eventually(() => one.downs.length === 50, 'the other Downs');
  assert.deepEqual(
    one.downs.map(({ ref }) => ref),
    others.slice(50).map(({ self }) => self),
  );
  assert.equal(one.cell.mailbox.length, 0);
});
