import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HiveError, toHiveError } from '../../../src/observe/errors.ts';
import { asError, stackOf, textOf, titleOf } from '../../../src/observe/thrown.ts';
import { oddities } from '../../support/oddities.js';

test('what can be thrown can be looked at', () => {
  for (const [name, make] of Object.entries(oddities)) {
    const thrown = make();
    const error = asError(thrown);
    assert.ok(Object.getPrototypeOf(error) === Error.prototype, name);
    for (const text of [error.message, textOf(thrown), titleOf(thrown), stackOf(thrown)]) {
      assert.equal(typeof text, 'string', name);
      assert.ok(text.length > 0 && text.length < 2000, name);
    }
    assert.equal(toHiveError(thrown).code, 'internal_error', name);
  }
  assert.equal(textOf(undefined), 'undefined was thrown');
  assert.equal(textOf(null), 'null was thrown');
  assert.equal(textOf(Object.assign(Object.create(null), { a: 1 })), '[Object: null prototype] { a: 1 } was thrown');
});

test('errors and texts stay what they are', () => {
  const error = new TypeError('bad');
  assert.equal(asError(error), error);
  assert.equal(titleOf(error), 'TypeError: bad');
  assert.equal(stackOf(error), error.stack);
  assert.equal(textOf('a text'), 'a text');
  const expected = new HiveError('client_error', 'no');
  assert.equal(toHiveError(expected), expected);
});

test('an error whose stack cannot be read is told by its name', () => {
  const error = new RangeError('deep');
  Object.defineProperty(error, 'stack', {
    get() {
      throw new Error('no stack for you');
    },
  });
  assert.equal(asError(error), error);
  assert.equal(stackOf(error), 'RangeError: deep');
});
