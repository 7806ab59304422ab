/** `hive stop`, and clusters on the command line. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DefaultNode } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { hive } from '../support/hive-process.ts';
import { configOf, failed, locked } from '../support/locked-node.ts';
import { metric } from '../support/operator.ts';
import { freePorts } from '../support/ports.ts';
import { SocketClient } from '../support/socket-clients.ts';

describe('hive stop', () => {
  test('ends a node, waits until it has ended, and cannot end it twice', async (t) => {
    const node = await DefaultNode.start(locked);
    t.after(() => node.stop());
    const { code, stdout, stderr } = await hive(['stop', '--config', configOf(node)]);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^The node at (\S+) is stopping: .*\nThe node at \1 has ended after [\d.]+ m?s\.\n$/);
    assert.equal((await node.process.finished).code, 0);
    failed(await hive(['stop', '--config', configOf(node)]), /Nothing answers at .*connection refused/);
  });

  test('leaves a node there that is only drained, and puts it back', async (t) => {
    const node = await DefaultNode.start(locked);
    t.after(() => node.stop());
    const client = await SocketClient.connect('4.8 websocket', node.url);
    const drained = await hive(['drain', '--config', configOf(node)]);
    assert.deepEqual([drained.code, drained.stderr], [0, '']);
    assert.match(
      drained.stdout,
      /^The node at \S+ refuses new clients\. Its clients stay: sessions are not durable\.\n$/,
    );
    assert.equal((await hive(['status', '--config', configOf(node)])).code, 2);
    const back = await hive(['drain', '--undo', '--config', configOf(node)]);
    assert.match(back.stdout, /^The node at \S+ accepts new clients\.\n$/);
    assert.equal((await hive(['status', '--config', configOf(node)])).code, 0);
    assert.equal(client.connected, true);
    await client.disconnect();
    failed(await hive(['drain', '--url', node.url, '--key', 'x']), /is not the API of a Hive/);
  });

  test('says when the time is over and the node is still there', async (t) => {
    const node = await DefaultNode.start((config) => {
      locked(config);
      config.hive!.graceful_termination_timeout = 60_000;
      Object.assign(config.clients!.hooks!, {
        on_terminate: [{ hook: 'utils.echo', args: { name: 'leave', args: [] } }],
      });
    });
    t.after(() => node.stop());
    const client = await SocketClient.connect('4.8 websocket', node.url);
    const { code, stderr } = await hive(['stop', '--config', configOf(node), '--timeout', '0']);
    assert.equal(code, 2);
    assert.match(stderr, /^hive stop: http:\S+ still answers after 0 s; it goes on stopping\.\n$/);
    const draining = await hive(['status', '--config', configOf(node)]);
    assert.equal(draining.code, 2);
    assert.match(draining.stdout, /^hive@127\.0\.0\.1 is draining\n {2}reason {5}new clients are refused\n/);
    await client.event('leave');
    await client.disconnect();
    assert.equal((await node.process.finished).code, 0);
  });

  test('ends a whole cluster, and status and tree show it', async (t) => {
    const [epmd] = await freePorts(1);
    const names = ['one@127.0.0.1', 'two@127.0.0.1'];
    const start = (name: string) =>
      DefaultNode.start((config) => {
        locked(config);
        Object.assign(config.hive!, { name, epmd_port: epmd, cluster_nodes: names.filter((other) => other !== name) });
      });
    const [one, two] = (await Promise.all(names.map(start))) as [DefaultNode, DefaultNode];
    t.after(() => Promise.all([one.stop(), two.stop()]));
    await eventually(async () => (await metric(one, 'hive.cluster.size')) === 2, 'a cluster of two');
    const both = await hive(['status', '--cluster', '--config', configOf(one)]);
    assert.equal(both.code, 0, both.stdout);
    assert.match(both.stdout, /^2 nodes\n\none@127\.0\.0\.1 is ready\n[\s\S]*\n\ntwo@127\.0\.0\.1 is ready\n/);
    const json = JSON.parse((await hive(['status', '--cluster', '--json', '--config', configOf(one)])).stdout);
    assert.deepEqual(Object.keys(json.metrics), names);
    const tree = await hive(['tree', '--cluster', '--depth', '0', '--config', configOf(one)]);
    assert.match(tree.stdout, /^hive_root_sup <one@127\.0\.0\.1.*\n\nhive_root_sup <two@127\.0\.0\.1.*\n$/);

    const stopped = await hive(['stop', '--cluster', '--config', configOf(one)]);
    assert.deepEqual([stopped.code, stopped.stderr], [0, '']);
    assert.match(stopped.stdout, /^Stopping one after the other, http:\S+ last: one@127\.0\.0\.1, two@127\.0\.0\.1\n/);
    assert.match(stopped.stdout, /\nThe node at http:\S+ has ended after [\d.]+ m?s\.\n$/);
    assert.deepEqual([(await one.process.finished).code, (await two.process.finished).code], [0, 0]);
  });

  test('told twice, and with a signal besides, a cluster stops as if told once', async (t) => {
    const [epmd] = await freePorts(1);
    const names = ['one@127.0.0.1', 'two@127.0.0.1'];
    const start = (name: string) =>
      DefaultNode.start((config) => {
        locked(config);
        const grace = { graceful_termination_timeout: 60_000 };
        Object.assign(config.hive!, { name, epmd_port: epmd, cluster_nodes: names, ...grace });
        Object.assign(config.clients!.hooks!, {
          on_terminate: [{ hook: 'utils.echo', args: { name: 'leave', args: [] } }],
        });
      });
    const nodes = (await Promise.all(names.map(start))) as [DefaultNode, DefaultNode];
    const [one, two] = nodes;
    t.after(() => Promise.all([one.stop(), two.stop()]));
    for (const node of nodes)
      await eventually(async () => (await metric(node, 'hive.cluster.size')) === 2, 'a cluster');
    const clients = await Promise.all(nodes.map(({ url }) => SocketClient.connect('4.8 websocket', url)));
    for (let time = 0; time < 2; time += 1) {
      const { code } = await hive(['stop', '--cluster', '--config', configOf(one), '--timeout', '0']);
      assert.equal(code, 2);
    }
    // The one that was asked would be the last, and does not wait for that.
    await clients[1]!.event('leave');
    one.process.signal('SIGTERM');
    await clients[0]!.event('leave');
    two.process.signal('SIGINT');
    await two.process.until(
      () => /^two@.* is stopping: 1 client left, 0 of them/m.test(two.process.stderr),
      'its line',
    );
    for (const client of clients) {
      assert.equal(client.received.filter(({ name }) => name === 'leave').length, 1);
      await client.disconnect();
    }
    assert.deepEqual([(await one.process.finished).code, (await two.process.finished).code], [0, 0]);
  });

  test('names nodes of the cluster that are missing', async (t) => {
    const node = await DefaultNode.start((config) => {
      locked(config);
      config.hive!.cluster_nodes = ['away@127.0.0.1'];
    });
    t.after(() => node.stop());
    const { code, stdout } = await hive(['status', '--config', configOf(node)]);
    assert.equal(code, 2);
    assert.match(stdout, /^hive@127\.0\.0\.1 is degraded\n {2}reason {5}away@127\.0\.0\.1 is not connected\n/);
    const all = await hive(['status', '--cluster', '--config', configOf(node)]);
    assert.deepEqual([all.code, all.stdout.split('\n')[0]], [2, '1 node, missing: away@127.0.0.1']);
    const stopped = await hive(['stop', '--cluster', '--config', configOf(node)]);
    assert.equal(stopped.code, 0);
    assert.match(stopped.stdout, /^Not reached, and not stopped: away@127\.0\.0\.1$/m);
  });
});
