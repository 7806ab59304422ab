/**
 * Nodes on different versions of Node, with different socket libraries, in one cluster. `HIVE_TEST_NODES` lists more programs of
 * Node to be tried, with `:` between them.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { delimiter } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { chooseSockets } from '../../src/web/sockets/choice.ts';
import { eventually } from '../support/eventually.ts';
import { type MatrixClient, matrixClient, type Way } from '../support/matrix-clients.ts';
import { RelayCluster, type Runner } from '../support/relay-cluster.ts';
import { RoundRobin } from '../support/round-robin.ts';

const clients: readonly (readonly [library: string, way: Way])[] = [
  ['4.8', 'websocket'],
  ['4.8', 'polling'],
  ['4.8', 'upgrade'],
  ['2.5', 'upgrade'],
  ['0.9', 'websocket'],
  ['0.9', 'polling'],
];

const best: Runner = { node: process.execPath, sockets: chooseSockets().name };
const others: Runner[] = [process.execPath, ...(process.env.HIVE_TEST_NODES?.split(delimiter) ?? [])]
  .filter((node) => node !== '')
  .map((node) => ({ node, sockets: 'node' }));

function title({ node, sockets }: Runner): string {
  return `Node ${execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()} with the sockets ${sockets}`;
}

for (const other of others) {
  describe(`${title(best)} and ${title(other)}`, () => {
    let cluster: RelayCluster;
    let spread: RoundRobin;

    before(async () => {
      cluster = await RelayCluster.start(2, {}, {}, [best, other]);
      spread = await RoundRobin.start(cluster.nodes.map(({ port }) => port));
    });

    after(async () => {
      await spread?.stop();
      await cluster?.stop();
    });

    test('say what holds their sockets, and that they are ready', async () => {
      for (const [index, { sockets }] of [best, other].entries()) {
        const { process, monitor } = cluster.nodes[index]!;
        const health = (await (await fetch(`${monitor}/health`)).json()) as { status: string };
        assert.equal(health.status, 'ready');
        assert.equal(/sockets: node:http/.test(process.stdout), sockets === 'node', process.stdout);
      }
    });

    test('serve one room to clients of all generations', async (t) => {
      const places = [...cluster.nodes.map(({ url }) => url), spread.url];
      const all: MatrixClient[] = [];
      t.after(() => {
        for (const client of all) client.disconnect();
      });
      for (const place of places) for (const [library, way] of clients) all.push(matrixClient(library, way, place));
      for (const client of all) {
        await client.connected(1);
        assert.deepEqual(await client.call('echo', ['grüße 😀']), ['grüße 😀']);
        await client.next('echo');
        await client.call('join', ['room']);
      }
      all[0]!.emit('say', [{ name: 'news', args: ['from a client'] }]);
      for (const client of all) assert.deepEqual(await client.next('news'), ['from a client']);
      for (const { index, api } of cluster.nodes) {
        const body = JSON.stringify({ name: 'news', args: [index] });
        const answer = await api('POST', 'pubsub/publish/room', body);
        assert.equal(answer.status, 200);
        for (const client of all) assert.deepEqual(await client.next('news'), [index]);
      }
      for (const client of all.splice(0)) client.disconnect();
      await eventually(async () => {
        const left = await Promise.all(cluster.nodes.map(({ metric }) => metric('hive.router.current_clients')));
        return left.every((count) => count === 0);
      }, 'the end of the clients');
    });
  });
}
