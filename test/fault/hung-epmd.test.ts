/** The node that serves EPMD for its machine hangs. No other node of that machine could start, or find another. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DefaultNode } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { metric } from '../support/operator.ts';
import { freePorts } from '../support/ports.ts';

test('nodes start and find each other while EPMD hangs, and it when it goes on', async (t) => {
  const [epmd_port, first] = (await freePorts(2)) as [number, number];
  const names = ['one', 'two', 'three'].map((id) => `${id}@127.0.0.1`);
  const start = async (name: string) => {
    const node = await DefaultNode.start((config) => {
      const range = { cluster_port_min: first, cluster_port_max: Math.min(first + 10, 65_535) };
      Object.assign(config.hive!, { name, epmd_port, ...range, cluster_nodes: names });
    });
    t.after(() => node.stop());
    return node;
  };
  const one = await start(names[0]!);
  one.process.signal('SIGSTOP');
  t.after(() => one.process.signal('SIGCONT'));
  const [two, three] = await Promise.all([start(names[1]!), start(names[2]!)]);
  assert.match(two.process.stdout + two.process.stderr, /Cannot register two@127.0.0.1 with EPMD: .*did not answer/);
  for (const node of [two, three]) {
    await eventually(async () => (await metric(node, 'hive.cluster.size')) === 2, 'two nodes', 30_000);
  }
  one.process.signal('SIGCONT');
  for (const node of [one, two, three]) {
    await eventually(async () => (await metric(node, 'hive.cluster.size')) === 3, 'all nodes', 30_000);
  }
  await eventually(
    () => (two.process.stdout + two.process.stderr).includes('registered with EPMD on port'),
    'the registration',
    30_000,
  );
});
