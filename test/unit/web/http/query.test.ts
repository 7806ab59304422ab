/** The query of a call: read by its schema, and refused with what is wrong. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Type } from 'typebox';
import { HiveError } from '../../../../src/observe/errors.ts';
import { readQuery } from '../../../../src/web/api/query.ts';

const schema = Type.Object({
  limit: Type.Integer({ default: 100, minimum: 1, maximum: 1000 }),
  since: Type.Integer({ minimum: 0 }),
  cluster: Type.Boolean({ default: false }),
  confirm: Type.Enum(['cluster', 'node'], { default: 'cluster' }),
  prefix: Type.String({ default: '' }),
  except: Type.String(),
});
const read = (text: string) => readQuery(schema, text, 'GET a/b');
const defaults = { limit: 100, since: undefined, cluster: false, confirm: 'cluster', prefix: '', except: undefined };

test('what is absent, or has no value, is the default', () => {
  assert.deepEqual(read(''), defaults);
  assert.deepEqual(read('limit=&since=&cluster=&confirm=&prefix=&except='), defaults);
});

test('values have the types of the schema', () => {
  assert.deepEqual(read('limit=1000&since=0&cluster=true&confirm=node&prefix=a.b%20%C3%A4&except=x'), {
    limit: 1000,
    since: 0,
    cluster: true,
    confirm: 'node',
    prefix: 'a.b ä',
    except: 'x',
  });
});

for (const [text, description] of [
  ['limit=0', 'limit must be a whole number from 1 to 1000, not 0.'],
  ['limit=1.5', 'limit must be a whole number from 1 to 1000, not 1.5.'],
  ['limit=ten', 'limit must be a whole number from 1 to 1000, not ten.'],
  ['since=-1', 'since must be a whole number of at least 0, not -1.'],
  ['cluster=yes', 'cluster must be true or false, not yes.'],
  ['confirm=maybe', 'confirm must be cluster or node, not maybe.'],
  ['limits=1', 'GET a/b has no parameter limits; it has limit, since, cluster, confirm, prefix, except.'],
  ['__proto__=1', 'GET a/b has no parameter __proto__; it has limit, since, cluster, confirm, prefix, except.'],
] as const) {
  test(`${text} is refused`, () => {
    assert.throws(
      () => read(text),
      (error) => {
        assert.ok(error instanceof HiveError);
        assert.deepEqual([error.code, error.toJSON().description], ['bad_api_request', description]);
        return true;
      },
    );
  });
}

test('a call without parameters says so', () => {
  assert.throws(() => readQuery(Type.Object({}), 'x=1', 'GET a/b'), /GET a\/b has no parameter x\./);
});
