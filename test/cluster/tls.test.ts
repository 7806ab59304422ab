import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { tlsSockets } from '../../src/distribution/tls-sockets.ts';
import type { NodeName } from '../../src/kernel/types.ts';
import { silent } from '../../src/observe/logger.ts';
import { Authority, type Certificate } from '../support/certificates.ts';
import { ask, keepingLog, spawnProbe, startEpmd, startTestNode, until } from '../support/cluster.ts';
import { meshed, startClusterNode } from '../support/cluster-node.ts';
import { startEcho, startErlang } from '../support/erlang.ts';
import { findProgram, missing } from '../support/programs.ts';

const skip = missing('openssl');
const here = 'IP:127.0.0.1';
/** Erlang looks for an address among the names. */
const hereForErlang = 'IP:127.0.0.1,DNS:127.0.0.1';

function secureNode(t: TestContext, name: string, epmdPort: number, certificate: Certificate, log = silent) {
  return startTestNode(t, name, { epmdPort, log, sockets: tlsSockets(certificate, log) });
}

test('two nodes talk over TLS, in small and in large messages', { skip }, async (t) => {
  const epmdPort = await startEpmd(t);
  const authority = new Authority(t);
  const a = await secureNode(t, 'a@127.0.0.1', epmdPort, authority.issue(here));
  const b = await secureNode(t, 'b@127.0.0.1', epmdPort, authority.issue(here));
  await a.distribution.connect('b@127.0.0.1');
  await spawnProbe(b.kernel, 'size', (message, from) => from.reply((message as Buffer).length));
  const size = a.kernel.remote<unknown>(b.kernel.node, 'size');
  for (const bytes of [1, 100_000, 10_000_000]) {
    assert.equal(await ask(a.kernel, size, Buffer.alloc(bytes)), bytes);
  }
});

test('a certificate of another authority is refused, whoever dials', { skip }, async (t) => {
  const epmdPort = await startEpmd(t);
  const log = keepingLog();
  const a = await secureNode(t, 'a@127.0.0.1', epmdPort, new Authority(t).issue(here), log);
  const ours = new Authority(t).issue(here);
  // Trusts a's authority, but a does not trust its own.
  const b = await secureNode(t, 'b@127.0.0.1', epmdPort, { ...ours, ca_file: new Authority(t).issue(here).ca_file });
  await assert.rejects(b.distribution.connect('a@127.0.0.1'), { code: 'cluster_error' });
  await assert.rejects(a.distribution.connect('b@127.0.0.1'), { code: 'cluster_error', message: /certificate/ });
  assert.deepEqual([a.ups, b.ups], [[], []]);
});

test('a node whose certificate is not accepted is named in the log', { skip }, async (t) => {
  const epmdPort = await startEpmd(t);
  const log = keepingLog();
  const authority = new Authority(t);
  const a = await secureNode(t, 'a@127.0.0.1', epmdPort, authority.issue(here), log);
  const stranger = { ...new Authority(t).issue(here), ca_file: authority.issue(here).ca_file };
  const b = await secureNode(t, 'b@127.0.0.1', epmdPort, stranger);
  await assert.rejects(b.distribution.connect('a@127.0.0.1'), { code: 'cluster_error' });
  await until(() => log.lines.some(({ level }) => level === 'warning'), 'the warning');
  assert.match(
    log.lines.find(({ level }) => level === 'warning')!.message,
    /^refused a connection from 127\.0\.0\.1: its certificate is not accepted/,
  );
  assert.deepEqual(a.ups, []);
});

test('the certificate of a dialled node must bear its host', { skip }, async (t) => {
  const epmdPort = await startEpmd(t);
  const authority = new Authority(t);
  const a = await secureNode(t, 'a@127.0.0.1', epmdPort, authority.issue(here));
  await secureNode(t, 'b@127.0.0.1', epmdPort, authority.issue('DNS:elsewhere.example'));
  await assert.rejects(a.distribution.connect('b@127.0.0.1'), { message: /does not match certificate/ });
});

