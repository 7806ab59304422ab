import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReplyLength } from '../../../../../src/plugins/connectors/redis/reply-length.ts';
import { fc } from '../../../../support/properties.ts';

const tooMuch = /announces more than 4194304 items/;

function follow(...chunks: string[]): void {
  const length = new ReplyLength();
  for (const chunk of chunks) length.follow(Buffer.from(chunk));
}

test('what announces too much is refused, at once, in a sum, nested, and cut anywhere', () => {
  assert.throws(() => follow('*30000000\r\n'), tooMuch);
  assert.throws(() => follow('*4194305\r\n'), tooMuch);
  assert.throws(() => follow('%2097153\r\n'), tooMuch);
  assert.throws(() => follow('*4000000\r\n*4000000\r\n'), tooMuch);
  assert.throws(() => follow('+OK\r\n$3\r\nabc\r\n:1\r\n*30', '000000', '\r', '\n'), tooMuch);
  follow('*4194304\r\n', '%2097152\r\n'.slice(0, 3));
});

test('what a text says is no head, and what has come is not due any more', () => {
  follow('$12\r\nx\r\n*99999999\r\n', '+*99999999\r\n');
  const length = new ReplyLength();
  for (let n = 0; n < 100; n += 1) length.follow(Buffer.from(`*100000\r\n${':1\r\n'.repeat(100_000)}`));
});

test('what ioredis would read otherwise is refused', () => {
  // It takes any bytes for digits, and goes by what should be a line end without a look.
  for (const text of [
    '*1zzzz\r\n',
    '*\r\n',
    '$1x\r\n',
    '+OK\rX*30000000\r\n',
    '_X*30000000\r\n',
    '*-5\r\n',
    ',iZZZZ*30000000\r\n',
    '?\r\n',
  ]) {
    assert.throws(() => follow(text), /makes no sense|ends wrongly/, text);
  }
  follow(
    '*-1\r\n$-1\r\n_\r\n#t\r\n,1.5\r\n,inf\r\n,-1.7976931348623157e+308\r\n(123\r\n-ERR no\r\n:-5\r\n',
    `+${'x'.repeat(100)}`,
    'y\r',
    '\n:1\r\n',
  );
});

type Value = string | number | null | readonly Value[];

function encode(value: Value): string {
  if (value === null) return '$-1\r\n';
  if (typeof value === 'number') return `:${value}\r\n`;
  if (typeof value === 'string') return `$${Buffer.byteLength(value)}\r\n${value}\r\n`;
  return `*${value.length}\r\n${value.map(encode).join('')}`;
}

test('however valid replies are cut, none is refused, and the next one is read from its beginning', () => {
  const { value } = fc.letrec<{ value: Value }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom('', '*99999999', 'a\r\n*99999999\r\n', '$5\r\n', 'zwölf'),
      fc.integer(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 4 }),
    ),
  }));
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 1, maxLength: 5 }),
      fc.array(fc.nat(60), { maxLength: 10 }),
      (values, cuts) => {
        const bytes = Buffer.from(values.map(encode).join(''));
        const length = new ReplyLength();
        let at = 0;
        for (const cut of [...cuts, bytes.length]) {
          length.follow(bytes.subarray(at, at + cut));
          at += cut;
        }
        assert.throws(() => length.follow(Buffer.from('*99999999\r\n')), tooMuch);
      },
    ),
  );
});
