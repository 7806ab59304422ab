/** `hive.max_client_errors`, for every client that people use, at the node that owns its session and at another. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { matrixClient, type Way } from '../support/matrix-clients.ts';
import { RelayCluster } from '../support/relay-cluster.ts';
import { RoundRobin } from '../support/round-robin.ts';

const limit = 20;
const matrix: Record<string, Way[]> = {
  '4.8': ['polling', 'websocket', 'upgrade'],
  '2.5': ['polling', 'websocket', 'upgrade'],
  '1.7': ['polling', 'websocket', 'upgrade'],
  '0.9': ['polling', 'websocket'],
};

describe('a client whose events fail without end is disconnected, for good', () => {
  let cluster: RelayCluster;
  let proxy: RoundRobin;

  before(async () => {
    cluster = await RelayCluster.start(2, {}, { max_client_errors: limit });
    const [owner, other] = cluster.nodes.map(({ port }) => port) as [number, number];
    proxy = await RoundRobin.start([other], owner);
  });

  after(async () => {
    await proxy.stop();
    await cluster.stop();
  });

  const both = async (path: string): Promise<number> => {
    const counts = await Promise.all(cluster.nodes.map(({ metric }) => metric(path)));
    return counts.reduce((sum, count) => sum + count, 0);
  };

  for (const place of ['at the owner of its session', 'through another node']) {
    for (const [library, ways] of Object.entries(matrix)) {
      for (const way of ways) {
        test(`${library} over ${way} ${place}`, async (t) => {
          const url = place === 'through another node' ? proxy.url : cluster.nodes[0]!.url;
          const ended = await both('clients.too_many_errors');
          const client = await matrixClient(library, way, url).connected(1);
          t.after(() => client.disconnect());
          if (way === 'upgrade') await eventually(() => client.transport === 'websocket', 'the upgrade');
          for (let n = 0; n < limit; n += 1) client.emit('on_connect', [n]);
          assert.deepEqual(await client.call('echo', ['still here']), ['still here']);
          client.emit('on_connect', [limit]);
          await eventually(() => client.received.length >= limit + 3, 'all errors');
          const errors = client.received.filter(([name]) => name === 'hive_error').map(([, args]) => args);
          assert.equal(errors.length, limit + 2);
          const description = `More than ${limit} of its events failed within ten seconds.`;
          assert.deepEqual(errors.at(-1), [{ error: 'too_many_errors', description }]);
          await eventually(async () => (await both('hive.router.current_clients')) === 0, 'the end of the client');
          assert.equal(await both('clients.too_many_errors'), ended + 1);
          assert.equal(client.connects, 1);
        });
      }
    }
  }
});
