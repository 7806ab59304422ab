import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { Decoder, decodeTerm } from '../../../../src/distribution/codec/decoder.ts';
import { Encoder, encodeTerm } from '../../../../src/distribution/codec/encoder.ts';
import {
  Atom,
  atom,
  BitString,
  Float,
  ImproperList,
  Pid,
  TermError,
  type Tuple,
  tuple,
} from '../../../../src/distribution/codec/terms.ts';
import { fc } from '../../../support/properties.ts';
import { anyTerm, closure } from '../../../support/terms.ts';

const decodeHex = (hex: string) => decodeTerm(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

test('every term comes back as it was sent', () => {
  fc.assert(
    fc.property(anyTerm, (term) => assert.deepStrictEqual(decodeTerm(encodeTerm(term)), term)),
    { numRuns: 400 },
  );
});

test('a closure comes back as it was sent', () => {
  fc.assert(
    fc.property(closure, (term) => assert.deepStrictEqual(decodeTerm(encodeTerm(term)), term)),
    { numRuns: 100 },
  );
});

test('random bytes give a term or a TermError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => decodes(Buffer.from([131, ...bytes]))),
    { numRuns: 3000 },
  );
});

test('a damaged term gives a term or a TermError', () => {
  fc.assert(
    fc.property(anyTerm, fc.nat(), fc.nat({ max: 255 }), (term, at, value) => {
      const bytes = encodeTerm(term);
      bytes[at % bytes.length] = value;
      decodes(bytes);
      decodes(bytes.subarray(0, at % bytes.length));
    }),
    { numRuns: 1000 },
  );
});

function decodes(bytes: Buffer): void {
  try {
    decodeTerm(bytes);
  } catch (error) {
    assert.ok(error instanceof TermError, String(error));
  }
}

test('what is decoded does not share memory with what was read', () => {
  const bytes = encodeTerm([Buffer.from([1, 2, 255])]);
  const [value] = decodeTerm(bytes) as [Buffer];
  bytes.fill(0);
  assert.deepEqual([...value], [1, 2, 255]);
});

/** Empty bytes were sent as a bitstring of no byte, at which OTP 27 ends the connection. */
test('no bytes are sent as no text', () => {
  assert.deepEqual(encodeTerm(Buffer.alloc(0)), encodeTerm(''));
  assert.deepEqual(encodeTerm(new BitString(Buffer.alloc(0), 3)), encodeTerm(''));
  assert.deepEqual(decodeTerm(Buffer.from([131, 77, 0, 0, 0, 0, 0])), Buffer.alloc(0));
});

test('integers have the shortest tag, at every border', () => {
  const size = (value: number | bigint) => encodeTerm(value).length;
  assert.deepEqual([0, 255, 256, -1, 2 ** 31 - 1, 2 ** 31, -(2 ** 31)].map(size), [3, 3, 6, 6, 6, 8, 6]);
  for (const value of [2 ** 31, 2 ** 32, 2 ** 48, 2 ** 53 - 1, -(2 ** 53) + 1]) {
    assert.equal(decodeTerm(encodeTerm(value)), value);
  }
  assert.equal(decodeTerm(encodeTerm(2n ** 53n)), 2n ** 53n);
  assert.equal(decodeTerm(encodeTerm(12n)), 12);
});

test('a whole float is sent as a float if it is marked', () => {
  assert.equal(encodeTerm(new Float(1))[1], 70);
  assert.equal(decodeTerm(encodeTerm(new Float(1))), 1);
});

test('older tags are understood', () => {
  assert.deepEqual(decodeHex('83 6b 0003 010203'), [1, 2, 3]);
  assert.equal(
    decodeTerm(Buffer.concat([Buffer.of(131, 99), Buffer.from('1.50000000000000000000e+00\0\0\0\0\0')])),
    1.5,
  );
  assert.deepEqual(decodeHex('83 64 0003 66e46e'), atom('fän'));
  assert.deepEqual(decodeHex('83 73 02 6f6b'), atom('ok'));
  assert.deepEqual(decodeHex('83 67 73016e 00000001 00000002 03'), new Pid('n', 1, 2, 3));
  assert.equal(String(decodeHex('83 72 0002 73016e 01 00000002 00000003')), '#n.1.2.3');
  assert.equal(String(decodeHex('83 65 73016e 00000002 01')), '#n.1.2');
});

test('a compressed term unfolds, but not beyond what it announces', () => {
  const plain = encodeTerm('x'.repeat(5000)).subarray(1);
  const announce = (size: number) => {
    const head = Buffer.from([131, 80, 0, 0, 0, 0]);
    head.writeUInt32BE(size, 2);
    return Buffer.concat([head, deflateSync(plain)]);
  };
  assert.equal(decodeTerm(announce(plain.length)), 'x'.repeat(5000));
  assert.throws(() => decodeTerm(announce(10)), TermError);
  assert.throws(() => decodeTerm(announce(0xffffffff)), TermError);
});

test('a map with atom keys reads like an object', () => {
  const map = new Map<unknown, unknown>([
    [atom('type'), atom('publish')],
    [atom('ids'), ['a']],
  ]);
  assert.deepEqual(decodeTerm(encodeTerm(map)), { type: atom('publish'), ids: ['a'] });
});

test('a map whose keys would collide stays a map', () => {
  const map = new Map<unknown, unknown>([
    [atom('a'), 1],
    ['a', 2],
  ]);
  const decoded = decodeTerm(encodeTerm(map));
  assert.ok(decoded instanceof Map);
  assert.equal(decoded.size, 2);
});

test('a key called __proto__ is a key like any other', () => {
  const decoded = decodeTerm(encodeTerm(JSON.parse('{"__proto__": {"admin": true}}'))) as Record<string, unknown>;
  assert.deepEqual(Object.keys(decoded), ['__proto__']);
  assert.equal(decoded.admin, undefined);
});

