/** Whether simulations notice that a rule is missing (README.md). It replaces clocks and timers, so it needs its own process. */
import { test } from 'node:test';
import { linkMutations } from './link-mutations.ts';
import { mutations } from './mutations.ts';
import { simulateUntilNoticed } from './seeds.ts';

for (const [rule, mutation] of Object.entries(mutations)) {
  test(`it is noticed when this is not so: ${rule}`, async (t) => {
    t.diagnostic(await simulateUntilNoticed(1000, [1], mutation));
  });
}

for (const [rule, mutation] of Object.entries(linkMutations)) {
  test(`it is noticed when this is not so between nodes: ${rule}`, async (t) => {
    t.diagnostic(await simulateUntilNoticed(500, [2, 3], mutation));
  });
}
