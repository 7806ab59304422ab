/** Simulations of one node whose sessions outlive it (README.md). It replaces clocks and timers, so it needs its own process. */
import { test } from 'node:test';
import { simulateMany } from './seeds.ts';

test('nothing is lost in silence while a node is killed, stopped, stands still, and loses Redis', () =>
  simulateMany(750, 1, true));
