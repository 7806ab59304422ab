/** No sticky sessions: three nodes behind a proxy that sends every single request to the next of them. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { RelayCluster } from '../support/relay-cluster.ts';
import { RoundRobin } from '../support/round-robin.ts';
import { type ClientKind, clientKinds, SocketClient } from '../support/socket-clients.ts';

const unknownSession = 'Session ID unknown';

describe('behind a round-robin proxy', () => {
  let cluster: RelayCluster;
  let proxy: RoundRobin;

  before(async () => {
    cluster = await RelayCluster.start(3);
    proxy = await RoundRobin.start(cluster.nodes.map(({ port }) => port));
    proxy.watchFor(unknownSession);
  });

  after(async () => {
    await proxy.stop();
    await cluster.stop();
  });

  const total = async (path: string): Promise<number> => {
    const values = await Promise.all(cluster.nodes.map(({ metric }) => metric(path)));
    return values.reduce((sum, value) => sum + value, 0);
  };

  for (const kind of [...clientKinds, '4.8 upgrade'] satisfies ClientKind[]) {
    test(`a client of ${kind} connects, is answered, joins, hears the room and leaves`, async () => {
      const client = await SocketClient.connect(kind, proxy.url);
      const other = await SocketClient.connect('4.8 websocket', cluster.nodes[0]!.url);
      const acknowledged = new Promise((resolve) => client.emit('echo', { n: 1 }, resolve));
      assert.deepEqual(await client.event('echo'), { n: 1 });
      assert.deepEqual(await acknowledged, { n: 1 });
      for (const one of [client, other]) {
        one.emit('join', 'room');
        await one.event('joined');
      }
      for (let n = 0; n < 20; n += 1) {
        (n % 2 === 0 ? client : other).emit('say', { name: 'said', args: [n] });
        await client.event('said', (said) => said === n);
      }
      assert.deepEqual(
        client.received.filter(({ name }) => name === 'said').map(({ args }) => args[0]),
        Array.from({ length: 20 }, (_, n) => n),
      );
      await client.disconnect();
      await other.disconnect();
      await eventually(async () => (await total('hive.router.current_clients')) === 0, 'the end of the clients');
    });
  }

  test('nothing was unknown anywhere, and nothing is left of what was relayed', async () => {
    assert.equal(proxy.seen(unknownSession), 0);
    assert.ok((await total('hive.relay.forwarded')) > 50);
    await eventually(async () => (await total('hive.relay.entries')) + (await total('hive.relay.owned')) === 0, 'rest');
  });
});
