/**
 * Two hundred clients whose connections go to three nodes in turn, and break at random bytes for half a minute, while somebody
 * publishes through each of the nodes in turn.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CutCrowd } from '../support/cut-crowd.ts';
import { soonPings } from '../support/recovery-scene.ts';
import { ReturnCluster } from '../support/return-cluster.ts';

test('whichever node they come back to, clients hear everything once and in order', async (t) => {
  const scene = await ReturnCluster.start(soonPings, { mode: 'production' });
  const { nodes } = scene;
  let turn = 0;
  const crowd = new CutCrowd(
    async (path, body) => {
      const answer = await nodes[turn % nodes.length]!.api('POST', path, JSON.stringify(body));
      const text = await answer.text();
      assert.equal(answer.status, 200, `${path}: ${text}`);
      // What some node has not confirmed may be overtaken by what is published through another one.
      if (text === '') turn += 1;
    },
    'crowd',
    50,
  );
  t.after(async () => {
    await crowd.stop();
    await scene.stop();
  });
  await crowd.enter(200, ...nodes.map(({ port }) => port));
  const cuts = await crowd.cut({ ms: 30_000 });
  assert(cuts > 200, `${cuts} cuts`);
  await crowd.check();
});
