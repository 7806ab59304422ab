import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BusiestSort, busiest } from '../../../src/kernel/busiest.ts';
import type { Ref } from '../../../src/kernel/types.ts';
import { Gate, Puppet, type PuppetMessage, TestKernel } from '../../support/actors.ts';

async function startAll(kernel: TestKernel, ...labels: string[]): Promise<Ref<PuppetMessage>[]> {
  return Promise.all(labels.map((label) => kernel.run(new Puppet(), { label })));
}

/** Looks while `meanwhile` happens. */
async function look(kernel: TestKernel, sort: BusiestSort, meanwhile: () => unknown, limit = 10) {
  const looking = busiest(kernel, { sort, limit, overMs: 50 });
  await meanwhile();
  return looking;
}

const say = (ref: Ref<PuppetMessage>, times: number): void => {
  for (let i = 0; i < times; i += 1) ref.tell('hello');
};

const settled = (kernel: TestKernel, ref: Ref<PuppetMessage>): Promise<unknown> =>
  kernel.ask(ref, { type: 'do', task: () => undefined });

test('every message is counted: messages, calls, and the ends of others', async () => {
  const kernel = new TestKernel();
  const [one, other] = await startAll(kernel, 'one', 'other');
  await kernel.ask(one!, { type: 'do', task: (puppet) => puppet.monitor(other!) });
  one!.tell('hello');
  await kernel.stop(other!);
  await settled(kernel, one!);
  assert.equal(kernel.inspect(one!)?.handled, 4);
  kernel.halt();
});

test('who handled the most while one looked comes first; what was before does not count', async () => {
  const kernel = new TestKernel();
  const [past, some, most, none] = await startAll(kernel, 'past', 'some', 'most', 'none');
  say(past!, 500);
  await settled(kernel, past!);
  const actors = await look(kernel, 'rate', () => {
    say(some!, 10);
    say(most!, 40);
    say(past!, 1);
  });
  assert.deepEqual(
    actors.map(({ label, handled }) => [label, handled]),
    [
      ['most', 40],
      ['some', 10],
      ['past', 502],
    ],
  );
  const [first, second] = actors;
  assert.ok(first!.rate > 0 && Math.abs(first!.rate / second!.rate - 4) < 0.1, `${first!.rate} and ${second!.rate}`);
  assert.equal(kernel.inspect(none!)?.handled, 0);
  kernel.halt();
});

test('actors that start or end meanwhile disturb nobody', async () => {
  const kernel = new TestKernel();
  const [gone, stays] = await startAll(kernel, 'gone', 'stays');
  say(stays!, 3);
  await settled(kernel, stays!);
  const actors = await look(kernel, 'rate', async () => {
    await kernel.stop(gone!);
    const [fresh] = await startAll(kernel, 'fresh');
    say(fresh!, 7);
    say(stays!, 2);
  });
  assert.deepEqual(
    actors.map(({ label, handled }) => [label, handled]),
    [
      ['fresh', 7],
      ['stays', 6],
    ],
  );
  kernel.halt();
});

test('by mailbox those come first for whom the most waits, and no more than were asked for', async () => {
  const kernel = new TestKernel();
  const [busy, short, long] = await startAll(kernel, 'busy', 'short', 'long');
  const gate = new Gate();
  for (const ref of [short!, long!]) ref.tell({ type: 'do', task: () => gate.promise } as PuppetMessage);
  say(short!, 3);
  say(long!, 9);
  const both = await look(kernel, 'mailbox', () => say(busy!, 50), 2);
  assert.deepEqual(
    both.map(({ label, mailbox, status }) => [label, mailbox.length, status]),
    [
      ['long', 9, 'waiting'],
      ['short', 3, 'waiting'],
    ],
  );
  const [first, ...more] = await look(kernel, 'rate', () => say(busy!, 50), 1);
  assert.deepEqual([first?.label, more], ['busy', []]);
  gate.open();
  kernel.halt();
});
