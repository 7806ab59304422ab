/** deploy/nginx: clients through a real nginx with our sample, in front of two real nodes. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { adapted, run, Scratch, serve } from '../support/deploy.ts';
import { freePorts } from '../support/ports.ts';
import { missing } from '../support/programs.ts';
import { certificate, talk } from '../support/proxied.ts';
import { RelayCluster } from '../support/relay-cluster.ts';

test('nginx takes the sample, and passes clients to any node', { skip: missing('nginx', 'openssl') }, async (t) => {
  const cluster = await RelayCluster.start(2);
  t.after(() => cluster.stop());
  const scratch = new Scratch(t);
  const { cert_file, key_file, ca } = certificate(t, scratch);
  const [port] = (await freePorts(1)) as [number];
  const [one, two] = cluster.nodes;
  const sample = adapted('nginx/hive.conf', {
    '127.0.0.1:8080': `127.0.0.1:${one!.port}`,
    '127.0.0.1:8079': `127.0.0.1:${two!.port}`,
    'listen 443': `listen 127.0.0.1:${port}`,
    'server_name push.example': 'server_name _',
    '/etc/ssl/certs/push.example.pem': cert_file,
    '/etc/ssl/private/push.example.key': key_file,
  });
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${join(scratch.path, kind)};`,
  );
  const main = scratch.file(
    'nginx.conf',
    `daemon off; pid ${join(scratch.path, 'pid')}; error_log stderr;
     events { worker_connections 512; }
     http { access_log off; ${temporary.join(' ')} ${sample} }`,
  );
  const options = ['-p', scratch.path, '-e', 'stderr', '-c', main];

  run('nginx', '-t', ...options);

  await serve(t, port, 'nginx', ...options);
  await talk(t, port, ca);
  // It asks the nodes in turn, so that requests also come to the node that does not own the session.
  const relayed = await Promise.all(cluster.nodes.map((node) => node.metric('hive.relay.forwarded')));
  assert.ok(Math.max(...relayed) > 0, `relayed: ${relayed}`);
});
