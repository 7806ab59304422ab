/** Which node the command line asks, and what it says when that is none. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { hive } from '../support/hive-process.ts';
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
