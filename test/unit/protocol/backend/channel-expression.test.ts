import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HiveError } from '../../../../src/observe/errors.ts';
import { channelIds, resubscription } from '../../../../src/protocol/backend/channel-expression.ts';
import { fc } from '../../../support/properties.ts';

const badChannelId = { name: 'HiveError', code: 'bad_channel_id' };

test('an expression names the union of what its parts name, each id once and in written order', () => {
  const cases: [unknown, string[]][] = [
    ['a.b', ['a.b']],
    [17, ['17']],
    [[], []],
    [{}, []],
    [
      ['a.b', 'c'],
      ['a.b', 'c'],
    ],
    [{ room: 'x' }, ['room.x']],
    [{ room: 3 }, ['room.3']],
    [{ room: ['x', 3, ['y']] }, ['room.x', 'room.3', 'room.y']],
    [{ room: [] }, []],
    [{ a: { b: ['c'] }, d: 1 }, ['a.b.c', 'd.1']],
    [
      ['a', { b: [1, { c: 2 }] }, 3],
      ['a', 'b.1', 'b.c.2', '3'],
    ],
    [{ 'x.y': 'z' }, ['x.y.z']],
    [
      ['a', 'b', 'a'],
      ['a', 'b'],
    ],
  ];
  for (const [expression, ids] of cases) assert.deepEqual(channelIds(expression), ids, JSON.stringify(expression));
});

test('what names nothing definite is refused', () => {
  for (const expression of [
    null,
    true,
    1.5,
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    undefined,
    [null],
    { a: null },
    { '': 'a' },
  ]) {
    assert.throws(() => channelIds(expression), badChannelId, JSON.stringify(expression));
  }
});

test('ids and nesting are bounded', () => {
  let nested: unknown = 'a';
  for (let depth = 0; depth < 40; depth += 1) nested = [nested];
  assert.throws(() => channelIds(nested), badChannelId);
  assert.throws(() => channelIds('x'.repeat(1025)), badChannelId);
  assert.throws(() => channelIds({ ['x'.repeat(600)]: 'y'.repeat(600) }), badChannelId);
});

test('a resubscription leaves the keys and joins the whole', () => {
  assert.deepEqual(resubscription({ news: [5] }), { leave: ['news'], join: ['news.5'] });
  assert.deepEqual(resubscription([{ a: { b: 'c' } }, { d: [] }]), { leave: ['a', 'd'], join: ['a.b.c'] });
  for (const expression of ['news', 5, null, [['news']]]) {
    assert.throws(() => resubscription(expression), badChannelId, JSON.stringify(expression));
  }
});

test('any JSON gives clean ids or the one error', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (expression) => {
      try {
        for (const id of channelIds(expression)) assert.ok(id.split('.').every((segment) => segment !== ''));
      } catch (error) {
        assert.ok(error instanceof HiveError && error.code === 'bad_channel_id');
      }
    }),
  );
});
