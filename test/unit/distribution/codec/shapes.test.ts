/** Maps read again and again by one decoder, as a connection does it, must be what they are to a decoder that sees them first. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Decoder, decodeTerm } from '../../../../src/distribution/codec/decoder.ts';
import { Encoder } from '../../../../src/distribution/codec/encoder.ts';
import { Atom, TermError, tag } from '../../../../src/distribution/codec/terms.ts';
import { fc } from '../../../support/properties.ts';
import { anyTerm } from '../../../support/terms.ts';

type Pairs = readonly (readonly [key: unknown, value: unknown])[];

/** A map as a BEAM may write it: in any order, and with the same key twice, which no object of ours could have. */
function encodeMap(pairs: Pairs): Buffer {
  const encoder = new Encoder(256);
  encoder.byte(tag.version);
  encoder.byte(tag.map);
  encoder.uint32(pairs.length);
  for (const [key, value] of pairs) {
    encoder.term(key);
    encoder.term(value);
  }
  return encoder.take();
}

/** What the map is by the table in terms.ts. */
function expected(pairs: Pairs): unknown {
  const atoms = new Map<string, Atom>();
  const names = pairs.map(([key]) => (key instanceof Atom ? key.name : key));
  const isRecord = names.every((name) => typeof name === 'string') && new Set(names).size === names.length;
  if (!isRecord) {
    const same = (key: Atom) => atoms.get(key.name) ?? atoms.set(key.name, key).get(key.name);
    return new Map(pairs.map(([key, value]) => [key instanceof Atom ? same(key) : key, value]));
  }
  const record = {};
  for (const [i, [, value]] of pairs.entries()) {
    Object.defineProperty(record, names[i] as string, { value, enumerable: true, writable: true, configurable: true });
  }
  return record;
}

function read(decoder: Decoder, bytes: Buffer): unknown {
  decoder.open(bytes);
  const value = decoder.versioned();
  assert.ok(decoder.done, 'bytes are left over');
  decoder.close();
  return value;
}

function assertSame(actual: unknown, wanted: unknown): void {
  assert.deepStrictEqual(actual, wanted);
  if (!(wanted instanceof Map)) assert.deepEqual(Object.keys(actual as object), Object.keys(wanted as object));
}

const fewNames = fc.constantFrom(
  ...[
    'type',
    'channel',
    'n',
    'text',
    'a',
    'b',
    '',
    '0',
    '7',
    '10',
    '-1',
    '1e3',
    '4294967295',
    'constructor',
    'hasOwnProperty',
  ],
  ...[
    '__proto__',
    'toString',
    'größe',
    '键',
    '🗝',
    '"',
    '\\',
    '\u2028',
    "'+x+'",
    '\0',
    'x'.repeat(32),
    'x'.repeat(33),
    'é'.repeat(40),
  ],
);
const name = fc.oneof(
  { weight: 5, arbitrary: fewNames },
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 12 }),
);
const key = fc.oneof(
  { weight: 12, arbitrary: name },
  { weight: 3, arbitrary: fewNames.map((text) => new Atom(text)) },
  fc.oneof(fc.integer(), fc.constant(true), fc.constant(null), fc.constant(undefined), fc.tuple(fc.integer())),
);
const value = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('publish', 'chat.lobby', '', 1, 300, -5, 1.5, 'größer', null) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
  anyTerm,
);
const pairs = fc.array(fc.tuple(key, value), { maxLength: 20 });
const nested = fc.tuple(pairs, pairs, fc.nat()).map(([outer, inner, at]) => {
  if (outer.length === 0) return { sent: outer, wanted: expected(outer) };
  const i = at % outer.length;
  const put = (middle: unknown) => outer.map((pair, j) => (i === j ? ([pair[0], middle] as const) : pair));
  return { sent: put(inner), wanted: expected(put(expected(inner))), inner: i };
});

function encodeNested(sent: Pairs, inner: number | undefined): Buffer {
  if (inner === undefined) return encodeMap(sent);
  const encoder = new Encoder(256);
  encoder.byte(tag.version);
  encoder.byte(tag.map);
  encoder.uint32(sent.length);
  for (const [i, [mapKey, mapValue]] of sent.entries()) {
    encoder.term(mapKey);
    if (i === inner) encoder.raw(encodeMap(mapValue as Pairs).subarray(1));
    else encoder.term(mapValue);
  }
  return encoder.take();
}

test('any map, also in a map, is the same to a decoder that has read others and to one that has not', () => {
  const decoder = new Decoder();
  fc.assert(
    fc.property(nested, ({ sent, wanted, inner }) => {
      const bytes = encodeNested(sent, inner);
      assertSame(decodeTerm(bytes), wanted);
      for (let i = 0; i < 4; i += 1) assertSame(read(decoder, bytes), wanted);
    }),
    { numRuns: 600 },
  );
});

