import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JsonSyntaxError, parseJson, pointerSegments, pointerTo } from '../../../src/config/json.ts';
import { fc } from '../../support/properties.ts';

function mistake(text: string): string {
  try {
    parseJson(text);
  } catch (error) {
    assert.ok(error instanceof JsonSyntaxError, String(error));
    return `${error.position.line}:${error.position.column} ${error.message}`;
  }
  return 'none';
}

/** Integers that doubles cannot hold, and numbers beyond them, are the one thing that the parser refuses and JSON.parse takes. */
function hasHugeInteger(text: string): boolean {
  return (text.match(/-?\d+(?![\d.eE])/g) ?? []).some((digits) => !Number.isSafeInteger(Number(digits)));
}

function isTakenByJsonParse(text: string): boolean {
  let finite = true;
  try {
    JSON.parse(text, (_key, value) => {
      // As 1e311 is.
      if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) finite = false;
      return value;
    });
  } catch {
    return false;
  }
  return finite;
}

test('reads what JSON.parse reads, alike', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(0, 2, '\t'), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      if (!hasHugeInteger(text)) assert.deepEqual(parseJson(text).value, JSON.parse(text));
    }),
  );
});

test('refuses with a JsonSyntaxError what JSON.parse refuses, and infinite numbers', () => {
  const fragment = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"',
    '1',
    '-',
    '0.5',
    'e3',
    'true',
    'nul',
    ' ',
    '\\',
    '\n',
  );
  fc.assert(
    fc.property(fc.array(fragment, { maxLength: 8 }), (fragments) => {
      const text = fragments.join('');
      assert.equal(mistake(text) === 'none', isTakenByJsonParse(text), text);
    }),
    { numRuns: 2000 },
  );
});

test('says in words what is wrong, and where', () => {
  assert.equal(mistake('{\n  "a": 1,\n}'), '3:1 a comma before "}"');
  assert.equal(mistake('[1, 2'), '1:6 expected "," or "]" after an element');
  assert.equal(mistake('{ "a" 1 }'), '1:7 expected ":" after the key "a"');
  assert.equal(mistake('{ "a": yes }'), '1:8 yes is not a JSON value; strings need double quotes');
  assert.equal(mistake('{ a: 1 }'), '1:3 expected a key in double quotes');
  assert.equal(mistake('"C:\\hive"'), '1:4 no such escape; a backslash is written "\\\\"');
  assert.equal(mistake('"open\n"'), '1:1 a string without closing quote');
  assert.equal(mistake('/* note */ {}'), '1:1 JSON has no comments');
  assert.equal(mistake('{} {}'), '1:4 unexpected text after the end of the JSON value');
  assert.equal(mistake('[007]'), '1:2 malformed number');
  assert.equal(mistake('1e311'), '1:1 a number too large to be kept exactly; write it as a string');
  assert.equal(mistake('[1e999]'), '1:2 a number too large to be kept exactly; write it as a string');
  assert.equal(mistake('"\\u12g4"'), '1:3 expected four hexadecimal digits after "\\u"');
  assert.equal(mistake('['.repeat(300)), '1:202 nested deeper than 200 levels');
});

test('knows where each value stands', () => {
  const { position } = parseJson('{\n  "a/b": [1,\n    { "c": 2 }]\n}');
  assert.deepEqual(position(''), { line: 1, column: 1 });
  assert.deepEqual(position('/a~1b'), { line: 2, column: 3 });
  assert.deepEqual(position('/a~1b/1/c'), { line: 3, column: 7 });
  assert.equal(position('/nowhere'), undefined);
});

test('notices keys that occur twice, and not those of their members again', () => {
  const { value, duplicates } = parseJson('{ "a": { "x": 1 },\n  "a": { "x": 2 } }');
  assert.deepEqual(value, { a: { x: 1 } });
  assert.deepEqual(duplicates, [{ pointer: '/a', first: { line: 1, column: 3 }, again: { line: 2, column: 3 } }]);
});

test('takes "__proto__" for a key like any other', () => {
  const { value } = parseJson('{ "__proto__": { "admin": true } }');
  assert.deepEqual(Object.keys(value as object), ['__proto__']);
  assert.equal(Reflect.get({}, 'admin'), undefined);
});

test('skips a byte order mark', () => {
  assert.deepEqual(parseJson('\ufeff[1]').value, [1]);
});

test('pointers and segments are each other’s inverse', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), (segments) => {
      assert.deepEqual(pointerSegments(segments.reduce(pointerTo, '')), segments);
    }),
  );
});
