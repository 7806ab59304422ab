/** Whether another server has taken the place of Redis. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Witness } from '../../../src/sessions/durable/witness.ts';

// Old fault: a server that was killed between two commands of a renewal did not say who it was, and its successor was taken for it.
test('another server is noticed though the former one could not say any more who it was', async () => {
  let server: string | undefined = 'first';
  const witness = new Witness(async (commands) => {
    if (server === undefined) throw new Error('the connection was closed');
    return commands.map(() => server);
  });
  const keys = ['a', 'b'];
  assert.equal(await witness.hasChanged(keys), false);
  assert.equal(await witness.hasChanged(keys), false);
  server = undefined;
  assert.equal(await witness.hasChanged(keys), false);
  server = 'second';
  assert.equal(await witness.hasChanged(keys), true);
  assert.equal(await witness.hasChanged([...keys, 'c']), false);
});
