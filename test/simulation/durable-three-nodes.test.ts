/** Simulations of three nodes whose sessions outlive them (README.md). It replaces clocks and timers, so it needs its own process. */
import { test } from 'node:test';
import { simulateMany } from './seeds.ts';

test('nothing is lost in silence while three nodes are killed and start again', () => simulateMany(100, 3, true));
