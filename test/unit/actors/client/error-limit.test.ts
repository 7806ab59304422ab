import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorLimit, isOfClient } from '../../../../src/actors/client/error-limit.ts';
import { NoWorker } from '../../../../src/actors/pools/worker-source.ts';
import { HiveError } from '../../../../src/observe/errors.ts';
import { Unavailable } from '../../../../src/plugins/connectors/unavailable.ts';
import { Refused } from '../../../../src/plugins/hooks/hp.ts';

test('so many errors in ten seconds are let pass, and one more is too many', () => {
  const errors = new ErrorLimit();
  const passed = [0, 1, 9_999, 10_000, 10_001, 10_002, 10_003].map((now) => !errors.exceeds(3, now));
  assert.deepEqual(passed, [true, true, true, true, true, true, false]);
});

test('what fails because nobody can serve it is no error of the client', () => {
  const refusals = [
    new HiveError('bad_external_event'),
    new HiveError('access_denied'),
    new HiveError('internal_error'),
    new Refused('http_error', 'The back end answered / with 403.'),
  ];
  assert.deepEqual(refusals.map(isOfClient), [true, true, true, true]);
  const failures = [
    new HiveError('http_error', 'The back end answered / with 500.'),
    new Unavailable('redis_error'),
    new NoWorker(true, 'connector_error', 'All are busy.'),
    new HiveError('timeout'),
    new HiveError('overloaded'),
    new HiveError('crashed'),
  ];
  assert.deepEqual(failures.map(isOfClient), [false, false, false, false, false, false]);
});
