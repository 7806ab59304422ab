/** Simulations of three nodes (README.md). It replaces clocks and timers, so it needs its own process. */
import { test } from 'node:test';
import { simulateMany } from './seeds.ts';

test('nothing is lost in silence while three nodes lose one another, freeze and are killed', () =>
  simulateMany(300, 3));
