import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Actor } from '../../../src/kernel/actor.ts';
import { type From, Shutdown } from '../../../src/kernel/types.ts';
import { HiveError } from '../../../src/observe/errors.ts';
import { Gate, never, Puppet, type PuppetMessage, TestKernel, within } from '../../support/actors.ts';
import { eventually } from '../../support/eventually.ts';

const failsWith = (code: string) => (error: unknown) => error instanceof HiveError && error.code === code;
const anything: PuppetMessage = { type: 'do', task: () => 42 };
const nothing: PuppetMessage = { type: 'do', task: never };

class Clerk extends Actor<'call' | 'answer'> {
  readonly waiting: From[] = [];
  receive(message: 'call' | 'answer', from: From | undefined): void {
    if (message === 'call') this.waiting.push(from!);
    else for (const waiting of this.waiting.splice(0)) waiting.reply('late');
  }
}

test('an answer may come later than the handler that got the call', async () => {
  const kernel = new TestKernel();
  const ref = await kernel.run(new Clerk());
  const answer = kernel.ask(ref, 'call');
  ref.tell('answer');
  assert.equal(await answer, 'late');
});

test('a call that is not answered in time fails with timeout, and a later answer lands nowhere', async () => {
  const kernel = new TestKernel();
  const clerk = new Clerk();
  const ref = await kernel.run(clerk);
  await assert.rejects(kernel.ask(ref, 'call', 1), failsWith('timeout'));
  ref.tell('answer');
  assert.equal(await kernel.ask(await kernel.run(new Puppet()), anything), 42);
  assert.equal(clerk.cell.calls, undefined);
});

test('only the first answer counts', async () => {
  const kernel = new TestKernel();
  const twice = new (class extends Actor<'call'> {
    receive(_message: 'call', from: From | undefined): void {
      from?.reply(1);
      from?.reply(2);
      from?.fail(new Error('3'));
    }
  })();
  assert.equal(await kernel.ask(await kernel.run(twice), 'call'), 1);
});

test('a call to an actor that has ended fails at once', async () => {
  const kernel = new TestKernel();
  const ref = await kernel.run(new Puppet());
  await kernel.stop(ref);
  await assert.rejects(kernel.ask(ref, anything), failsWith('not_running'));
});

test('calls to an actor that ends fail: those it handles, those that wait, those that come while it terminates', async () => {
  const kernel = new TestKernel();
  const puppet = new Puppet({ terminate: never });
  const ref = await kernel.run(puppet);
  const handled = assert.rejects(kernel.ask(ref, nothing), failsWith('crashed'));
  await eventually(() => kernel.inspect(ref)?.status === 'waiting', 'the handler');
  const waiting = assert.rejects(kernel.ask(ref, anything), failsWith('crashed'));
  kernel.exit(ref, ref, 'kill');
  await handled;
  await waiting;

  const slow = await kernel.run(new Puppet({ terminate: never }));
  void kernel.stop(slow);
  await eventually(() => kernel.inspect(slow)?.status === 'stopping', 'terminate');
  await assert.rejects(kernel.ask(slow, anything), failsWith('not_running'));
});

test('the caller of an actor that crashes learns the reason', async () => {
  const kernel = new TestKernel();
  const ref = await kernel.run(new Puppet());
  const failure = new Error('boom');
  const call = kernel.ask(ref, { type: 'do', task: () => assert.fail(failure) });
  await assert.rejects(call, (error) => failsWith('crashed')(error) && (error as Error).cause === failure);
});

test('the caller of an actor that ends as planned learns the reason, too', async () => {
  const kernel = new TestKernel();
  const ref = await kernel.run(new Puppet());
  const call = kernel.ask(ref, nothing);
  const failed = assert.rejects(call, { code: 'not_running', message: /ended before it answered: shutdown: enough/ });
  await eventually(() => kernel.inspect(ref)?.status === 'waiting', 'the handler');
  kernel.exit(ref, ref, new Shutdown('enough'));
  await failed;
});

test('the calls of an actor that ends fail, so that its zombie does not wait for ever', async () => {
  const kernel = new TestKernel();
  const callee = await kernel.run(new Puppet());
  const caller = new Puppet();
  const ref = await kernel.run(caller);
  const failed = new Gate<unknown>();
  ref.tell({ type: 'do', task: (self) => self.ask(callee, nothing).catch((error) => failed.open(error)) });
  await eventually(() => kernel.inspect(callee)?.status === 'waiting', 'the call');
  kernel.exit(ref, ref, 'kill');
  assert.ok(failsWith('not_running')(await failed.promise));
});

test('an actor that calls itself, by whatever reference, fails at once', async () => {
  const kernel = new TestKernel();
  const puppet = new Puppet();
  await kernel.run(puppet, { name: 'me' });
  const named = kernel.remote<PuppetMessage>(kernel.node, 'me');
  for (const self of [puppet.self, named]) {
    await within(puppet, () => assert.rejects(puppet.ask(self, anything), /calls itself/));
  }
});

test('a call that was passed on fails with whom has it then', async () => {
  const kernel = new TestKernel();
  const second = await kernel.run(new Clerk());
  const first = new (class extends Actor<'call'> {
    receive(_message: 'call', from: From | undefined): void {
      second.call('call', from!);
    }
  })();
  const ref = await kernel.run(first);
  const call = assert.rejects(kernel.ask(ref, 'call'), failsWith('not_running'));
  await eventually(() => kernel.inspect(second)?.lastMessage === 'string', 'the call');
  await kernel.stop(ref);
  await kernel.stop(second);
  await call;
});

test('a call without a deadline waits', async () => {
  const kernel = new TestKernel();
  const ref = await kernel.run(new Clerk());
  const answer = kernel.ask(ref, 'call', Number.POSITIVE_INFINITY);
  assert.equal(kernel.wheel.pending, 0);
  ref.tell('answer');
  assert.equal(await answer, 'late');
});
