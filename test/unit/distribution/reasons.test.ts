import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeTerm } from '../../../src/distribution/decoder.ts';
import { encodeTerm } from '../../../src/distribution/encoder.ts';
import {
  describeTerm,
  failureToTerm,
  reasonToTerm,
  termToFailure,
  termToReason,
} from '../../../src/distribution/reasons.ts';
import { atom, tuple } from '../../../src/distribution/terms.ts';
import { type ExitReason, Shutdown } from '../../../src/kernel/types.ts';
import { HiveError } from '../../../src/observe/errors.ts';

const travel = (reason: ExitReason) => termToReason(decodeTerm(encodeTerm(reasonToTerm(reason))));

test('exit reasons keep their meaning on the way', () => {
  for (const reason of ['normal', 'shutdown', 'killed', 'noproc', 'noconnection', 'anything else', 'true']) {
    assert.equal(travel(reason), reason);
  }
  assert.deepEqual(travel(new Shutdown({ a: [1] })), new Shutdown({ a: [1] }));
  assert.deepEqual(travel(new HiveError('http_error', 'down')), new HiveError('http_error', 'down'));
  assert.deepEqual(travel(new Error('bug')), new Error('bug'));
});

test("Erlang's own reasons become readable text", () => {
  const reason = tuple(tuple(atom('badmatch'), 'x'), [tuple(atom('m'), atom('f'), 2, [])]);
  assert.equal(termToReason(reason), '{{badmatch,<<"x">>},[{m,f,2,[]}]}');
  assert.equal(describeTerm([[[[[[1]]]]]]), '[[[[…]]]]');
});

test('a failed call keeps code and description, and other error tuples stay answers', () => {
  const failure = termToFailure(decodeTerm(encodeTerm(failureToTerm(new HiveError('access_denied', 'no')))));
  assert.deepEqual([failure?.code, failure?.message], ['access_denied', 'no']);
  assert.equal(termToFailure(tuple(atom('error'), atom('enoent'))), undefined);
  assert.equal(termToFailure(tuple(atom('error'), tuple(atom('not_in_the_catalogue'), 'x'))), undefined);
  assert.equal(termToFailure('text'), undefined);
});
