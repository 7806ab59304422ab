import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeTerm } from '../../../src/distribution/codec/decoder.ts';
import { encodeTerm } from '../../../src/distribution/codec/encoder.ts';
import { atom, tuple } from '../../../src/distribution/codec/terms.ts';
import {
  describeTerm,
  failureToTerm,
  reasonToTerm,
  termToFailure,
  termToReason,
} from '../../../src/distribution/reasons.ts';
import { describeReason, type ExitReason, ForeignReason, isPlanned, Shutdown } from '../../../src/kernel/types.ts';
import { HiveError } from '../../../src/observe/errors.ts';

const travel = (reason: ExitReason) => termToReason(decodeTerm(encodeTerm(reasonToTerm(reason))));

test('exit reasons keep their meaning on the way', () => {
  for (const reason of ['normal', 'shutdown', 'kill', 'killed', 'noproc', 'noconnection', 'anything else', 'true']) {
    assert.equal(travel(reason), reason);
  }
  assert.deepEqual(travel(new Shutdown({ a: [1] })), new Shutdown({ a: [1] }));
  assert.deepEqual(travel(new HiveError('http_error', 'down')), new HiveError('http_error', 'down'));
  assert.deepEqual(travel(new Error('bug')), new Error('bug'));
});

test("Erlang's own reasons are readable, and go back as the terms that they were", () => {
  // They became text: `{bad,[1]}` came back as an atom of that name.
  const terms = [
    [tuple(tuple(atom('badmatch'), 'x'), [tuple(atom('m'), atom('f'), 2, [])]), '{{badmatch,<<"x">>},[{m,f,2,[]}]}'],
    [tuple(atom('bad'), [1]), '{bad,[1]}'],
    [atom('bang'), 'bang'],
    [tuple(atom('shutdown'), 1, 2), '{shutdown,1,2}'],
    [tuple(atom('shutdown'), 1, undefined), '{shutdown,1,undefined}'],
    [tuple(atom('error'), atom('enoent')), '{error,enoent}'],
    [tuple(atom('hive_error'), atom('no_such_code'), 'x'), '{hive_error,no_such_code,<<"x">>}'],
    ['normal', '<<"normal">>'],
    [undefined, 'undefined'],
    [17, '17'],
  ] as const;
  for (const [term, text] of terms) {
    const reason = termToReason(decodeTerm(encodeTerm(term)));
    assert.ok(reason instanceof ForeignReason);
    assert.equal(describeReason(reason), text);
    assert.equal(isPlanned(reason), false);
    assert.deepEqual(encodeTerm(reasonToTerm(reason)), encodeTerm(term));
  }
  assert.equal(describeTerm([[[[[[1]]]]]]), '[[[[…]]]]');
});

test('a text becomes no atom', () => {
  assert.equal(reasonToTerm('out of tea'), 'out of tea');
  assert.deepEqual(reasonToTerm('killed'), atom('killed'));
});

test('a failed call keeps code and description, and other error tuples stay answers', () => {
  const failure = termToFailure(decodeTerm(encodeTerm(failureToTerm(new HiveError('access_denied', 'no')))));
  assert.deepEqual([failure?.code, failure?.message], ['access_denied', 'no']);
  assert.equal(termToFailure(tuple(atom('error'), atom('enoent'))), undefined);
  assert.equal(termToFailure(tuple(atom('error'), tuple(atom('not_in_the_catalogue'), 'x'))), undefined);
  assert.equal(termToFailure('text'), undefined);
});
