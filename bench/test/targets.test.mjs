import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluate } from '../lib/targets.mjs';

const measured = {
  hive: [30, 12, 50],
  peer: [20, 10, 100],
  'hive:100': [100, 60, 10],
  'hive:1000': [90, 50, 8],
};
const figuresOf = (entry) => measured[entry];

test('a ratio is that of the rounds: what slows one round slows both of it', () => {
  const { value, reached } = evaluate({ of: 'hive', than: 'peer', atLeast: 1.3 }, figuresOf);
  assert.deepEqual({ value, reached }, { value: 1.2, reached: false });
  assert.equal(evaluate({ of: 'hive', than: 'peer', atMost: 1.3 }, figuresOf).reached, true);
});

test('without a peer the figure itself counts', () => {
  assert.equal(evaluate({ of: 'hive', atMost: 30 }, figuresOf).value, 30);
});

test('a difference is that of the rounds, too', () => {
  const { value, reached } = evaluate({ of: 'hive', than: 'peer', moreAtMost: 1 }, figuresOf);
  assert.deepEqual({ value, reached }, { value: 2, reached: false });
  assert.equal(evaluate({ of: 'hive', than: 'peer', moreAtMost: 2 }, figuresOf).reached, true);
});

test('what was not measured is not judged', () => {
  assert.equal(evaluate({ of: 'hive', than: 'ws', atLeast: 1 }, figuresOf), undefined);
  assert.equal(evaluate({ flat: ['hive:100', 'hive:10000'], within: 0.2 }, figuresOf), undefined);
});

test('figures are flat whose medians differ little', () => {
  const { value, reached } = evaluate({ flat: ['hive:100', 'hive:1000'], within: 0.25 }, figuresOf);
  assert.ok(Math.abs(value - 0.2) < 1e-9);
  assert.equal(reached, true);
});