test('a kind of map that comes often is still the same when its factory is made', () => {
  const decoder = new Decoder();
  fc.assert(
    fc.property(fc.array(pairs, { minLength: 1, maxLength: 3 }), (kinds) => {
      for (let i = 0; i < 200; i += 1) {
        const kind = kinds[i % kinds.length]!;
        assertSame(read(decoder, encodeMap(kind)), expected(kind));
      }
    }),
    { numRuns: 60 },
  );
});

test('keys that are atoms and binaries of the same names take turns', () => {
  const decoder = new Decoder();
  const kinds: Pairs[] = [
    [
      ['a', 1],
      ['b', 'x'],
    ],
    [
      [new Atom('a'), 2],
      ['b', 'x'],
    ],
    [
      ['a', 3],
      [new Atom('b'), 'x'],
    ],
    [
      ['a', 4],
      [new Atom('a'), 'x'],
    ],
    [
      [new Atom('a'), 5],
      ['a', 'x'],
    ],
    [
      ['a', 6],
      ['a', 'x'],
    ],
    [
      ['a', 7],
      [1, 'x'],
    ],
  ];
  for (let i = 0; i < 1000; i += 1) {
    const kind = kinds[(i * 7 + (i >> 3)) % kinds.length]!;
    assertSame(read(decoder, encodeMap(kind)), expected(kind));
  }
});

test('__proto__ is a key like any other, however often it comes', () => {
  const decoder = new Decoder();
  const bytes = encodeMap([
    ['type', 'a'],
    ['__proto__', new Map([['admin', true]])],
    ['n', 1],
  ]);
  for (let i = 0; i < 200; i += 1) {
    const record = read(decoder, bytes) as Record<string, unknown>;
    assert.equal(Object.getPrototypeOf(record), Object.prototype);
    assert.deepEqual(Object.keys(record), ['type', '__proto__', 'n']);
    assert.equal(record.admin, undefined);
  }
});

test('every map is an object of its own', () => {
  const decoder = new Decoder();
  const bytes = encodeMap([
    ['type', 'a'],
    ['list', [1]],
    ['map', { x: 1 }],
  ]);
  type Message = { type: string; list: number[]; map: Record<string, number>; more?: number };
  for (let i = 0; i < 200; i += 1) {
    const record = read(decoder, bytes) as Message;
    assertSame(record, { type: 'a', list: [1], map: { x: 1 } });
    record.type = 'b';
    record.list.push(2);
    record.map.y = 2;
    record.more = 3;
  }
});

test('maps of more kinds than are remembered, and of more pairs, are read all the same', () => {
  const decoder = new Decoder();
  for (const size of [1, 2, 16, 17, 256, 300]) {
    for (let round = 0; round < 2; round += 1) {
      for (let i = 0; i < 600; i += 1) {
        const kind = Array.from({ length: size }, (_, j) => [`key_${i % (17 * j + 1)}_${j}`, j] as const);
        if (size > 16 && i > 5) break;
        assertSame(read(decoder, encodeMap(kind)), expected(kind));
      }
    }
  }
});

test('a known kind of map that is cut off anywhere is refused', () => {
  const decoder = new Decoder();
  const bytes = encodeMap([
    ['type', 'publish'],
    ['n', 1000],
    ['inner', { a: 'x'.repeat(20), b: [1] }],
  ]);
  const wanted = { type: 'publish', n: 1000, inner: { a: 'x'.repeat(20), b: [1] } };
  for (let i = 0; i < 100; i += 1) assertSame(read(decoder, bytes), wanted);
  for (let length = 0; length < bytes.length; length += 1) {
    // Cut off by the end of the frame, the bytes are still there.
    decoder.open(bytes, 0, length);
    assert.throws(() => decoder.versioned(), TermError);
    decoder.open(Buffer.from(bytes.subarray(0, length)));
    assert.throws(() => decoder.versioned(), TermError);
  }
  assertSame(read(decoder, bytes), wanted);
});

test('random changes to a known kind of map give a term or a TermError, and what comes next is read', () => {
  const decoder = new Decoder();
  const bytes = encodeMap([
    ['type', 'publish'],
    ['n', 7],
    ['inner', { a: 'x', b: [1] }],
  ]);
  const wanted = { type: 'publish', n: 7, inner: { a: 'x', b: [1] } };
  fc.assert(
    fc.property(fc.nat(), fc.nat({ max: 255 }), (at, byte) => {
      const damaged = Buffer.from(bytes);
      damaged[at % damaged.length] = byte;
      try {
        read(decoder, damaged);
      } catch (error) {
        assert.ok(error instanceof TermError || error instanceof assert.AssertionError, String(error));
      }
      assertSame(read(decoder, bytes), wanted);
    }),
    { numRuns: 2000 },
  );
});
