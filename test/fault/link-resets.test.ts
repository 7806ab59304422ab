/**
 * A link between two nodes that breaks while they publish. Five resets cost each client of the other node 90 messages, with every
 * publish answered 200 and no socket closed: what was under way in the link, and what was published until it was back, was lost.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { LinkProxies } from '../support/link-proxies.ts';
import { RawSocket } from '../support/raw-client.ts';
import { RelayCluster, type RelayNode } from '../support/relay-cluster.ts';

const resets = 5;
const websocket = '/socket.io/?EIO=4&transport=websocket';

async function member(node: RelayNode): Promise<RawSocket> {
  const socket = new RawSocket(node.url + websocket);
  await socket.next();
  socket.answerPings();
  socket.send('40');
  await socket.next();
  socket.send('42["join","room"]');
  assert.equal(await socket.next(), '42["joined"]');
  return socket;
}

test('resets of the link between two nodes lose, double and reorder nothing', async (t) => {
  const proxies = await LinkProxies.start(['relay0@127.0.0.1', 'relay1@127.0.0.1']);
  const cluster = await RelayCluster.start(2, {}, proxies.settings);
  t.after(async () => {
    await cluster.stop();
    await proxies[Symbol.asyncDispose]();
  });
  const [one, two] = cluster.nodes as [RelayNode, RelayNode];
  const [near, far, other] = await Promise.all([member(one), member(two), member(two)]);
  // Each node has a publisher, and there is always something under way.
  let said = 0;
  let isOver = false;
  const talking = (async () => {
    while (!isOver) {
      for (let n = 0; n < 10; n += 1) {
        near.send(`42["say",{"name":"near","args":[${said}]}]`);
        far.send(`42["say",{"name":"far","args":[${said}]}]`);
        said += 1;
      }
      await eventually(() => near.messages.length > 2 * said - 500, 'the own messages', 60_000);
      await new Promise(setImmediate);
    }
  })();
  const heardBeyond = async (number: number): Promise<void> => {
    await eventually(() => far.messages.includes(`42["near",${number}]`), 'the near one at the other node', 60_000);
    await eventually(() => near.messages.includes(`42["far",${number}]`), 'the far one at this node', 60_000);
  };
  for (let n = 1; n <= resets; n += 1) {
    await heardBeyond(said + 20);
    proxies.reset();
  }
  await heardBeyond(said + 20);
  isOver = true;
  await talking;
  for (const socket of [near, far, other]) {
    await eventually(() => socket.messages.length === 2 * said, `all of ${said} messages`, 60_000);
    for (const name of ['near', 'far']) {
      const heard = socket.messages.filter((text) => text.startsWith(`42["${name}"`));
      assert.deepEqual(
        heard,
        Array.from({ length: said }, (_, n) => `42["${name}",${n}]`),
      );
    }
    assert.equal(socket.code, undefined);
  }
  assert.ok((await one.metric('pubsub.resent')) + (await two.metric('pubsub.resent')) > 0, 'something was under way');
  for (const node of [one, two]) {
    assert.deepEqual([await node.metric('pubsub.gaps'), await node.metric('pubsub.missed')], [0, 0]);
  }
});
