import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Decoder } from '../../../../src/distribution/codec/decoder.ts';
import { encodeTerm } from '../../../../src/distribution/codec/encoder.ts';
import { tag } from '../../../../src/distribution/codec/terms.ts';
import { fc } from '../../../support/properties.ts';

/** Reads a binary three times: new, seen, kept. */
function readThrice(decoder: Decoder, bytes: Uint8Array): unknown {
  const head = Buffer.from([tag.version, tag.binary, 0, 0, 0, 0]);
  head.writeUInt32BE(bytes.length, 2);
  // Not at the start of its memory, and not at its end.
  const all = Buffer.concat([Buffer.from('xyz'), head, bytes, Buffer.from([255, 254, 253])]);
  const values = [1, 2, 3].map(() => {
    decoder.open(all, 3, all.length - 3);
    return decoder.versioned();
  });
  assert.deepEqual(values[1], values[0]);
  assert.deepEqual(values[2], values[0]);
  return values[0];
}

test('text of every length comes back, with characters of one to four bytes at every place', () => {
  const decoder = new Decoder();
  for (const character of [
    '',
    'a',
    '\x7f',
    '\x80',
    'ÿ',
    'ж',
    '\u07ff',
    '\u0800',
    '水',
    '\ufffd',
    '\uffff',
    '😀',
    '\u{10ffff}',
  ]) {
    for (const length of [0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 32, 33, 40, 63, 64, 65, 100, 5000]) {
      for (const at of new Set([0, Math.min(1, length), length >> 1, length])) {
        const text = 'x'.repeat(at) + character + 'y'.repeat(length - at);
        assert.equal(readThrice(decoder, Buffer.from(text)), text);
        assert.equal(readThrice(decoder, encodeTerm(text).subarray(6)), text);
      }
    }
  }
});

test('any text is sent as its UTF-8, and refused if it has none: halves of surrogate pairs', () => {
  const decoder = new Decoder();
  const halves = fc.array(fc.nat({ max: 0xffff }), { maxLength: 80 }).map((codes) => String.fromCharCode(...codes));
  fc.assert(
    fc.property(fc.oneof(halves, fc.string({ unit: 'binary', maxLength: 80 })), (text) => {
      const bytes = Buffer.from(text);
      if (text.isWellFormed()) assert.deepEqual(encodeTerm(text).subarray(6), bytes);
      else assert.throws(() => encodeTerm(text), /half of a surrogate pair/);
      assert.equal(readThrice(decoder, bytes), bytes.toString());
    }),
    { numRuns: 1500 },
  );
});

test('bytes that are no UTF-8 stay bytes, however often they come', () => {
  const decoder = new Decoder();
  const broken = [
    '80',
    'ff',
    'c0af',
    'e282',
    'eda080',
    'f4908080',
    'f09f98',
    '61ff',
    `${'61'.repeat(31)}80`,
    `${'61'.repeat(60)}c3`,
  ];
  for (const hex of broken) {
    const value = readThrice(decoder, Buffer.from(hex, 'hex'));
    assert.ok(Buffer.isBuffer(value), hex);
    assert.equal(value.toString('hex'), hex);
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
      const text = Buffer.from(bytes).toString();
      const isText = Buffer.from(text).equals(bytes);
      assert.deepEqual(readThrice(decoder, bytes), isText ? text : Buffer.from(bytes));
    }),
    { numRuns: 2000 },
  );
});

test('thousands of different short texts do not get into each other', () => {
  const decoder = new Decoder();
  for (let round = 0; round < 3; round += 1) {
    for (let i = 0; i < 20_000; i += 1) {
      const text = `${i % 7 === 0 ? '' : 'topic.'}${i.toString(36)}`;
      decoder.open(encodeTerm(text));
      assert.equal(decoder.versioned(), text);
    }
  }
});
