import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RedisCommand } from '../../../src/sessions/durable/commands.ts';
import { together } from '../../../src/sessions/durable/together.ts';

test('what is asked in one turn is sent together, and everybody gets the replies to what he has asked', async () => {
  const sent: RedisCommand[][] = [];
  const run = together(async (commands) => {
    sent.push(commands);
    return commands.map(([name, ...args]) => `${name} ${args.join(' ')}`);
  });
  const first = await Promise.all([
    run([['get', 'a']]),
    run([
      ['get', 'b'],
      ['get', 'c'],
    ]),
    run([]),
  ]);
  assert.deepEqual(first, [['get a'], ['get b', 'get c'], []]);
  assert.deepEqual(await run([['get', 'd']]), ['get d']);
  assert.deepEqual(
    sent.map((commands) => commands.length),
    [3, 1],
  );
});

test('if Redis is away, everybody hears so, and those who ask later are served', async () => {
  let isAway = true;
  const run = together((commands) => {
    if (isAway) throw new Error('away');
    return Promise.resolve(commands.map(() => 1));
  });
  const failed = [run([['get', 'a']]), run([['get', 'b']])];
  for (const each of failed) await assert.rejects(each, /away/);
  isAway = false;
  assert.deepEqual(await run([['get', 'c']]), [1]);
});
