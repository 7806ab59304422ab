import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestHeaders } from '../../../src/observe/request-headers.ts';

test('headers are set once per name, whatever its case', () => {
  const headers = new RequestHeaders();
  headers.set('Traceparent', 'old');
  headers.set('traceparent', '00-1-2-01');
  headers.set('baggage', 'a=1, b=2');
  headers.set('empty', '');
  assert.equal(headers.get('TRACEPARENT'), '00-1-2-01');
  assert.equal(headers.size, 3);
  assert.deepEqual(headers.flat(), ['traceparent', '00-1-2-01', 'baggage', 'a=1, b=2', 'empty', '']);
});

for (const [name, value, message] of [
  ['', 'a', '"" is no name of a header'],
  ['a b', 'a', '"a b" is no name of a header'],
  ['a:', 'a', '"a:" is no name of a header'],
  ['a\r\nb', 'a', '"a\\r\\nb" is no name of a header'],
  ['Host', 'a', 'host is set by the connector'],
  ['Transfer-Encoding', 'chunked', 'transfer-encoding is set by the connector'],
  ['a', 'a\r\nb: c', 'the value of a must be a text of visible ASCII characters and spaces'],
  ['a', 'a\n', 'the value of a must be a text of visible ASCII characters and spaces'],
  ['a', ' a', 'the value of a must be a text of visible ASCII characters and spaces'],
  ['a', 'é', 'the value of a must be a text of visible ASCII characters and spaces'],
  ['a', 1, 'the value of a must be a text of visible ASCII characters and spaces'],
] as const) {
  test(`${JSON.stringify(name)}: ${JSON.stringify(value)} is refused`, () => {
    const headers = new RequestHeaders();
    assert.throws(() => headers.set(name, value as string), {
      name: 'TypeError',
      message: `RequestHeaders: ${message}`,
    });
    assert.equal(headers.size, 0);
  });
}
