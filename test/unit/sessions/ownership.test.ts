import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownershipOf, ownershipText } from '../../../src/sessions/durable/ownership.ts';

test('what is written of an owner is what is read', () => {
  const plain = { boot: 'a@10.0.0.1#4', tag: 'aaaaaaaa', tags: ['aaaaaaaa'], hasLeft: false, inherits: [] };
  const full = {
    ...plain,
    tags: ['aaaaaaaa', 'b-_bbbbb'],
    hasLeft: true,
    inherits: [
      { owner: 'x-_x', boot: 'b@[::1]#5' },
      { owner: 'y', boot: 'c@host#6' },
    ],
  };
  for (const one of [plain, full]) assert.deepEqual(ownershipOf(ownershipText(one)), one);
});

test('fields at the end may be missing', () => {
  const { hasLeft, inherits, tags } = ownershipOf('a@h#1|aaaaaaaa|aaaaaaaa,bbbbbbbb');
  assert.deepEqual([hasLeft, inherits, tags], [false, [], ['aaaaaaaa', 'bbbbbbbb']]);
  assert.ok(ownershipOf('a@h#1|aaaaaaaa|aaaaaaaa|left').hasLeft);
});
