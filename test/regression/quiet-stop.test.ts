/**
 * Old fault: nodes of a cluster that stopped in good order warned "A message reached nobody", as others still spoke to actors
 * that had ended already.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DefaultNode } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { hive } from '../support/hive-process.ts';
import { configOf, locked } from '../support/locked-node.ts';
import { metric } from '../support/operator.ts';
import { freePorts } from '../support/ports.ts';
import { SocketClient } from '../support/socket-clients.ts';

const severe = /"level":"(?:warning|error|critical|alert|emergency)"/;
const names = ['one', 'two', 'three'].map((id) => `${id}@127.0.0.1`);

test('a cluster whose clients talk to each other stops without a warning', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'hive-quiet-stop-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const [epmd] = await freePorts(1);
  const logOf = (name: string): string => join(directory, name);
  const nodes = await Promise.all(
    names.map((name) =>
      DefaultNode.start((config) => {
        locked(config);
        Object.assign(config.hive!, { name, epmd_port: epmd, cluster_nodes: names });
        Object.assign(config.clients!.hooks!, {
          ping: [{ hook: 'pubsub.publish', args: { cids: 'ping.all', privilege: 'public' } }],
        });
        Object.assign(config.log!, { dir: logOf(name), file_level: 'debug' });
      }),
    ),
  );
  t.after(() => Promise.all(nodes.map((node) => node.stop())));
  for (const node of nodes) await eventually(async () => (await metric(node, 'hive.cluster.size')) === 3, 'a cluster');
  const clients = await Promise.all(
    nodes.flatMap((node) => [node, node]).map(({ url }) => SocketClient.connect('4.8 websocket', url)),
  );
  for (const client of clients) client.emit('subscribe', 'ping.all');
  // They go on while the nodes end, one after the other.
  const talk = setInterval(() => {
    for (const client of clients)
      if (client.connected) client.emit('ping', { action: 'send', args: { name: 'pong', args: [] } });
  }, 5);
  t.after(() => clearInterval(talk));
  await Promise.all(clients.map((client) => client.event('pong')));
  const { code } = await hive(['stop', '--cluster', '--config', configOf(nodes[0]!)]);
  assert.equal(code, 0);
  for (const node of nodes) assert.equal((await node.process.finished).code, 0);
  for (const name of names) {
    const lines = readFileSync(join(logOf(name), 'hive.log'), 'utf8').split('\n');
    assert.ok(
      lines.some((line) => line.includes('"msg":"Stopped"')),
      `${name} has stopped`,
    );
    assert.deepEqual(
      // Who waits long for one that has ended may say so.
      lines.filter((line) => severe.test(line) && !line.includes('Cannot connect to ')),
      [],
    );
  }
});
