import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Type } from 'typebox';
import { validateArgs } from '../../../src/config/catalogue.ts';
import { formatProblem } from '../../../src/config/problem.ts';
import { validate } from '../../../src/config/validate.ts';

const event = Type.Object(
  { name: Type.String(), args: Type.Array(Type.Unknown(), { minItems: 1 }) },
  { additionalProperties: false },
);
const echo = Type.Union([Type.Null(), event]);

function told(schema: Parameters<typeof validate>[0], value: unknown): string[] {
  return validate(schema, value).map(({ pointer, reason }) => `${pointer} ${reason}`);
}

test('defaults are filled in before anything is missed', () => {
  const schema = Type.Object({
    port: Type.Integer({ default: 6379 }),
    limits: Type.Object({ size: Type.Integer({ default: 2 }) }, { default: {} }),
  });
  const value = {};
  assert.deepEqual(validate(schema, value), []);
  assert.deepEqual(value, { port: 6379, limits: { size: 2 } });
});

test('of a union only the alternative that was meant is spoken of', () => {
  assert.deepEqual(told(echo, null), []);
  assert.deepEqual(told(echo, { name: 'a', args: [1] }), []);
  assert.deepEqual(told(echo, { name: 5, args: [] }), ['/name must be a string', '/args must not be empty']);
  assert.deepEqual(told(echo, 'hello'), [' must be null or an object']);
});

test('each element of an array of unions is judged by itself', () => {
  const list = Type.Array(Type.Union([Type.String(), Type.Null()]));
  assert.deepEqual(told(list, ['a', 1, null, {}]), ['/1 must be a string or null', '/3 must be a string or null']);
});

test('a value of the wrong type is not also out of range, and another element may be', () => {
  const list = Type.Array(Type.Integer({ minimum: 1 }));
  assert.deepEqual(told(list, [0.5, 0]), ['/0 must be an integer', '/1 must be at least 1']);
});

test('args that arrive at run time are completed in a copy', () => {
  const contract = { args: Type.Object({ ttl: Type.Integer({ default: 5 }) }), argsCode: 'bad_config' } as const;
  const given = Object.freeze({});
  assert.deepEqual(validateArgs(contract, given, 'sm.redis'), { args: { ttl: 5 }, problems: [] });
});

test('problems of run-time args have a path, a code and no secrets', () => {
  const contract = {
    args: Type.Object({ password: Type.Integer(), list: Type.Array(Type.Integer()) }),
    argsCode: 'bad_redis_connector_args',
  } as const;
  const { problems } = validateArgs(contract, { password: 'hunter2', list: [{ password: 'hunter2' }] }, 'pools.main');
  assert.deepEqual(problems.map(formatProblem), [
    'pools.main.args.password: "***" → must be an integer',
    'pools.main.args.list[0]: {"password":"***"} → must be an integer',
  ]);
  assert.equal(problems[0]?.code, 'bad_redis_connector_args');
});
