/** Calls of the API that let a client be sent something, or change its channels, are answered when that is stored. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missing } from '../support/programs.ts';
import { RedisServer } from '../support/redis.ts';
import { ReturnCluster } from '../support/return-cluster.ts';

test('an answer waits for Redis, whichever node is asked', { skip: missing('redis-server') }, async (t) => {
  const redis = await RedisServer.start();
  const scene = await ReturnCluster.start({}, {}, redis.port, undefined, { lease: 20_000, nodes: 2 });
  t.after(async () => {
    await scene.stop();
    await redis.stop();
  });
  const one = await scene.client(t);
  for (const call of [
    (at: number) => one.send(at),
    (at: number) => one.publish(at),
    (at: number) => one.call(at, `pubsub/subscribe/${one.sid}`, [`room.${at}`]),
  ]) {
    for (const at of [0, 1]) {
      let isAnswered = false;
      redis.pause();
      const answered = call(at).then(() => {
        isAnswered = true;
      });
      // Further calls that need not wait are answered meanwhile.
      for (let later = 0; later < 5; later += 1) await (await scene.nodes[at]!.api('GET', 'version')).text();
      assert.equal(isAnswered, false);
      redis.resume();
      await answered;
    }
  }
  await one.hasAll();
});
