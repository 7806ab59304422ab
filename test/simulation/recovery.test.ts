/** Simulations of clients that lose their connections (README.md). It replaces clocks and timers, so it needs its own process. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mutations } from './mutations.ts';
import { report, simulate } from './simulation.ts';

const firstSeed = 1;
const runs = 1000;

test('every client hears everything once and in order, or is told that it is not recovered', async () => {
  const sums = { recovered: 0, notRecovered: 0, lost: 0 };
  for (let seed = firstSeed; seed < firstSeed + runs; seed += 1) {
    const outcome = await simulate(seed);
    if (outcome.mistake !== undefined) assert.fail(`\n${report(seed, outcome)}`);
    for (const name of ['recovered', 'notRecovered', 'lost'] as const) sums[name] += outcome.figures[name];
  }
  // Otherwise nothing was tested.
  for (const [name, count] of Object.entries(sums)) assert.ok(count > runs, `${name}: ${count} times in ${runs} runs`);
});

for (const [rule, mutation] of Object.entries(mutations)) {
  test(`it is noticed when this is not so: ${rule}`, async (t) => {
    for (let seed = firstSeed; seed < firstSeed + runs; seed += 1) {
      const { mistake } = await simulate(seed, mutation());
      if (mistake === undefined) continue;
      t.diagnostic(`run ${seed - firstSeed + 1}: ${mistake}`);
      return;
    }
    assert.fail(`not noticed in ${runs} runs`);
  });
}
