import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasValue, type SmallSet, valuesOf, withoutValue, withValue } from '../../../src/kernel/small-set.ts';
import type { NodeName } from '../../../src/kernel/types.ts';
import { TestKernel } from '../../support/actors.ts';
import { fc } from '../../support/properties.ts';

test('a small set keeps the order in which values came', () => {
  const values = Array.from({ length: 7 }, (_, number) => ({ number }));
  const steps = fc.array(fc.tuple(fc.boolean(), fc.constantFrom(...values)));
  fc.assert(
    fc.property(steps, (changes) => {
      let set: SmallSet<object>;
      const model = new Set<object>();
      for (const [comes, value] of changes) {
        set = comes ? withValue(set, value) : withoutValue(set, value);
        if (comes) model.add(value);
        else model.delete(value);
        assert.deepEqual(valuesOf(set), [...model]);
        for (const one of values) assert.equal(hasValue(set, one), model.has(one));
      }
      assert.equal(set === undefined, model.size === 0);
    }),
  );
});

test('an actor of another node is one, however many references lead to it', () => {
  const kernel = new TestKernel();
  const ref = (id: number) => kernel.remotePid<never>('other@127.0.0.1' as NodeName, id, 0, 1);
  let set: SmallSet<object> = withValue(undefined, ref(1));
  set = withValue(set, ref(1));
  assert.equal(valuesOf(set).length, 1);
  set = withValue(set, ref(2));
  set = withValue(set, ref(1));
  assert.equal(valuesOf(set).length, 2);
  assert.ok(hasValue(set, ref(2)));
  set = withoutValue(withoutValue(set, ref(2)), ref(1));
  assert.equal(set, undefined);
});
