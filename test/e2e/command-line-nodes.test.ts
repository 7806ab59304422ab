/** `hive status`, `hive tree` and `hive stop` against real nodes. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { DefaultNode, type Sections } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { type Finished, hive, program } from '../support/hive-process.ts';
import { metric } from '../support/operator.ts';
import { freePorts } from '../support/ports.ts';
import { SocketClient } from '../support/socket-clients.ts';

const keys = { api: 'the key of the api', monitor: 'the key of the monitor' };

function locked(config: Sections): void {
  config.api!.hash = keys.api;
  config.monitor!.hash = keys.monitor;
}

const configOf = (node: DefaultNode): string => join(node.directory, 'hive.json');

/** One line on stderr that says so, code 1, and no key anywhere. */
function failed({ code, stdout, stderr }: Finished, reason: RegExp): void {
  assert.match(stderr, reason);
  assert.deepEqual([code, stdout], [1, '']);
  for (const key of [...Object.values(keys), 'a wrong key']) assert.ok(!stderr.includes(key), stderr);
}

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
      /^ {2}uptime {5}\d+ s$/m,
      /^ {2}clients {4}1 \(1 WebSocket, 0 polling\)$/m,
      /^ {2}channels {3}0$/m,
      /^ {2}nodes {6}hive@127\.0\.0\.1$/m,
      /^ {2}memory {5}[\d.]+ MB, of which JavaScript heap [\d.]+ MB$/m,
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
    assert.match(part, /^hive_router_sup .*\n├─ .*\n├─ .*\n└─ … 1 more\n$/);
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

describe('a configuration', () => {
  const directory = mkdtempSync(join(tmpdir(), 'hive-where-'));
  after(() => rmSync(directory, { recursive: true, force: true }));
  const status = (config: unknown, env: NodeJS.ProcessEnv = {}) => {
    const file = join(directory, 'config.json');
    writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config));
    return hive(['status', '--config', file], env);
  };

  test('that cannot be read, or does not say where the monitor is, is told with the place', async () => {
    failed(
      await hive(['status', '--config', '/nowhere/hive.json']),
      /file_missing: \/nowhere\/hive\.json: the file does/,
    );
    failed(await status('{'), /invalid_json: \S+config\.json:1:2: /);
    failed(await status([]), /config\.json:1:1: it has no section monitor/);
    failed(await status({ api: {} }), /it has no section monitor/);
    failed(await status({ monitor: 'elsewhere.json' }), /file_missing: \S+elsewhere\.json: monitor/);
    failed(await status({ monitor: { port: 0, hash: keys.monitor } }), /monitor\.port: 0 → with port 0 nobody/);
    failed(await status({ monitor: { port: 1, hash: 'short' } }), /monitor\.hash: \*{3}|monitor\.hash.*at least 8/);
    const tls = { cert_file: 'none.pem', key_file: 'none.pem' };
    failed(await status({ monitor: { port: 1, hash: keys.monitor, tls } }), /cert_file \S+none\.pem .*no such file/);
  });

  test('is read no further: what is wrong elsewhere does not matter', async () => {
    const [port] = await freePorts(1);
    const config = `{"monitor": {"port": ${port}, "hash": "\${MONITOR_HASH}"}, "hive": {"name": "\${NOWHERE}"}, "x": 1}`;
    failed(await status(config), /monitor\.hash.* MONITOR_HASH is not set/);
    const refused = await status(config, { MONITOR_HASH: keys.monitor });
    failed(refused, new RegExp(`^hive status: Nothing answers at http://127.0.0.1:${port} \\(monitor of .*refused`));
  });
});

describe('what is no Hive', () => {
  let server: Server;
  let answer = { status: 200, body: '' };
  before(async () => {
    server = createServer((_request, response) => response.writeHead(answer.status).end(answer.body));
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  });
  after(() => server.close().closeAllConnections());

  test('is told apart', async () => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    for (answer of [
      { status: 200, body: '<html>' },
      { status: 404, body: 'not found' },
      { status: 401, body: '{"message": "log in"}' },
    ]) {
      failed(await hive(['status', '--url', url, '--key', 'a wrong key']), /answers, but is not the monitor of a Hive/);
      failed(await hive(['stop', '--url', url, '--key', 'a wrong key', '--cluster']), /is not the API of a Hive/);
    }
    const name = await hive(['status', '--url', 'http://nowhere.invalid:1', '--key', 'a wrong key']);
    failed(name, /Nothing answers at http:\/\/nowhere\.invalid:1 \(--url\): there is no such host/);
  });
});

describe('hive stop', () => {
  test('ends a node, waits until it has ended, and cannot end it twice', async (t) => {
    const node = await DefaultNode.start(locked);
    t.after(() => node.stop());
    const { code, stdout, stderr } = await hive(['stop', '--config', configOf(node)]);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^The node at (\S+) is stopping: .*\nThe node at \1 has ended after \d+ s\.\n$/);
    assert.equal((await node.process.finished).code, 0);
    failed(await hive(['stop', '--config', configOf(node)]), /Nothing answers at .*connection refused/);
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

  test('ends a whole cluster, and tree shows it', async (t) => {
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
    const tree = await hive(['tree', '--cluster', '--depth', '0', '--config', configOf(one)]);
    assert.match(tree.stdout, /^hive_root_sup <one@127\.0\.0\.1.*\n\nhive_root_sup <two@127\.0\.0\.1.*\n$/);

    const stopped = await hive(['stop', '--cluster', '--config', configOf(one)]);
    assert.deepEqual([stopped.code, stopped.stderr], [0, '']);
    assert.match(stopped.stdout, /^Stopping one after the other, http:\S+ last: one@127\.0\.0\.1, two@127\.0\.0\.1\n/);
    assert.match(stopped.stdout, /\nThe node at http:\S+ has ended after \d+ s\.\n$/);
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
    const stopped = await hive(['stop', '--cluster', '--config', configOf(node)]);
    assert.equal(stopped.code, 0);
    assert.match(stopped.stdout, /^Not reached, and not stopped: away@127\.0\.0\.1$/m);
  });
});
