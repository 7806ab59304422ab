/** `hive status` and `hive tree` of a running node. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { DefaultNode } from '../support/default-node.ts';
import { hive, program } from '../support/hive-process.ts';
import { configOf, failed, keys, locked } from '../support/locked-node.ts';
import { SocketClient } from '../support/socket-clients.ts';

describe('a running node', () => {
  let node: DefaultNode;
  before(async () => {
    node = await DefaultNode.start((config) => {
      locked(config);
      config.connectors!.pools = {
        'back.end': {
          connector: 'connector.http',
          size: 2,
          overflow: 0,
          args: { base_url: 'http://127.0.0.1:9', max_connection_timeout: 1000, max_connections: 1 },
        },
      };
    });
  });
  after(() => node.stop());

  test('hive status tells how it is', async () => {
    const client = await SocketClient.connect('4.8 websocket', node.url);
    const { code, stdout, stderr } = await hive(['status', '--config', configOf(node)]);
    await client.disconnect();
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^hive@127\.0\.0\.1 is ready\n/);
    for (const line of [
      /^ {2}version {4}\d+\.\d+\.\d+/m,
      /^ {2}sockets {4}\S+ .+$/m,
      /^ {2}uptime {5}\d+ s$/m,
      /^ {2}clients {4}1 \(1 WebSocket, 0 polling\)$/m,
      /^ {2}channels {3}0$/m,
      /^ {2}nodes {6}hive@127\.0\.0\.1$/m,
      /^ {2}memory {5}[\d.]+ MB, of which JavaScript heap [\d.]+ MB$/m,
      /^ {2}event loop delay p50 [\d.]+ ms, p99 [\d.]+ ms, max [\d.]+ m?s; \d+ % busy$/m,
      /^ {2}pool {7}http\.back\.end: 2 workers, 0 busy, 0 waiting, 0 requests, 0 errors$/m,
    ]) {
      assert.match(stdout, line);
    }
  });

  test('hive status --json has everything', async () => {
    const { code, stdout } = await hive(['status', '--json', '--config', configOf(node)]);
    const { status, node: name, metrics } = JSON.parse(stdout);
    assert.deepEqual([code, status, name, metrics.clients.total], [0, 'ready', 'hive@127.0.0.1', 0]);
  });

  test('address and key may come as options or from the environment', async () => {
    const { origin } = new URL(node.address('monitor', ''));
    const ways: [string[], NodeJS.ProcessEnv][] = [
      [['--url', origin, '--key', keys.monitor], {}],
      [['--url', `${origin}/`], { HIVE_MONITOR_KEY: keys.monitor }],
      [[], { HIVE_MONITOR_URL: origin, HIVE_MONITOR_KEY: keys.monitor }],
      [[], { HIVE_CONFIG: configOf(node) }],
      [['--config', configOf(node)], { HIVE_MONITOR_URL: 'http://127.0.0.1:1', HIVE_CONFIG: '/nowhere' }],
    ];
    for (const [options, env] of ways) {
      const { code, stderr } = await hive(['status', ...options], env);
      assert.deepEqual([code, stderr], [0, ''], `${options}`);
    }
  });

  test('hive tree draws the tree, or a part of it', async () => {
    const tree = async (...options: string[]) => {
      const { code, stdout, stderr } = await hive(['tree', '--config', configOf(node), ...options]);
      assert.deepEqual([code, stderr], [0, '']);
      return stdout;
    };
    assert.match(await tree(), /^hive_root_sup .*\n├─ hive_env_sup [\s\S]*└─ hive_web </);
    const part = await tree('--path', 'hive_sup/hive_router_sup', '--depth', '1', '--limit', '2', '--sort', 'mailbox');
    assert.match(part, /^hive_router_sup .*\n├─ .*\n├─ .*\n└─ … 2 more\n$/);
    assert.equal(JSON.parse(await tree('--json', '--depth', '0')).id, 'hive_root_sup');
    const { trees } = JSON.parse(await tree('--json', '--depth', '0', '--cluster'));
    assert.deepEqual(Object.keys(trees), ['hive@127.0.0.1']);
    const nowhere = await hive(['tree', '--config', configOf(node), '--path', 'nobody']);
    failed(nowhere, /^hive tree: http:\S+ \(monitor of \S+\) refuses: bad_monitor_request: Nothing is at that path/);
    assert.match((await hive(['tree', '--sort', 'age'])).stderr, /Allowed choices are mailbox/);
    assert.match((await hive(['tree', '--depth', 'all'])).stderr, /It must be a whole number/);
  });

  test('who reads only the beginning of the tree breaks nothing', async () => {
    const line = `"${process.execPath}" "${program}" tree --config "${configOf(node)}" | head -n 1`;
    const { stdout, stderr } = await promisify(execFile)('bash', ['-o', 'pipefail', '-c', line]);
    assert.match(stdout, /^hive_root_sup .*\n$/);
    assert.equal(stderr, '');
  });

  test('a wrong key, and the wrong server of a node, are told', async () => {
    const status = (server: 'client' | 'api' | 'monitor', key: string) =>
      hive(['status', '--url', new URL(node.address(server, '')).origin, '--key', key]);
    failed(await status('monitor', 'a wrong key'), /^hive status: http:\S+ \(--url\) refuses the key\.\n$/);
    failed(await status('api', keys.api), /is the API of a Hive; the monitor of a Hive is needed/);
    failed(await status('client', 'a wrong key'), /answers, but is not the monitor of a Hive/);
    const { origin } = new URL(node.address('monitor', ''));
    const stop = await hive(['stop', '--url', origin], { HIVE_API_KEY: keys.monitor });
    failed(stop, /is the monitor of a Hive; the API of a Hive is needed/);
    assert.ok(node.process.running);
  });

  test('options that make no sense together are told', async () => {
    const { origin } = new URL(node.address('monitor', ''));
    const cases: [string[], RegExp][] = [
      [['--url', origin, '--config', configOf(node)], /either --config or --url/],
      [['--key', 'a wrong key'], /--key goes with --url/],
      [['--url', origin], /There is no key for http:\S+: give --key or set HIVE_MONITOR_KEY/],
      [
        ['--url', `${origin}/monitor/${encodeURIComponent(keys.monitor)}`],
        /--url must be like .* the key goes to --key/,
      ],
      [['--url', 'the key of the monitor'], /--url must be like/],
      [['--url', 'ftp://127.0.0.1'], /ftp: is not spoken here/],
      [['--url', origin, '--key', 'a wrong key', '--ca', '/nowhere/ca.pem'], /\/nowhere\/ca\.pem .*no such file/],
      [['--url', origin, '--key', 'a wrong key', '--ca', configOf(node)], /The authority \S+hive\.json cannot be used/],
    ];
    for (const [options, reason] of cases) failed(await hive(['status', ...options]), reason);
  });
});
