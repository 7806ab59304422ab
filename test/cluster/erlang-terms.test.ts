import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { test } from 'node:test';
import { decodeTerm } from '../../src/distribution/codec/decoder.ts';
import { encodeTerm } from '../../src/distribution/codec/encoder.ts';
import { Fun, ImproperList, Pid, Tuple } from '../../src/distribution/codec/terms.ts';
import type { NodeName } from '../../src/kernel/types.ts';
import { ask, startEpmd, startTestNode } from '../support/cluster.ts';
import { startEcho, startErlang } from '../support/erlang.ts';
import { missing } from '../support/programs.ts';
import { fc } from '../support/properties.ts';
import { anyTerm, closure } from '../support/terms.ts';

test('every kind of term survives a trip through the BEAM', { skip: missing('erl') }, async (t) => {
  const epmdPort = await startEpmd(t);
  const hive = await startTestNode(t, 'h@127.0.0.1', { epmdPort });
  const erlang = await startErlang(t, 'e@127.0.0.1', { epmdPort });
  await startEcho(erlang);
  await hive.distribution.connect('e@127.0.0.1');
  const echo = hive.kernel.remote<unknown>('e@127.0.0.1' as NodeName, 'echo');
  await fc.assert(
    fc.asyncProperty(fc.oneof({ weight: 9, arbitrary: anyTerm }, { weight: 1, arbitrary: closure }), async (term) => {
      const returned = await ask(hive.kernel, echo, [term]);
      assert.deepStrictEqual(decodeTerm(encodeTerm(withoutCreator(returned))), [withoutCreator(asBinary(term))]);
    }),
    { numRuns: 300 },
  );
});

/** From OTP 27 on the BEAM does not keep who has made a fun. */
function withoutCreator(term: unknown): unknown {
  if (term instanceof Fun) return new Fun({ ...term, creator: new Pid('a@127.0.0.1', 0, 0, 0) });
  return Array.isArray(term) ? term.map(withoutCreator) : term;
}

/** For the BEAM bytes and text are one kind of thing: bytes that are UTF-8 come back as a string. */
function asBinary(term: unknown): unknown {
  if (term instanceof Buffer) return isUtf8(term) ? term.toString() : term;
  if (Array.isArray(term)) return term.map(asBinary);
  if (term instanceof Tuple) return new Tuple(term.items.map(asBinary));
  if (term instanceof ImproperList) return new ImproperList(term.items.map(asBinary), asBinary(term.tail));
  if (term instanceof Fun) return new Fun({ ...term, free: term.free.map(asBinary) });
  if (term instanceof Map) return new Map([...term].map(([key, value]) => [key, asBinary(value)]));
  if (term !== null && typeof term === 'object' && Object.getPrototypeOf(term) === Object.prototype) {
    const copy: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(term)) {
      Object.defineProperty(copy, key, {
        value: asBinary(value),
        enumerable: true,
        writable: true,
        configurable: true,
      });
    }
    return copy;
  }
  return term;
}
