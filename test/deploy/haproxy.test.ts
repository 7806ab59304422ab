/** deploy/haproxy: clients through a real HAProxy with our sample, in front of two real nodes of which one is drained. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adapted, run, Scratch, serve } from '../support/deploy.ts';
import { eventually } from '../support/eventually.ts';
import { freePorts } from '../support/ports.ts';
import { missing } from '../support/programs.ts';
import { certificate, connected, talk } from '../support/proxied.ts';
import { RelayCluster } from '../support/relay-cluster.ts';

test('HAProxy takes the sample, spreads clients, and spares a node that refuses new ones', {
  skip: missing('haproxy', 'openssl'),
}, async (t) => {
  const cluster = await RelayCluster.start(2);
  t.after(() => cluster.stop());
  const scratch = new Scratch(t);
  const { both, ca } = certificate(t, scratch);
  const [port, status] = (await freePorts(2)) as [number, number];
  const [one, two] = cluster.nodes;
  const sample = adapted('haproxy/haproxy.cfg', {
    '127.0.0.1:8080': `127.0.0.1:${one!.port}`,
    '127.0.0.1:8079': `127.0.0.1:${two!.port}`,
    'port 1236': `port ${one!.health}`,
    'port 2236': `port ${two!.health}`,
    'inter 2s': 'inter 100ms',
    'bind :443': `bind 127.0.0.1:${port}`,
    '/etc/haproxy/push.example.pem': both,
    'maxconn 50000': 'maxconn 500',
  });
  const shown = `\nfrontend status\n  bind 127.0.0.1:${status}\n  stats enable\n  stats uri /\n`;
  const file = scratch.file('haproxy.cfg', `${sample}${shown}`);

  assert.doesNotMatch(run('haproxy', '-c', '-f', file), /WARNING|ALERT/);

  await serve(t, port, 'haproxy', '-db', '-f', file);
  /** What it thinks of each node: UP, DOWN, or on the way from one to the other. */
  const states = async () => {
    const table = await (await fetch(`http://127.0.0.1:${status}/;csv`)).text();
    return ['node1', 'node2'].map((name) => new RegExp(`^hive,${name},(?:[^,]*,){15}([^,]*)`, 'm').exec(table)?.[1]);
  };
  const clients = () => Promise.all(cluster.nodes.map((node) => node.metric('clients.total')));
  await eventually(async () => String(await states()) === 'UP,UP', 'both nodes to be up');

  await talk(t, port, ca);
  const before = await clients();
  assert.ok(Math.min(...before) > 0, `both have clients: ${before}`);

  assert.equal((await one!.api('POST', 'router/disable')).status, 200);
  await eventually(async () => String(await states()) === 'DOWN,UP', 'the first one to be spared');
  await connected(t, port, ca);
  await connected(t, port, ca);
  assert.deepEqual(await clients(), [before[0], before[1]! + 2], 'old clients stay, new ones go to the other');

  assert.equal((await one!.api('POST', 'router/enable')).status, 200);
  await eventually(async () => String(await states()) === 'UP,UP', 'it to come back');
});
