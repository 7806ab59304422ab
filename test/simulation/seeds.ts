/** Runs of seeds that follow one another, for tests. */
import assert from 'node:assert/strict';
import { type Mutation, report, simulate } from './simulation.ts';

const firstSeed = 1;

/** Fails with what has happened in the first run that goes wrong, or if too little has happened in all of them. */
export async function simulateMany(runs: number, nodes: number, isDurable = false): Promise<void> {
  const sums = { recovered: 0, notRecovered: 0 };
  for (let seed = firstSeed; seed < firstSeed + runs; seed += 1) {
    const outcome = await simulate(seed, nodes, {}, isDurable);
    if (outcome.mistake !== undefined) assert.fail(`\n${report(seed, nodes, isDurable, outcome)}`);
    for (const name of ['recovered', 'notRecovered'] as const) sums[name] += outcome.figures[name];
  }
  // Otherwise nothing was tested.
  for (const [name, count] of Object.entries(sums)) assert.ok(count > runs, `${name}: ${count} times in ${runs} runs`);
}

/** Resolves to the number of runs until something goes wrong, and what that is. */
export async function simulateUntilNoticed(
  runs: number,
  nodes: readonly number[],
  mutation: () => Mutation,
  isDurable = false,
): Promise<string> {
  for (let run = 1; run <= runs; run += 1) {
    const seed = firstSeed + run - 1;
    const { mistake } = await simulate(seed, nodes[run % nodes.length], mutation(), isDurable);
    if (mistake === undefined) continue;
    // A run that goes wrong with the rule, too, says nothing about it.
    const { mistake: other } = await simulate(seed, nodes[run % nodes.length], {}, isDurable);
    if (other === undefined) return `run ${run}: ${mistake}`;
  }
  return assert.fail(`not noticed in ${runs} runs`);
}
