import assert from 'node:assert/strict';
import { test } from 'node:test';
import { each, type Few, has, minus, plus } from '../../../src/kernel/small-set.ts';
import type { NodeName } from '../../../src/kernel/types.ts';
import { TestKernel } from '../../support/actors.ts';
import { fc } from '../../support/properties.ts';

test('few are a set in the order in which they came', () => {
  const values = Array.from({ length: 7 }, (_, number) => ({ number }));
  const steps = fc.array(fc.tuple(fc.boolean(), fc.constantFrom(...values)));
  fc.assert(
    fc.property(steps, (changes) => {
      let few: Few<object>;
      const model = new Set<object>();
      for (const [comes, value] of changes) {
        few = comes ? plus(few, value) : minus(few, value);
        if (comes) model.add(value);
        else model.delete(value);
        assert.deepEqual(each(few), [...model]);
        for (const one of values) assert.equal(has(few, one), model.has(one));
      }
      assert.equal(few === undefined, model.size === 0);
    }),
  );
});

test('an actor of another node is one, however many references lead to it', () => {
  const kernel = new TestKernel();
  const ref = (id: number) => kernel.remotePid<never>('other@127.0.0.1' as NodeName, id, 0, 1);
  let few: Few<object> = plus(undefined, ref(1));
  few = plus(few, ref(1));
  assert.equal(each(few).length, 1);
  few = plus(few, ref(2));
  few = plus(few, ref(1));
  assert.equal(each(few).length, 2);
  assert.ok(has(few, ref(2)));
  few = minus(minus(few, ref(2)), ref(1));
  assert.equal(few, undefined);
});
