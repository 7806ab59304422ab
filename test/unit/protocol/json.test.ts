import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseActionCalls } from '../../../src/protocol/backend/action-call.ts';
import { asInJson, isPlain, parseBackEndJson, parseJson } from '../../../src/protocol/json.ts';
import { CallBody } from '../../../src/web/api/call-body.ts';

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

test('JSON may be nested 256 levels deep, whoever sends it', () => {
  const text = nested(256) + ' '.repeat(600);
  assert.deepEqual(parseJson(text), JSON.parse(text));
  assert.deepEqual(parseBackEndJson(text, 'It is'), JSON.parse(text));
  assert.throws(() => parseJson(nested(257)), { code: 'bad_packet', message: /256/ });
});

test('brackets in strings are no levels', () => {
  const value = ['[{'.repeat(300), '\\"'.repeat(300)];
  assert.deepEqual(parseBackEndJson(JSON.stringify(value), 'It is'), value);
});

test('what back ends nest too deeply for the stack is an error of theirs, and crashes nobody', () => {
  const deep = nested(100_000);
  const failure = { code: 'invalid_json', message: /nested deeper than 256 levels/ };
  assert.throws(() => parseActionCalls(`[{"action":"store","args":{"x":${deep}}}]`), failure);
  assert.throws(() => CallBody.ofText(`{"name":"x","args":${deep}}`).json(), failure);
});

test('back ends are told what is wrong with their JSON; the log is not', () => {
  assert.throws(() => CallBody.ofText('{secret').json(), {
    code: 'invalid_json',
    message: /^The body is not JSON: .+/,
    summary: 'The body is not JSON',
  });
  assert.throws(() => parseActionCalls('<html>'), { summary: 'The actions are not JSON' });
});

test('what goes to another node is what JSON would make of it, and itself if that is the same', () => {
  const same = [{ a: [1, 'é😀', null, true, { b: Buffer.of(1) }] }];
  assert.equal(asInJson(same), same);
  const odd = [
    { a: Number.NaN, b: ['\ud83d', 1] },
    { 'k\udc00': Number.POSITIVE_INFINITY, c: same },
  ];
  assert.deepEqual(asInJson(odd), [
    { a: null, b: ['\ufffd', 1] },
    { 'k\ufffd': null, c: same },
  ]);
});

test('a value of another node is plain if it can be written as JSON', () => {
  for (const value of [null, 1.5, 'x', [{ a: [Buffer.of(1)] }]]) assert.equal(isPlain(value), true);
  for (const value of [2n ** 70n, [{ a: 2n ** 70n }], new Map(), [new Date()]]) assert.equal(isPlain(value), false);
});
