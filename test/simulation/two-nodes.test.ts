/** Simulations of two nodes (README.md). It replaces clocks and timers, so it needs its own process. */
import { test } from 'node:test';
import { simulateMany } from './seeds.ts';

test('nothing is lost in silence while two nodes lose one another, freeze and are killed', () => simulateMany(500, 2));
