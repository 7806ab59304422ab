/** The command line and nodes that speak TLS: a key goes only to whom the operator trusts. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Authority, type Certificate } from '../support/certificates.ts';
import { DefaultNode } from '../support/default-node.ts';
import { hive } from '../support/hive-process.ts';
import { missing } from '../support/programs.ts';

const key = 'the key of the monitor';

async function start(certificate: Certificate): Promise<DefaultNode> {
  const { cert_file, key_file } = certificate;
  return DefaultNode.start((config) => {
    for (const section of [config.api!, config.monitor!])
      Object.assign(section, { hash: key, tls: { cert_file, key_file } });
  });
}

test('a certificate is trusted if the configuration names it, an authority signed it, or nobody cares', {
  skip: missing('openssl'),
}, async (t) => {
  const authority = new Authority(t);
  const certificate = authority.issue('IP:127.0.0.1');
  const node = await start(certificate);
  t.after(() => node.stop());
  const config = join(node.directory, 'hive.json');
  const origin = new URL(node.address('monitor', '')).origin.replace('http:', 'https:');
  const status = async (options: string[], env: NodeJS.ProcessEnv = {}) => {
    const { code, stdout, stderr } = await hive(['status', ...options], { HIVE_MONITOR_KEY: key, ...env });
    assert.ok(!stderr.includes(key));
    return code === 0 ? stdout.split('\n')[0] : stderr;
  };
  const ready = 'hive@127.0.0.1 is ready';
  const distrusted = new RegExp(
    `^hive status: The certificate of ${origin} \\(--url\\) is not trusted: .*--ca FILE, or --insec`,
  );

  assert.equal(await status(['--config', config]), ready);
  assert.match((await status(['--url', origin]))!, distrusted);
  assert.equal(await status(['--url', origin, '--ca', certificate.ca_file]), ready);
  assert.equal(await status(['--url', origin], { HIVE_CA: certificate.ca_file }), ready);
  assert.equal(await status(['--url', origin, '--insecure']), ready);
  const other = new Authority(t).issue('IP:127.0.0.1');
  assert.match((await status(['--url', origin, '--ca', other.ca_file]))!, distrusted);
  // The certificate is for the address alone.
  const byName = await status(['--url', origin.replace('127.0.0.1', 'localhost'), '--ca', certificate.ca_file]);
  assert.match(byName!, /is not trusted: ERR_TLS_CERT_ALTNAME_INVALID/);
  assert.match((await status(['--url', origin.replace('https:', 'http:')]))!, /Does it want https\?|may want https/);
  const stopped = await hive(['stop', '--config', config]);
  assert.deepEqual([stopped.code, stopped.stderr], [0, '']);
});

test('who shows another certificate than the configuration names is not trusted', {
  skip: missing('openssl'),
}, async (t) => {
  const authority = new Authority(t);
  const node = await start(authority.issue('IP:127.0.0.1'));
  t.after(() => node.stop());
  const file = join(node.directory, 'other.json');
  const { port } = new URL(node.address('monitor', ''));
  const { cert_file, key_file } = authority.issue('IP:127.0.0.1');
  writeFileSync(file, JSON.stringify({ monitor: { port: Number(port), hash: key, tls: { cert_file, key_file } } }));
  const { code, stderr } = await hive(['status', '--config', file]);
  assert.equal(code, 1);
  assert.match(stderr, /The certificate of https:\/\/127\.0\.0\.1:\d+ \(monitor of .*\) is not trusted/);
});
