import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseQuery } from '../../../../src/web/client/requests.ts';
import { fc } from '../../../support/properties.ts';

const plain = (text: string | undefined) => ({ ...parseQuery(text) });

test('what URLSearchParams writes is read again', () => {
  const dictionary = fc.dictionary(fc.string({ minLength: 1, unit: 'grapheme' }), fc.string({ unit: 'grapheme' }));
  fc.assert(
    fc.property(dictionary, (query) => {
      assert.deepEqual(plain(new URLSearchParams(query).toString()), { ...query });
    }),
  );
});

test('odd queries do no harm', () => {
  assert.deepEqual(plain(undefined), {});
  assert.deepEqual(plain(''), {});
  assert.deepEqual(plain('disconnect'), { disconnect: '' });
  assert.deepEqual(plain('a=%zz&a=2&=3&&b=1=2'), { a: '%zz', b: '1=2' });
  assert.equal(Object.getPrototypeOf(parseQuery('__proto__=x')), null);
});

test('any text can be a query', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseQuery(text)));
});
