/** Whether simulations of durable sessions notice that a rule is missing (README.md). It replaces clocks and timers, so it needs its own process. */
import { test } from 'node:test';
import { durableMutations } from './durable-mutations.ts';
import { simulateUntilNoticed } from './seeds.ts';

for (const [rule, { nodes, mutation }] of Object.entries(durableMutations)) {
  test(`it is noticed when this is not so where sessions outlive their nodes: ${rule}`, async (t) => {
    t.diagnostic(await simulateUntilNoticed(300, [nodes], mutation, true));
  });
}
