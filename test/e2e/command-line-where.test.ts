/** Which node the command line asks, and what it says when that is none. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { writeDefaultConfig } from '../support/default-node.ts';
import { HiveProcess, hive } from '../support/hive-process.ts';
import { failed, keys } from '../support/locked-node.ts';
import { freePorts } from '../support/ports.ts';

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
    failed(await status([]), /config\.json:1:1: must be an object with one key per section/);
    failed(await status({ api: {} }), /config\.json:1:1: monitor\.hash → is missing/);
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

test('the environment and --set say where a node is asked as they say where it listens', async (t) => {
  const [api, monitor] = (await freePorts(2)) as [number, number];
  const env = {
    HIVE__API__PORT: String(api),
    HIVE__MONITOR__PORT: '1',
    HIVE__MONITOR__HASH: 'key-of-the-environment',
    HIVE__LOG__DIR: 'null',
    HIVE__LOG__FORMAT: 'json',
  };
  const folder = mkdtempSync(join(tmpdir(), 'hive-where-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = await writeDefaultConfig(folder, 'config.json');
  const set = ['--set', `monitor.port=${monitor}`];
  const node = await HiveProcess.run(file, env, ...set);
  t.after(() => node.stop());
  assert.match(node.stdout, new RegExp(`api http://127.0.0.1:${api}, monitor http://127.0.0.1:${monitor}`));
  for (const line of node.stderr.split('\n').filter((text) => text !== '')) JSON.parse(line);
  assert.deepEqual(readdirSync(folder), ['config.json']);
  const status = await hive(['status', '--config', file, ...set], env);
  assert.equal(status.code, 0, status.stderr);
  failed(await hive(['status', '--config', file], env), /Nothing answers at http:\/\/127\.0\.0\.1:1 /);
  const refused = await hive(['status', '--url', 'http://127.0.0.1:1', '--set', 'monitor.port=2']);
  failed(refused, /--set goes with a configuration/);
  const stopped = await hive(['stop', '--config', file], env);
  assert.equal(stopped.code, 0, stopped.stderr);
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
