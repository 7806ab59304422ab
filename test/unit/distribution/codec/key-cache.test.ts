/** Names of properties are written by another way than keys of a Map: the bytes must be the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Encoder, encodeTerm } from '../../../../src/distribution/codec/encoder.ts';
import { tag } from '../../../../src/distribution/codec/terms.ts';
import { fc } from '../../../support/properties.ts';

function assertSameBytes(record: object): void {
  assert.deepEqual(encodeTerm(record), encodeTerm(new Map(Object.entries(record))));
}

const halves = fc.array(fc.nat({ max: 0xffff }), { maxLength: 20 }).map((codes) => String.fromCharCode(...codes));
const name = fc.oneof(
  fc.constantFrom('type', 'channel', 'n', '', '7', '10', '-1', 'constructor', 'größe', '键', '🗝', '\0', '"'),
  fc.constantFrom('x'.repeat(47), 'x'.repeat(48), 'x'.repeat(49), 'é'.repeat(48), '😀'.repeat(24)),
  fc.string({ unit: 'binary', maxLength: 60 }),
  halves,
);

test('names of every kind, in every order, are written like any text', () => {
  const records = fc.array(
    fc.dictionary(
      name.map((text) => text.toWellFormed()),
      fc.constantFrom(1, 'a', { type: 'b', n: 2 }),
    ),
    { maxLength: 4 },
  );
  fc.assert(
    fc.property(records, (sent) => {
      for (const record of [...sent, ...sent.toReversed()]) assertSameBytes(record);
      const nested = Object.fromEntries(sent.map((record, i) => [`${i % 3}`, record]));
      assert.equal(encodeTerm(nested).readUInt32BE(2), Object.keys(nested).length);
    }),
    { numRuns: 600 },
  );
});

test('a property called __proto__ is sent, inherited ones are not', () => {
  const own = JSON.parse('{"type": "a", "__proto__": 1}');
  for (let i = 0; i < 3; i += 1) assertSameBytes(own);
  Object.defineProperty(Object.prototype, 'inherited', { value: 1, enumerable: true, configurable: true });
  try {
    assert.deepEqual(encodeTerm({ a: 1 }), encodeTerm(new Map([['a', 1]])));
  } finally {
    Reflect.deleteProperty(Object.prototype, 'inherited');
  }
});

test('more names than are remembered are written all the same', () => {
  for (let round = 0; round < 2; round += 1) {
    for (let i = 0; i < 3000; i += 1) assertSameBytes({ [`name_${i}`]: i, type: 'x', [`other_${i % 7}`]: '' });
  }
});

test('terms of any size come out of the slabs as they were written, however they are taken', () => {
  const sizes = fc.array(fc.tuple(fc.nat({ max: 300 }), fc.boolean()), { maxLength: 60 });
  fc.assert(
    fc.property(sizes, (terms) => {
      const encoder = new Encoder(128);
      const taken: Buffer[] = [];
      const wanted: Buffer[] = [];
      for (const [size, takes] of terms) {
        const term = { type: 'x'.repeat(size), n: size };
        encoder.byte(tag.version);
        encoder.term(term);
        wanted.push(encodeTerm(term));
        if (takes) taken.push(encoder.take());
      }
      taken.push(encoder.take());
      assert.deepEqual(Buffer.concat(taken), Buffer.concat(wanted));
    }),
    { numRuns: 500 },
  );
});