test('a list with a list as its tail is flat', () => {
  assert.deepEqual(decodeTerm(encodeTerm(new ImproperList([1], [2, 3]))), [1, 2, 3]);
});

test('nesting is limited both ways', () => {
  let deep: unknown = [];
  for (let i = 0; i < 600; i += 1) deep = [deep];
  assert.throws(() => encodeTerm(deep), TermError);
  const bytes = Buffer.concat([Buffer.of(131), Buffer.alloc(2 * 100_000, Buffer.of(104, 1)), Buffer.of(106)]);
  assert.throws(() => decodeTerm(bytes), /deeper than 512/);
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  assert.throws(() => encodeTerm(cycle), TermError);
});

test('announced lengths do not make memory', () => {
  for (const kind of [105, 108, 116, 109, 111]) {
    assert.throws(() => decodeTerm(Buffer.from([131, kind, 0xff, 0xff, 0xff, 0xff, 1])), TermError);
  }
});

// NaN became null and half of a surrogate pair another text, without a word; what was refused did not say where it was.
test('what cannot be sent as it is is refused, with the path to it', () => {
  const half = '\ud83d';
  for (const [value, message] of [
    [{ a: [1, { 'b c': Number.NaN }] }, 'NaN is no term at a[1]["b c"]'],
    [[Number.NEGATIVE_INFINITY], '-Infinity is no term at [0]'],
    [Number.POSITIVE_INFINITY, 'Infinity is no term at its top'],
    [
      tuple(atom('$gen_call'), [], { orders: [{ args: half }] }),
      'half of a surrogate pair in a text at orders[0].args',
    ],
    [{ long: `${'é'.repeat(40)}${half}` }, 'half of a surrogate pair in a text at long'],
    [{ [half]: 1 }, 'half of a surrogate pair in a text at its top'],
    [new Map([[1, half]]), 'half of a surrogate pair in a text at ["1"]'],
    [new ImproperList([1], half), 'half of a surrogate pair in a text at [tail]'],
    [tuple(1, { f: () => 1 }), 'a function is no term at [1].f'],
    [{ when: new Date() }, 'a Date is no term at when'],
    [[atom(half)], /^half of a surrogate pair in a text at \[0\]$/],
  ] as const) {
    assert.throws(() => encodeTerm(value), { name: 'TermError', message });
  }
  const cycle: unknown[] = [];
  cycle.push(cycle);
  assert.throws(() => encodeTerm(cycle), /^TermError: term too deep at (\[0\]){16}…$/);
});

test('what is no term is refused', () => {
  for (const value of [Symbol('s'), () => 1, new Date(), 'a'.repeat(256)]) {
    const term = typeof value === 'string' ? new Atom(value) : value;
    assert.throws(() => encodeTerm(term), TermError);
  }
});

test('a reference of the kernel is sent as a pid, and the reader decides what it becomes', () => {
  class Ref {
    node = 'n@h';
    id = 7;
    serial = 8;
    creation = 9;
  }
  const makePid = (...parts: unknown[]) => parts.join(' ');
  assert.equal(decodeTerm(encodeTerm(new Ref()), { makePid }), 'n@h 7 8 9');
});

test('what was taken from an encoder is never written again', () => {
  const encoder = new Encoder(64);
  const frames: Buffer[] = [];
  for (let i = 0; i < 50; i += 1) {
    encoder.byte(131);
    encoder.term(tuple(i, 'x'.repeat(i)));
    frames.push(encoder.take());
  }
  assert.deepEqual(
    frames.map((frame) => (decodeTerm(frame) as Tuple).items[0]),
    frames.map((_, i) => i),
  );
});

test('a message that cannot be encoded leaves nothing behind', () => {
  const encoder = new Encoder(64);
  encoder.byte(131);
  encoder.term(1);
  const { length } = encoder;
  assert.throws(() => encoder.term(['x'.repeat(200), Symbol('s')]));
  encoder.truncate(length);
  assert.equal(decodeTerm(encoder.take()), 1);
});

test('a decoder reads term after term from the same bytes', () => {
  const decoder = new Decoder();
  decoder.open(Buffer.concat([encodeTerm({ type: 'a' }), encodeTerm([1])]));
  assert.deepEqual(decoder.versioned(), { type: 'a' });
  assert.deepEqual(decoder.versioned(), [1]);
  assert.ok(decoder.done);
});

test('elements are bounded, in whatever they are, and where they are copied', () => {
  const refuses = (bytes: number[]) => {
    assert.throws(() => decodeTerm(Buffer.from([131, ...bytes]), { maxElements: 10 }), /more than 10 elements/);
  };
  const accepts = (bytes: number[]) => void decodeTerm(Buffer.from([131, ...bytes]), { maxElements: 10 });
  const nils = (count: number) => Array<number>(count).fill(106);
  const list = (count: number, tail: number[] = [106]) => [108, 0, 0, 0, count, ...nils(count), ...tail];
  accepts(list(10));
  refuses(list(11));
  accepts([104, 10, ...nils(10)]);
  refuses([104, 11, ...nils(11)]);
  accepts([107, 0, 10, ...nils(10)]);
  refuses([107, 0, 11, ...nils(11)]);
  const pairs = (count: number) => Array.from({ length: count }, (_, n) => [97, n, 106]).flat();
  accepts([116, 0, 0, 0, 5, ...pairs(5)]);
  refuses([116, 0, 0, 0, 6, ...pairs(6)]);
  // A pair, and nine in it. Then a list whose tail is a list: that is copied.
  refuses([104, 2, ...list(4), ...list(5)]);
  accepts(list(1, list(4)));
  refuses(list(1, list(5)));
});
