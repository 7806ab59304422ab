import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expandEnvironment } from '../../../src/config/environment.ts';

const env = { HOST: 'redis.example', EMPTY: '', NESTED: `\${HOST}` };

test('variables are replaced wherever strings are', () => {
  const { value, findings } = expandEnvironment({ $HOST: [`http://\${HOST}:\${HOST}/`, 1, null, `<\${EMPTY}>`] }, env);
  assert.deepEqual(value, { $HOST: ['http://redis.example:redis.example/', 1, null, '<>'] });
  assert.deepEqual(findings, []);
});

test('what was inserted is remembered and not looked at again', () => {
  const { value, inserted } = expandEnvironment({ a: `x\${NESTED}`, b: 'plain' }, env);
  assert.deepEqual(value, { a: `x\${HOST}`, b: 'plain' });
  assert.deepEqual([...inserted], [['/a', [`\${HOST}`]]]);
});

test('a doubled dollar stands for a literal one before a brace', () => {
  assert.equal(expandEnvironment(`$\${HOST} $$ $5 {x}`, env).value, `\${HOST} $$ $5 {x}`);
});

test('what cannot be replaced is reported', () => {
  const { findings } = expandEnvironment({ a: `\${NOWHERE}`, b: [`\${no name}`], c: `\${HOST` }, env);
  assert.deepEqual(
    findings.map(({ pointer, reason }) => [pointer, reason.split(';')[0]]),
    [
      ['/a', 'the environment variable NOWHERE is not set'],
      ['/b/0', `\${no name} names no environment variable`],
      ['/c', `"\${" without "}"`],
    ],
  );
});
