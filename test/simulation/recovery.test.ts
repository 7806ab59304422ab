/** Simulations of clients that lose their connections (README.md). It replaces clocks and timers, so it needs its own process. */
import { test } from 'node:test';
import { simulateMany } from './seeds.ts';

test('every client hears everything once and in order, or is told that it is not recovered', () =>
  simulateMany(1000, 1));
