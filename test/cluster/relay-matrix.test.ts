/** Every client that people use, over every way it can connect, with its requests at nodes that do not own its session. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../support/eventually.ts';
import { type MatrixClient, matrixClient, missingPython, type Way } from '../support/matrix-clients.ts';
import { RelayCluster } from '../support/relay-cluster.ts';
import { RoundRobin } from '../support/round-robin.ts';

const matrix: Record<string, Way[]> = {
  '4.8': ['polling', 'websocket', 'upgrade'],
  '2.5': ['polling', 'websocket', 'upgrade'],
  '1.7': ['polling', 'websocket', 'upgrade'],
  '0.9': ['polling', 'websocket'],
  python: ['polling', 'websocket', 'upgrade'],
};
const every = Object.entries(matrix).flatMap(([library, ways]) =>
  ways.map((way) => ({ library, way, skip: library === 'python' ? missingPython() : false })),
);

const text = 'grüße 日本 😀';
const bytes = { _binary: Buffer.from([0, 1, 4, 127, 128, 255]).toString('base64') };

/** The next ten events are those numbered from 0 to 9. The Python client handles each event in a thread of its own. */
async function tenInOrder(client: MatrixClient, name: string, library: string): Promise<void> {
  const got: unknown[] = [];
  while (got.length < 10) got.push(await client.next(name));
  if (library === 'python') got.sort();
  assert.deepEqual(
    got,
    Array.from({ length: 10 }, (_, n) => [n, text]),
  );
}

describe('three nodes', () => {
  let cluster: RelayCluster;
  /** Each proxy, by what it does. */
  const proxies: Record<string, RoundRobin> = {};

  before(async () => {
    cluster = await RelayCluster.start(3);
    const [owner, other, third] = cluster.nodes.map(({ port }) => port) as [number, number, number];
    proxies['with the handshake at one node and all else at another'] = await RoundRobin.start([other], owner);
    proxies['with every request at the next node'] = await RoundRobin.start([owner, other, third]);
  });

  after(async () => {
    await Promise.all(Object.values(proxies).map((proxy) => proxy.stop()));
    await cluster.stop();
  });

  const clientsLeft = async (): Promise<number> => {
    const counts = await Promise.all(cluster.nodes.map(({ metric }) => metric('hive.router.current_clients')));
    return counts.reduce((sum, count) => sum + count, 0);
  };

  for (const place of [
    'with the handshake at one node and all else at another',
    'with every request at the next node',
  ]) {
    for (const { library, way, skip } of every) {
      test(`serve the client ${library} over ${way} ${place}`, { skip }, async (t) => {
        const client = await matrixClient(library, way, proxies[place]!.url).connected(1);
        t.after(() => client.disconnect());
        if (way === 'upgrade' && client.transport) {
          await eventually(() => client.transport === 'websocket', 'the upgrade');
        }
        assert.deepEqual(await client.call('echo', [0, text]), [0, text]);
        for (let n = 1; n < 10; n += 1) client.emit('echo', [n, text]);
        await tenInOrder(client, 'echo', library);
        if (library !== '0.9') {
          assert.deepEqual(await client.call('echo', [bytes, text]), [bytes, text]);
          assert.deepEqual(await client.next('echo'), [bytes, text]);
        }
        await client.call('join', ['room']);
        for (let n = 0; n < 10; n += 1) client.emit('say', [{ name: 'news', args: [n, text] }]);
        await tenInOrder(client, 'news', library);
        client.disconnect();
        await eventually(async () => (await clientsLeft()) === 0, 'the end of the client');
      });
    }
  }

  test('serve every client again when the owner of its session was killed', async (t) => {
    const proxy = proxies['with every request at the next node']!;
    const clients: MatrixClient[] = [];
    t.after(() => {
      for (const client of clients) client.disconnect();
    });
    for (const { library, way, skip } of every) if (!skip) clients.push(matrixClient(library, way, proxy.url));
    await Promise.all(clients.map((client) => client.connected(1)));
    const victim = cluster.nodes[0]!;
    assert.ok((await victim.metric('hive.router.current_clients')) > 0);
    proxy.remove(victim.port);
    await victim.process.stop('SIGKILL');
    for (const client of clients) {
      // What was said to the node that is gone was said in vain.
      const answer = () => Promise.race([client.call('echo', [text]), delay(500)]);
      await eventually(answer, 'an answer after the loss');
    }
  });
});
