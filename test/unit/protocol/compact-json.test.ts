import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endOfElements, endOfPlainText, endOfValue } from '../../../src/protocol/compact-json.ts';
import { fc } from '../../support/properties.ts';

/** `\u` behind an even number of backslashes. */
const unicodeEscape = /(?<!\\)(?:\\\\)*\\u/;

/** What is found must be JSON to the parser as well. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test('what JSON.stringify makes is found to its end, unless it needs \\u escapes', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), fc.string(), fc.string({ maxLength: 3 }), (value, before, behind) => {
      const compact = JSON.stringify(JSON.parse(value));
      // A digit behind a number would be part of it.
      const end = endOfValue(`${before}${compact}#${behind}`, before.length);
      assert.equal(end, unicodeEscape.test(compact) ? -1 : before.length + compact.length, compact);
    }),
    { numRuns: 2000 },
  );
});

test('what is found is JSON, whatever happened to the text', () => {
  const token = fc.constantFrom(
    ...'{}[],:"\\ue-+.019tfna \n\u0001\u007fé'.split(''),
    'true',
    'null',
    '"a":',
    '1e',
    '\\n',
  );
  const broken = fc
    .tuple(fc.json({ maxDepth: 3 }), fc.nat(), fc.nat(3), fc.array(token, { maxLength: 3 }))
    .map(([text, at, count, tokens]) => {
      const start = at % (text.length + 1);
      return text.slice(0, start) + tokens.join('') + text.slice(start + count);
    });
  const anything = fc.array(token, { maxLength: 12 }).map((tokens) => tokens.join(''));
  fc.assert(
    fc.property(fc.oneof(broken, anything), (text) => {
      const end = endOfValue(text, 0);
      if (end >= 0) assert.ok(isJson(text.slice(0, end)), text.slice(0, end));
    }),
    { numRuns: 5000 },
  );
});

test('what is not compact, or no JSON, is not found', () => {
  const texts = [
    '',
    ' 1',
    '[ 1]',
    '[1 ]',
    '[1,]',
    '[,1]',
    '{"a": 1}',
    '{"a":1,}',
    '{a:1}',
    '{"a"}',
    '{1:1}',
    '{,}',
    '[1',
  ];
  const scalars = [
    '-',
    '01',
    '-01',
    '1.',
    '.5',
    '1e',
    '1e+',
    '+1',
    'nul',
    'True',
    'NaN',
    '"',
    '"a',
    '"\n"',
    '"\\x"',
    '"\\',
  ];
  for (const text of [...texts, ...scalars, '"\\u0041"', '{"\\u0041":1}', "'a'"]) {
    assert.equal(endOfValue(text, 0), -1, text);
  }
});

test('numbers of every form are found', () => {
  for (const text of ['0', '-0', '7', '-12', '0.5', '10.25', '1e5', '1E-5', '2e+10', '-0.1e1', '9007199254740993']) {
    assert.equal(endOfValue(`${text},`, 0), text.length, text);
  }
});

test('the elements of an array end with its bracket', () => {
  assert.equal(endOfElements('1,"a",[]]x', 0), 9);
  for (const text of [']', '1', '1,]', '1}', '']) assert.equal(endOfElements(text, 0), -1, text);
});

test('a plain text has no escapes', () => {
  assert.equal(endOfPlainText('say"', 0), 3);
  assert.equal(endOfPlainText('"', 0), 0);
  for (const text of ['a\\n"', 'a', 'a\n"']) assert.equal(endOfPlainText(text, 0), -1, text);
});
