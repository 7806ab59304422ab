/** Who waits for other nodes, for how long, and what they are told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Confirmation, Confirmations } from '../../../../src/actors/pubsub/confirmations.ts';
import type { NodeName } from '../../../../src/kernel/types.ts';

const [b, c] = ['b@h', 'c@h'].map((node) => ({ node: node as NodeName })) as [Peer, Peer];
type Peer = { readonly node: NodeName };

const boundMs = 1000;

class Waiting {
  readonly told: string[] = [];
  readonly confirmations = new Confirmations<Peer>(
    {
      confirmed: (ms) => void this.told.push(`confirmed after ${ms}`),
      unconfirmed: () => void this.told.push('unconfirmed'),
    },
    boundMs,
  );
  /** The answers, by number. */
  readonly answers = new Map<number, readonly NodeName[]>();

  begin(number: number, now: number, awaited: readonly Peer[], missing: readonly Peer[] = []): void {
    const confirmation = new Confirmation(number, now);
    for (const peer of awaited) this.confirmations.await(confirmation, peer);
    for (const peer of missing) this.confirmations.miss(confirmation, peer);
    this.confirmations.begin(confirmation);
    confirmation.whenKnown((unconfirmed) => this.answers.set(number, unconfirmed));
  }

  /** The answers so far, as text. */
  async answered(): Promise<string> {
    await new Promise(setImmediate);
    return [...this.answers].map(([number, nodes]) => `${number}: ${nodes.join(' ')}`).join(', ');
  }
}

test('a publish is confirmed when the last node has it', async () => {
  const waiting = new Waiting();
  const { confirmations } = waiting;
  waiting.begin(5, 0, [b, c]);
  waiting.begin(7, 10, [b]);
  confirmations.taken(b, 6, 20);
  assert.equal(await waiting.answered(), '');
  confirmations.taken(c, 5, 30);
  assert.equal(await waiting.answered(), '5: ');
  confirmations.taken(b, 9, 40);
  assert.equal(await waiting.answered(), '5: , 7: ');
  assert.deepEqual(waiting.told, ['confirmed after 30', 'confirmed after 30']);
  assert.equal(confirmations.dueAt, undefined);
});

test('who is late is named after the bound, to everybody who waits for it', async () => {
  const waiting = new Waiting();
  const { confirmations } = waiting;
  waiting.begin(1, 0, [b, c]);
  waiting.begin(2, 500, [b]);
  waiting.begin(3, 900, [c]);
  confirmations.taken(c, 2, 600);
  assert.equal(confirmations.dueAt, boundMs);
  assert.deepEqual(confirmations.expire(boundMs - 1), []);
  assert.deepEqual(confirmations.expire(boundMs), [b]);
  assert.equal(await waiting.answered(), '1: b@h, 2: b@h');
  // The other one has its time still.
  assert.equal(confirmations.dueAt, 900 + boundMs);
  confirmations.taken(c, 3, 1000);
  assert.equal(await waiting.answered(), '1: b@h, 2: b@h, 3: ');
  assert.deepEqual(waiting.told, ['unconfirmed', 'unconfirmed', 'confirmed after 100']);
});

test('a node that is not waited for is named, though the others confirm', async () => {
  const waiting = new Waiting();
  waiting.begin(1, 0, [c], [b]);
  waiting.confirmations.taken(c, 1, 10);
  waiting.begin(2, 20, [], [b]);
  assert.equal(await waiting.answered(), '1: b@h, 2: b@h');
  assert.deepEqual(waiting.told, ['unconfirmed', 'unconfirmed']);
});

test('who asks when the answer is there already is told at once, and once', () => {
  const { confirmations } = new Waiting();
  const confirmation = new Confirmation(1, 0);
  confirmations.await(confirmation, b);
  confirmations.begin(confirmation);
  confirmations.release(b, 10);
  const told: (readonly NodeName[])[] = [];
  confirmation.whenKnown((unconfirmed) => void told.push(unconfirmed));
  confirmations.taken(b, 1, 20);
  assert.deepEqual(told, [['b@h']]);
});

test('a node that is lost altogether holds nobody up', async () => {
  const waiting = new Waiting();
  waiting.begin(1, 0, [b]);
  waiting.confirmations.release(b, 10);
  assert.equal(await waiting.answered(), '1: b@h');
  // What it says later concerns nobody.
  waiting.confirmations.taken(b, 1, 20);
  assert.deepEqual(waiting.told, ['unconfirmed']);
});

test('however many wait, and in whatever order they are answered, none is forgotten', async () => {
  const waiting = new Waiting();
  const { confirmations } = waiting;
  const count = 5000;
  for (let number = 1; number <= count; number += 1) waiting.begin(number, number, number % 2 === 0 ? [b] : [c]);
  for (let number = 100; number <= count; number += 100) confirmations.taken(b, number, count);
  assert.equal(confirmations.dueAt, 1 + boundMs);
  confirmations.taken(c, count, count);
  assert.equal(confirmations.dueAt, undefined);
  await waiting.answered();
  assert.equal(waiting.answers.size, count);
});
