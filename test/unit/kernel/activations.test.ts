import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as round } from 'node:timers/promises';
import { Actor } from '../../../src/kernel/actor.ts';
import { RunQueue } from '../../../src/kernel/run-queue.ts';
import type { AnyRef, From, Ref } from '../../../src/kernel/types.ts';
import { TestKernel } from '../../support/actors.ts';

/** Turns whose activations the test itself carries out. */
function turnsAndAsked(sliceMs?: number): { turns: RunQueue; asked: () => number } {
  let asked = 0;
  const turns = new RunQueue(() => {
    asked += 1;
  }, sliceMs);
  return { turns, asked: () => asked };
}

test('one activation is asked for, and serves all who are in line, in their order', async () => {
  const { turns, asked } = turnsAndAsked();
  const served: number[] = [];
  for (let i = 0; i < 100; i += 1) turns.add({ runSlice: () => void served.push(i) });
  assert.equal(asked(), 1);
  await turns.activation();
  assert.deepEqual(
    served,
    Array.from({ length: 100 }, (_, i) => i),
  );
  turns.add({ runSlice: () => void served.push(100) });
  assert.equal(asked(), 2);
});

test('who gets in line during an activation, or by a promise that a turn fulfils, is served by the same', async () => {
  const { turns, asked } = turnsAndAsked(Number.POSITIVE_INFINITY);
  const served: string[] = [];
  const late = { runSlice: () => void served.push('late') };
  const promised = { runSlice: () => void served.push('promised') };
  const fulfil = async () => {
    for (let i = 0; i < 10; i += 1) await undefined;
    turns.add(promised);
  };
  turns.add({
    runSlice: () => {
      turns.add(late);
      void fulfil();
    },
  });
  await turns.activation();
  assert.deepEqual(served, ['late', 'promised']);
  assert.equal(asked(), 1);
});

test('a line that never ends is served in slices', async () => {
  const { turns, asked } = turnsAndAsked();
  const endless = { runSlice: () => turns.add(endless) };
  turns.add(endless);
  await turns.activation();
  assert.equal(asked(), 2);
});

test('who hurries has everybody served who is in line or gets there, once, and the activation finds nobody', async () => {
  const { turns, asked } = turnsAndAsked(Number.POSITIVE_INFINITY);
  const served: string[] = [];
  const second = { runSlice: () => void served.push('second') };
  turns.add({
    runSlice: () => {
      served.push('first');
      turns.add(second);
      turns.runNow();
      assert.deepEqual(served, ['first'], 'a turn within a turn');
    },
  });
  turns.runNow();
  assert.deepEqual(served, ['first', 'second']);
  await turns.activation();
  assert.deepEqual(served, ['first', 'second']);
  assert.equal(asked(), 1);
  turns.add(second);
  assert.equal(asked(), 2);
});

test('a line that never ends is hurried through for one slice, and goes on with the activation', async () => {
  const { turns, asked } = turnsAndAsked();
  let served = 0;
  const endless = {
    runSlice: () => {
      served += 1;
      turns.add(endless);
    },
  };
  turns.add(endless);
  turns.runNow();
  const before = served;
  await turns.activation();
  assert.ok(served > before);
  assert.equal(asked(), 2);
});

class Player extends Actor<AnyRef> {
  received = 0;
  receive(other: AnyRef, _from: From | undefined): void {
    this.received += 1;
    (other as Ref<AnyRef>).tell(this.self as AnyRef);
  }
}

test('actors that never stop sending to each other leave the event loop its turn', async () => {
  const kernel = new TestKernel();
  const [one, other] = [new Player(), new Player()];
  await kernel.run(one);
  await kernel.run(other);
  one.self.tell(other.self as AnyRef);
  const before = one.received;
  for (let i = 0; i < 5; i += 1) await round();
  assert.ok(one.received > before);
  kernel.halt();
});
