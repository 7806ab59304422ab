import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Trouble } from '../../../src/observe/trouble.ts';

test('what fails several times in a row is in trouble, until it succeeds or has long not been asked', () => {
  let now = 0;
  const trouble = new Trouble(() => now);
  const fail = (times: number) => {
    for (let n = 1; n <= times; n += 1) trouble.failed(new Error(`failure ${n}`));
  };
  fail(2);
  assert.equal(trouble.reason, undefined);
  trouble.succeeded();
  fail(2);
  assert.equal(trouble.reason, undefined);
  fail(1);
  assert.equal(trouble.reason, 'failure 1');
  trouble.failed('a text');
  assert.equal(trouble.reason, 'a text');
  now = 30_000;
  assert.equal(trouble.reason, 'a text');
  now = 30_001;
  assert.equal(trouble.reason, undefined);
  fail(1);
  assert.equal(trouble.reason, 'failure 1');
  trouble.succeeded();
  assert.equal(trouble.reason, undefined);
});