test('nodes with and without TLS do not find together', { skip }, async (t) => {
  const epmdPort = await startEpmd(t);
  const a = await secureNode(t, 'a@127.0.0.1', epmdPort, new Authority(t).issue(here));
  const plain = await startTestNode(t, 'plain@127.0.0.1', { epmdPort });
  await assert.rejects(plain.distribution.connect('a@127.0.0.1'), { code: 'cluster_error' });
  await assert.rejects(a.distribution.connect('plain@127.0.0.1'), { code: 'cluster_error' });
  assert.deepEqual([a.ups, plain.ups], [[], []]);
});

test('the cluster uses the configured certificates, and does not start with unusable ones', { skip }, async (t) => {
  const epmd_port = await startEpmd(t);
  const authority = new Authority(t);
  const cluster_tls = authority.issue(here);
  const a = await startClusterNode(t, 'a@127.0.0.1', { epmd_port, cluster_tls });
  const seeds = { cluster_nodes: ['a@127.0.0.1'] };
  const b = await startClusterNode(t, 'b@127.0.0.1', { epmd_port, cluster_tls: authority.issue(here), ...seeds });
  await meshed(a, b);
  const plain = await startTestNode(t, 'plain@127.0.0.1', { epmdPort: epmd_port });
  await assert.rejects(plain.distribution.connect('a@127.0.0.1'), { code: 'cluster_error' });
  writeFileSync(cluster_tls.key_file, 'no key');
  await assert.rejects(startClusterNode(t, 'c@127.0.0.1', { epmd_port, cluster_tls }), { code: 'file_error' });
});

/** Debian packs Erlang's TLS apart. */
function withoutErlangTls(): string | false {
  const absent = missing('erl', 'openssl');
  if (absent || !findProgram('erl')) return absent || 'needs erl';
  const found = execFileSync('erl', ['-noshell', '-eval', 'io:put_chars(code:which(ssl)), halt().'], { stdio: 'pipe' });
  return String(found).includes('ssl.beam') ? false : "needs Erlang's application ssl, not installed here";
}

test('a BEAM with -proto_dist inet_tls pings us, calls us and is called, and shows a certificate', {
  skip: withoutErlangTls(),
}, async (t) => {
  const epmdPort = await startEpmd(t);
  const authority = new Authority(t);
  const hive = await secureNode(t, 'h@127.0.0.1', epmdPort, authority.issue(hereForErlang));
  const theirs = authority.issue(hereForErlang);
  const files = `{certfile,"${theirs.cert_file}"},{keyfile,"${theirs.key_file}"},{cacertfile,"${theirs.ca_file}"}`;
  const options = `${theirs.cert_file}.conf`;
  writeFileSync(
    options,
    `[{server,[${files},{verify,verify_peer},{fail_if_no_peer_cert,true}]},{client,[${files},{verify,verify_peer}]}].`,
  );
  const args = ['-proto_dist', 'inet_tls', '-ssl_dist_optfile', options];
  const erlang = await startErlang(t, 'e@127.0.0.1', { epmdPort, args });
  assert.equal(await erlang.run(`net_adm:ping('h@127.0.0.1')`), 'pong');
  await spawnProbe(hive.kernel, 'server');
  assert.equal(await erlang.run(`gen_server:call({server, 'h@127.0.0.1'}, {a, 1})`), '{a,1}');
  assert.equal(
    await erlang.run(`byte_size(gen_server:call({server, 'h@127.0.0.1'}, binary:copy(<<"x">>, 5000000)))`),
    '5000000',
  );

  hive.distribution.disconnect('e@127.0.0.1');
  for (let nodes = ''; nodes !== '[]'; ) nodes = await erlang.run('nodes(hidden)');
  await hive.distribution.connect('e@127.0.0.1');
  await startEcho(erlang);
  assert.equal(await ask(hive.kernel, hive.kernel.remote('e@127.0.0.1' as NodeName, 'echo'), 'hello'), 'hello');
});
