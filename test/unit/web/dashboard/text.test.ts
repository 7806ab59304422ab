/** Text from others on the monitor's page: what is cut, and what is written out because it cannot be seen. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

const { few, jsonText, many, shown, visible } = await import(
  new URL('../../../../src/web/dashboard/text.js', import.meta.url).href
);

const hidden = (text: string) =>
  assert.match(visible(text), /^a(\\u[0-9a-f]{4}|\\u\{[0-9a-f]+\})b$/, JSON.stringify(text));

test('what cannot be seen, or turns the direction of what follows, is written out', () => {
  const directions = ['\u061c', '\u200e', '\u200f', '\u202a', '\u202e', '\u2066', '\u2069'];
  const noWidth = [
    '\u00ad',
    '\u034f',
    '\u200b',
    '\u200c',
    '\u200d',
    '\u2060',
    '\u3164',
    '\ufe0f',
    '\ufeff',
    '\u{e0041}',
  ];
  const controls = ['\0', '\b', '\r', '\u001b', '\u007f', '\u009b', '\u2028', '\u2029'];
  for (const character of [...directions, ...noWidth, ...controls, '\ud800']) hidden(`a${character}b`);
  assert.equal(visible('gpj.\u202eexe'), 'gpj.\\u202eexe');
});

test('what can be seen stays as it is, in any script', () => {
  const texts = ['plain', 'עברית', 'العربية', 'नमस्ते', '日本語', 'naïve', '👩🏽‍🚀 ❤️ 👨‍👩‍👧 🇫🇷', 'two\nlines\tand a tab'];
  for (const text of texts) assert.equal(visible(text), text);
});

test('a long text is cut between characters, and its length told', () => {
  assert.equal(shown('x'.repeat(300)), 'x'.repeat(300));
  assert.equal(shown('x'.repeat(200_000)), `${'x'.repeat(300)}… (200,000 characters)`);
  assert.equal(shown('🐝🐝🐝', 3), '🐝… (6 characters)');
  assert.equal(shown('\u202e'.repeat(4), 2), '\\u202e\\u202e… (4 characters)');
});

test('a value of JSON is shown whole if it is small', () => {
  const value = {
    name: 'ann',
    rooms: ['a', 'b'],
    none: [],
    nothing: {},
    deep: { is: null, yes: true, n: -1.5 },
    '': 'quote "',
  };
  assert.deepEqual(jsonText(value), { text: JSON.stringify(value, null, 2), isCut: false });
  assert.deepEqual(jsonText('\u202e'), { text: '"\\u202e"', isCut: false });
});

test('a value of JSON is cut where it is too long, too wide, too deep, or too much', () => {
  const cut = (value: unknown, pattern: RegExp) => {
    const { text, isCut } = jsonText(value);
    assert.match(text, pattern);
    assert.ok(isCut);
    assert.ok(text.length < 2 * few.all, `${text.length}`);
  };
  cut({ big: 'x'.repeat(200_000) }, /^\{\n {2}"big": "x{300}…" \(200,000 characters\)\n\}$/);
  cut(
    Array.from({ length: 10_000 }, (_, i) => i),
    /\n {2}99,\n {2}… 9,900 more\n\]$/,
  );
  cut(Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`k${i}`, i])), /… 1 more\n\}$/);
  cut({ ['k'.repeat(1000)]: 1 }, /"k{300}…" \(1,000 characters\): 1/);
  cut(
    Array.from({ length: 100 }, () => Array.from({ length: 100 }, () => 'x'.repeat(250))),
    / more\n\]$/,
  );
  let deep: unknown = 'end';
  for (let i = 0; i < 100_000; i += 1) deep = [deep];
  cut(deep, /\[…\] \(1\)/);
  assert.ok(jsonText(deep, many).text.length < many.all);
  assert.equal(jsonText({ big: 'x'.repeat(200_000) }, many).isCut, false);
});
