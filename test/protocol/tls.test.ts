import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { io } from 'socket.io-client';
import { Authority } from '../support/certificates.ts';
import { DefaultNode, writeDefaultConfig } from '../support/default-node.ts';
import { next } from '../support/eventually.ts';
import { hive } from '../support/hive-process.ts';

/** Status and body of a GET over TLS. */
function get(url: string, ca: Buffer): Promise<[status: number | undefined, body: string]> {
  return new Promise((resolve, reject) => {
    request(url.replace(/^http:/, 'https:'), { ca, agent: false }, (response) => {
      let body = '';
      response.on('data', (data) => {
        body += data;
      });
      response.on('end', () => resolve([response.statusCode, body]));
    })
      .on('error', reject)
      .end();
  });
}

test('clients, API and monitor are served over TLS', async (t) => {
  const { cert_file, key_file, ca_file } = new Authority(t).issue('IP:127.0.0.1');
  const ca = readFileSync(ca_file);
  const locked = `${key_file}.locked`;
  const cipher = { cipher: 'aes-256-cbc', passphrase: 'open sesame' };
  writeFileSync(locked, createPrivateKey(readFileSync(key_file)).export({ type: 'pkcs8', format: 'pem', ...cipher }));
  const node = await DefaultNode.start((config) => {
    for (const section of ['hive', 'monitor']) config[section]!.tls = { cert_file, key_file };
    config.api!.tls = { cert_file, key_file: locked, passphrase: 'open sesame' };
  });
  t.after(() => node.stop());
  assert.match(node.process.stdout, /clients https:\S+, api https:\S+, monitor https:\S+/);

  assert.equal((await get(node.address('api', '/api/KEY/hive/version'), ca))[0], 200);
  assert.equal((await get(node.address('api', '/api/wrong/hive/version'), ca))[0], 401);
  const [status, body] = await get(node.address('monitor', '/monitor/KEY/hive.cluster.size'), ca);
  assert.deepEqual([status, JSON.parse(body)], [200, { hive: { cluster: { size: 1 } } }]);
  await assert.rejects(fetch(node.address('api', '/api/KEY/hive/version')), 'plain HTTP');
  await assert.rejects(get(node.address('api', '/api/KEY/hive/version'), Buffer.from('')), 'an unknown authority');

  for (const transport of ['websocket', 'polling']) {
    const options = { transports: [transport], forceNew: true, reconnection: false, ca: ca.toString() };
    const client = io(node.url.replace(/^http:/, 'https:'), options);
    await next(client, 'connect');
    client.disconnect();
  }
});

test('a certificate that cannot be used keeps the node from starting, and says why', async (t) => {
  const authority = new Authority(t);
  const [one, other] = [authority.issue('IP:127.0.0.1'), authority.issue('IP:127.0.0.1')];
  const directory = join(one.cert_file, '..');
  for (const section of ['hive', 'api', 'monitor']) {
    const file = await writeDefaultConfig(directory, `${section}.json`, (config) => {
      config[section]!.tls = { cert_file: one.cert_file, key_file: other.key_file };
    });
    const { code, stderr } = await hive(['run', file]);
    assert.equal(code, 1);
    const place = new RegExp(
      `^file_error: \\S+ ${section}\\.tls\\.key_file: "\\S+\\.key" → it is not the key of cert_file's`,
      'm',
    );
    assert.match(stderr, place);
  }
  const rubbish = join(directory, 'rubbish.pem');
  writeFileSync(rubbish, 'rubbish');
  const file = await writeDefaultConfig(directory, 'rubbish.json', (config) => {
    config.api!.tls = { cert_file: rubbish, key_file: one.key_file };
  });
  assert.equal((await hive(['run', file])).code, 1);
});
