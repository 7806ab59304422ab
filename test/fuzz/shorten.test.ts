/** The fuzzer itself: what a seed determines, and how failures are made small. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shorten } from './shorten.ts';
import { makeCase, targetNames } from './targets/all.ts';

test('a seed determines every conversation, and another seed other ones', () => {
  for (const target of targetNames) {
    const numbers = Array.from({ length: 20 }, (_, number) => number);
    const made = (seed: string) => numbers.map((number) => makeCase(seed, target, number));
    assert.deepEqual(made('one'), made('one'));
    assert.notDeepEqual(made('one'), made('two'), target);
  }
});

test('a failure is made as small as it gets: the conversations and the steps without which it does not happen', async () => {
  const cases = Array.from({ length: 60 }, (_, number) => makeCase('one', 'websocket', number));
  const guilty = cases[41]!;
  const steps = guilty.steps.slice(1);
  const wanted = steps.findLast((step) => step.do === 'send')!;
  const fails = async (tried: typeof cases) => tried.some((one) => one.steps.includes(wanted));
  const shortest = await shorten(cases, (tried) => fails([...tried]), 60_000);
  const lines = shortest.split('\n');
  assert.equal(lines[0], guilty.id);
  assert.match(lines[1]!, /do: 'open'/);
  assert.match(lines[2]!, /^ {2}send \d+ bytes: "/);
  assert.equal(lines.length, 3);
});

test('a failure that does not happen again is named by its conversations', async () => {
  const cases = [makeCase('one', 'epmd', 1), makeCase('one', 'epmd', 2)];
  assert.equal(
    await shorten(cases, async () => false, 60_000),
    'These conversations alone do not lead to it again: epmd:1 epmd:2',
  );
});
