import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { clusterName } from '../../src/actors/cluster/cluster.ts';
import { keepingLog, startEpmd } from '../support/cluster.ts';
import { meshed, startClusterNode } from '../support/cluster-node.ts';
import { eventually } from '../support/eventually.ts';

test('nodes find each other, and metrics show it', async (t) => {
  const epmd_port = await startEpmd(t);
  const a = await startClusterNode(t, 'a@127.0.0.1', { epmd_port });
  const b = await startClusterNode(t, 'b@127.0.0.1', { epmd_port, cluster_nodes: ['a@127.0.0.1'] });
  const c = await startClusterNode(t, 'c@127.0.0.1', { epmd_port, cluster_nodes: ['a@127.0.0.1'] });
  await meshed(a, b, c);
  const tree = JSON.parse(JSON.stringify(c.metrics.tree('hive.cluster')));
  assert.equal(tree.hive.cluster.size, 3);
  assert.equal(tree.hive.cluster.nodes[0], 'c@127.0.0.1');
  assert.deepEqual(tree.hive.cluster.nodes.sort(), ['a@127.0.0.1', 'b@127.0.0.1', 'c@127.0.0.1']);
});

test('a second node of the same name does not start', async (t) => {
  const epmd_port = await startEpmd(t);
  await startClusterNode(t, 'a@127.0.0.1', { epmd_port });
  await assert.rejects(startClusterNode(t, 'a@127.0.0.1', { epmd_port }), { code: 'name_taken' });
});

test('a node that cannot listen warns if it is alone, and does not start if it has others to find', async (t) => {
  const epmd_port = await startEpmd(t);
  const squatter = createServer().listen(0, '127.0.0.1');
  t.after(() => squatter.close());
  const port = await eventually(() => (squatter.address() as { port: number } | null)?.port, 'a port');
  const taken = { epmd_port, cluster_port_min: port, cluster_port_max: port };
  const log = keepingLog();
  const { table, kernel } = await startClusterNode(t, 'a@127.0.0.1', { ...taken, log });
  assert.deepEqual(table.nodes(), ['a@127.0.0.1']);
  assert.equal(kernel.transport, undefined);
  assert.match(log.lines.find(({ level }) => level === 'warning')!.message, /cannot be found.*Cannot listen/);
  await assert.rejects(startClusterNode(t, 'b@127.0.0.1', { ...taken, cluster_nodes: ['a@127.0.0.1'] }), {
    code: 'port_taken',
  });
});

test('a cluster actor that is killed frees name and port, and its successor joins again', async (t) => {
  const epmd_port = await startEpmd(t);
  const a = await startClusterNode(t, 'a@127.0.0.1', { epmd_port });
  const b = await startClusterNode(t, 'b@127.0.0.1', { epmd_port, cluster_nodes: ['a@127.0.0.1'] });
  await meshed(a, b);
  const changes: string[] = [];
  a.table.listen({ nodeUp: () => changes.push('up'), nodeDown: () => changes.push('down') });
  const killed = b.kernel.whereis(clusterName)!;
  b.kernel.exit(killed, killed, 'kill');
  assert.deepEqual(b.table.nodes(), ['b@127.0.0.1']);
  await eventually(() => changes.length === 2, 'the loss and the return');
  assert.deepEqual(changes, ['down', 'up']);
  await meshed(a, b);
});
