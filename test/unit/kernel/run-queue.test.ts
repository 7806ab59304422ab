import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HiveError } from '../../../src/observe/errors.ts';
import { Gate, Puppet, TestKernel } from '../../support/actors.ts';
import { eventually } from '../../support/eventually.ts';
import { fc } from '../../support/properties.ts';

test('messages of each sender arrive in their order, whether handlers wait or not', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(2), fc.boolean()), { maxLength: 300 }), async (messages) => {
      const kernel = new TestKernel();
      const received: number[][] = [[], [], []];
      const ref = await kernel.run(new Puppet());
      messages.forEach(([sender, waits], number) => {
        ref.tell({
          type: 'do',
          task: () => {
            received[sender]!.push(number);
            return waits ? Promise.resolve() : undefined;
          },
        });
      });
      await kernel.ask(ref, { type: 'do', task: () => undefined });
      for (const numbers of received)
        assert.deepEqual(
          numbers,
          [...numbers].sort((a, b) => a - b),
        );
      assert.equal(received.flat().length, messages.length);
      kernel.halt();
    }),
    { numRuns: 50 },
  );
});

test('an actor handles one message at a time', async () => {
  const kernel = new TestKernel();
  const ref = await kernel.run(new Puppet());
  let running = 0;
  for (let i = 0; i < 20; i += 1) {
    ref.tell({
      type: 'do',
      task: async () => {
        running += 1;
        assert.equal(running, 1);
        await Promise.resolve();
        running -= 1;
      },
    });
  }
  await kernel.ask(ref, { type: 'do', task: () => undefined });
});

test('an actor that never runs out of messages leaves the others their turns', async () => {
  const kernel = new TestKernel();
  const greedy = new Puppet();
  const ref = await kernel.run(greedy);
  greedy.receive = () => void ref.tell('again');
  ref.tell('once');
  const other = await kernel.run(new Puppet());
  for (let i = 0; i < 10; i += 1) await kernel.ask(other, { type: 'do', task: () => undefined });
  kernel.exit(ref, ref, 'kill');
});

test('a mailbox that is full refuses messages: calls fail, the rest is counted', async () => {
  const kernel = new TestKernel();
  const gate = new Gate();
  const puppet = new Puppet({ mailboxLimit: 2 });
  const ref = await kernel.run(puppet);
  ref.tell({ type: 'do', task: () => gate.promise });
  await eventually(() => kernel.inspect(ref)?.status === 'waiting', 'the handler');
  for (const message of ['1', '2', '3', '4']) ref.tell(message);
  await assert.rejects(kernel.ask(ref, 'call'), (error) => error instanceof HiveError && error.code === 'overloaded');
  assert.equal(kernel.count('dead_letters'), 3);
  gate.open();
  await eventually(() => puppet.seen.length === 2, 'the accepted messages');
  ref.tell('5');
  await eventually(() => puppet.seen.length === 3, 'the message after the jam');
});

// A manager whose mailbox was full never heard that the channel had started which it was starting, and waited for it for ever.
test('a full mailbox refuses nothing that the actor sends to itself, at once or later', async () => {
  const kernel = new TestKernel();
  const gate = new Gate();
  const puppet = new Puppet({ mailboxLimit: 1 });
  const ref = await kernel.run(puppet);
  ref.tell({
    type: 'do',
    task: (self) => {
      self.after(0, 'later');
      return gate.promise;
    },
  });
  await eventually(() => kernel.inspect(ref)?.status === 'waiting', 'the handler');
  for (const message of ['other', 'refused']) ref.tell(message);
  puppet.send(ref, 'own');
  await eventually(() => puppet.cell.mailbox.length === 3, 'the timer');
  gate.open();
  await eventually(() => puppet.seen.length === 3, 'the messages');
  assert.deepEqual(puppet.seen, ['other', 'own', 'later']);
  assert.equal(kernel.count('dead_letters'), 1);
  kernel.halt();
});

test('messages that an actor leaves behind are dead letters', async () => {
  const kernel = new TestKernel();
  const gate = new Gate();
  const ref = await kernel.run(new Puppet());
  ref.tell({ type: 'do', task: () => gate.promise });
  await eventually(() => kernel.inspect(ref)?.status === 'waiting', 'the handler');
  ref.tell('left');
  ref.tell('behind');
  kernel.exit(ref, ref, 'kill');
  assert.equal(kernel.count('dead_letters'), 2);
  ref.tell('too late');
  assert.equal(kernel.count('dead_letters'), 3);
});
