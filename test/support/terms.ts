/** Generators of terms of every kind, for property tests of the term codec. */

import {
  atom,
  BitString,
  ExportFun,
  Fun,
  ImproperList,
  Pid,
  Port,
  Reference,
  Tuple,
} from '../../src/distribution/codec/terms.ts';
import { fc } from './properties.ts';

const uint32 = fc.nat({ max: 0xffffffff });
const text = fc.string({ unit: 'grapheme', maxLength: 80 });
const plainNames = new Set(['true', 'false', 'null', 'undefined']);
const atomName = fc.string({ unit: 'binary', maxLength: 100 }).filter((name) => !plainNames.has(name));
const node = fc.constantFrom('a@127.0.0.1', 'zwölf@host.example');
// No bytes come back as no text.
const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 }).map((array) => Buffer.from(array));
const float = fc
  .double({ noNaN: true, noDefaultInfinity: true })
  .filter((n) => !Number.isInteger(n) || Object.is(n, -0));
// An integer is a number as long as it is safe, else a bigint.
const integer = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(1n << 2100n), max: 1n << 2100n }).filter((n) => BigInt.asIntN(53, n) !== n),
);

export const pidTerm = fc.tuple(node, uint32, uint32, uint32).map((parts) => new Pid(...parts));
export const referenceTerm = fc
  .tuple(node, uint32, fc.array(uint32, { minLength: 3, maxLength: 5 }))
  .map((parts) => new Reference(...parts));
const port = fc.tuple(node, fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), uint32).map((parts) => new Port(...parts));
const bitString = fc
  .tuple(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 7 }))
  .map(([array, bits]) => {
    // The unused bits of the last byte are zero, as the BEAM leaves them.
    array[array.length - 1] = array[array.length - 1]! & (0xff << (8 - bits));
    return new BitString(Buffer.from(array), bits);
  });
const exportFun = fc
  .tuple(fc.constant('lists'), fc.constant('map'), fc.nat({ max: 255 }))
  .map((parts) => new ExportFun(...parts));

/** Any term that comes back deeply equal from a round trip. */
export const anyTerm: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  term: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    text,
    integer,
    float,
    fc.boolean(),
    fc.constantFrom(null, undefined),
    atomName.map(atom),
    bytes,
    bitString,
    pidTerm,
    referenceTerm,
    port,
    exportFun,
    fc.array(tie('term'), { maxLength: 6 }),
    fc.array(tie('term'), { maxLength: 6 }).map((items) => new Tuple(items)),
    fc.dictionary(text, tie('term'), { maxKeys: 6, noNullPrototype: true }),
    tie('improper'),
    tie('map'),
  ),
  improper: fc
    .tuple(fc.array(tie('term'), { minLength: 1, maxLength: 4 }), fc.oneof(text, integer, pidTerm))
    .map(([items, tail]) => new ImproperList(items, tail)),
  // A map with a key that no object can have.
  map: fc
    .tuple(fc.uniqueArray(integer, { minLength: 1, maxLength: 5 }), tie('term'))
    .map(([keys, value]) => new Map(keys.map((key) => [key, value]))),
})).term;

export const closure = fc
  .tuple(fc.uint8Array({ minLength: 16, maxLength: 16 }), uint32, pidTerm, fc.array(anyTerm, { maxLength: 3 }))
  .map(
    ([uniq, index, creator, free]) =>
      new Fun({
        module: 'some_module',
        arity: 2,
        uniq: Buffer.from(uniq),
        index,
        oldIndex: 7,
        oldUniq: 123456,
        creator,
        free,
      }),
  );
