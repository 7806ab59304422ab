/** Liveness and readiness on a port of their own. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startNode } from '../../src/node/node.ts';
import { loadWithPlugins } from '../../src/plugins/load-with-plugins.ts';
import { DefaultNode, writeDefaultConfig } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { freePorts } from '../support/ports.ts';
import { openGate } from '../support/slow-plugin.ts';

async function asked(port: number, path: string, method = 'GET'): Promise<[number, string]> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method });
  return [answer.status, (await answer.text()).trim()];
}

test('it answers live and ready without a key, and nothing else', async (t) => {
  const [port] = (await freePorts(1)) as [number];
  const node = await DefaultNode.start((config) => Object.assign(config.monitor!, { health_port: port }));
  t.after(() => node.stop());
  assert.match(node.process.stdout, new RegExp(`, health http://127\\.0\\.0\\.1:${port}`));
  assert.deepEqual(await asked(port, '/live'), [200, 'live']);
  assert.deepEqual(await asked(port, '/ready'), [200, 'ready']);
  assert.deepEqual(await asked(port, '/ready?x=1'), [200, 'ready']);
  assert.deepEqual(await asked(port, '/ready', 'HEAD'), [200, '']);
  const head = await fetch(`http://127.0.0.1:${port}/ready`, { method: 'HEAD' });
  assert.equal(head.headers.get('content-length'), '6');
  const key = 'change-this-monitor-key';
  for (const path of ['/', '/live/', '/live/x', '/health', '/monitor/health', `/monitor/${key}`, '/socket.io/?EIO=4']) {
    assert.deepEqual(await asked(port, path), [404, ''], path);
  }
  for (const method of ['POST', 'DELETE', 'OPTIONS']) assert.deepEqual(await asked(port, '/live', method), [404, '']);
});

test('a node that refuses new clients is alive and not ready; one that lacks another node is ready', async (t) => {
  const [port] = (await freePorts(1)) as [number];
  const node = await DefaultNode.start((config) => {
    Object.assign(config.monitor!, { health_port: port });
    config.hive!.cluster_nodes = ['other@127.0.0.1'];
  });
  t.after(() => node.stop());
  assert.deepEqual(await asked(port, '/ready'), [200, 'degraded']);
  await node.api('POST', 'router/disable');
  assert.deepEqual(await asked(port, '/ready'), [503, 'draining']);
  assert.deepEqual(await asked(port, '/live'), [200, 'live']);
  await node.api('POST', 'router/enable');
  assert.deepEqual(await asked(port, '/ready'), [200, 'degraded']);
});

test('it answers while the node starts, on an address of its own', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'hive-health-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const [port] = (await freePorts(1)) as [number];
  const file = await writeDefaultConfig(directory, 'hive.json', (config) => {
    config.plugins = [fileURLToPath(new URL('../support/slow-plugin.ts', import.meta.url))] as never;
    config.connectors!.pools = { slow: { connector: 'slow.connector', size: 1, overflow: 0, args: null } };
    Object.assign(config.monitor!, { health_port: port, health_host: '0.0.0.0' });
    config.log!.console_level = 'none';
  });
  const { config, plugins } = await loadWithPlugins(file);
  const starting = startNode(config, plugins);
  await eventually(async () => (await asked(port, '/live').catch(() => undefined))?.[0] === 200, 'its answer');
  assert.deepEqual(await asked(port, '/ready'), [503, 'starting']);
  openGate();
  const node = await starting;
  assert.deepEqual(await asked(port, '/ready'), [200, 'ready']);
  node.stop('the test is over');
  await node.ended;
  await assert.rejects(asked(port, '/live'));
});

test('without a port there is nothing', async (t) => {
  const node = await DefaultNode.start();
  t.after(() => node.stop());
  assert.doesNotMatch(node.process.stdout, /health/);
});
