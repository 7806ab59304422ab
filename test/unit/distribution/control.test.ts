import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atom, Pid, Reference, TermError, Tuple, tuple } from '../../../src/distribution/codec/terms.ts';
import { type Control, readControl } from '../../../src/distribution/control.ts';
import { fc } from '../../support/properties.ts';
import { anyTerm } from '../../support/terms.ts';

const from = new Pid('a@h', 1, 0, 1);
const to = new Pid('b@h', 2, 0, 1);
const ref = new Reference('a@h', 1, [1, 2, 3]);
const name = atom('name');
const token = tuple(1, 2);
const reason = atom('why');
const payload = () => reason;

/** What each control message of the protocol means; traced variants mean the same. */
const table: [unknown[], Partial<Control>][] = [
  [[1, from, to], { type: 'link' }],
  [[2, atom(''), to], { type: 'send' }],
  [[3, from, to, reason], { type: 'exit', linked: true, reason } as never],
  [[4, from, to], { type: 'unlink', id: undefined } as never],
  [[5], { type: 'ignored' }],
  [[6, from, atom(''), name], { type: 'send_named', to: 'name' } as never],
  [[7, from, to], { type: 'ignored' }],
  [[8, from, to, reason], { type: 'exit', linked: false, reason } as never],
  [[12, atom(''), to, token], { type: 'send' }],
  [[13, from, to, token, reason], { type: 'exit', linked: true, reason } as never],
  [[16, from, atom(''), name, token], { type: 'send_named', to: 'name' } as never],
  [[18, from, to, token, reason], { type: 'exit', linked: false, reason } as never],
  [[19, from, to, ref], { type: 'monitor' }],
  [[19, from, name, ref], { type: 'monitor', to: 'name' } as never],
  [[20, from, to, ref], { type: 'demonitor' }],
  [[21, to, from, ref, reason], { type: 'down', reason } as never],
  [[21, name, from, ref, reason], { type: 'down', from: 'name' } as never],
  [[22, from, to], { type: 'send' }],
  [[23, from, to, token], { type: 'send' }],
  [[24, from, to], { type: 'exit', linked: true, reason } as never],
  [[25, from, to, token], { type: 'exit', linked: true, reason } as never],
  [[26, from, to], { type: 'exit', linked: false, reason } as never],
  [[27, from, to, token], { type: 'exit', linked: false, reason } as never],
  [[28, to, from, ref], { type: 'down', reason } as never],
  [[29, ref, from, to, tuple(name, name, 0), []], { type: 'spawn', request: ref } as never],
  [[30, ref, from, to, tuple(name, name, 0), [], token], { type: 'spawn' }],
  [[31, ref, to, 0, name], { type: 'ignored' }],
  [[32, ref, to, 0, name, token], { type: 'ignored' }],
  [[33, from, ref], { type: 'send_alias', alias: ref } as never],
  [[34, from, ref, token], { type: 'send_alias', alias: ref } as never],
  [[35, 7, from, to], { type: 'unlink', id: 7 } as never],
  [[36, 7, from, to], { type: 'unlink_ack', id: 7 } as never],
];

for (const [items, meaning] of table) {
  test(`control message ${items[0]} with ${items.length} items is understood`, () => {
    const control: Record<string, unknown> = { ...readControl(new Tuple(items), payload) };
    for (const [key, value] of Object.entries(meaning)) assert.deepEqual(control[key], value, key);
  });
}

test('whatever is no control message is a TermError', () => {
  const operation = fc.integer({ min: 0, max: 40 });
  fc.assert(
    fc.property(operation, fc.array(anyTerm, { maxLength: 5 }), (number, items) => {
      try {
        readControl(new Tuple([number, ...items]), payload);
      } catch (error) {
        assert.ok(error instanceof TermError, String(error));
      }
    }),
    { numRuns: 500 },
  );
  assert.throws(() => readControl('text', payload), TermError);
});
