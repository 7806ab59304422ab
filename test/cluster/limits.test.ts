/** What one node may cost another: frames, nesting, names, waiting bytes, and the patience for large messages. */
import assert from 'node:assert/strict';
import { connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { Atom, atom } from '../../src/distribution/terms.ts';
import type { Ref } from '../../src/kernel/types.ts';
import { ask, keepingLog, spawnProbe, startEpmd, startTestNode, until } from '../support/cluster.ts';
import { startClusterNode } from '../support/cluster-node.ts';

function nested(depth: number): unknown {
  let term: unknown = 'core';
  for (let level = 0; level < depth; level += 1) term = [term];
  return term;
}

test('the configured limits hold: a frame or a nesting beyond them ends the connection', async (t) => {
  const epmd_port = await startEpmd(t);
  for (const [limits, message, reason] of [
    [{ cluster_max_frame: 70_000 }, 'x'.repeat(70_000), /a frame of 7\d{4} bytes is beyond the limit of 70000/],
    [{ cluster_max_depth: 20 }, nested(30), /deeper than 20/],
  ] as const) {
    const name = `n${Object.keys(limits)[0]}@127.0.0.1`;
    const log = keepingLog();
    const node = await startClusterNode(t, name, { epmd_port, log, cluster_cookie: 'a secret of tests', ...limits });
    const other = await startTestNode(t, `other-${name}`, { epmdPort: epmd_port });
    const downs: string[] = [];
    node.table.listen({ nodeUp: () => {}, nodeDown: (down) => downs.push(down) });
    await other.distribution.connect(name);
    await until(() => node.table.nodes().length === 2, 'the connection');
    const there = other.kernel.remote<unknown>(node.kernel.node, 'echo');
    await spawnProbe(node.kernel, 'echo');
    assert.equal(await ask(other.kernel, there, 'small'), 'small');
    await assert.rejects(ask(other.kernel, there, message), { code: 'cluster_error' });
    await until(() => downs.length === 1 && other.downs.length === 1, 'the end of the connection');
    const line = log.lines.find(({ message: text }) => text.includes('ended'));
    assert.match(line!.message, reason);
  }
});

test('names of another node fill no table: the first few thousand atoms are kept, the rest come and go', async (t) => {
  const epmdPort = await startEpmd(t);
  const a = await startTestNode(t, 'a@127.0.0.1', { epmdPort });
  const b = await startTestNode(t, 'b@127.0.0.1', { epmdPort });
  await a.distribution.connect('b@127.0.0.1');
  await spawnProbe(b.kernel, 'echo');
  const echo = a.kernel.remote<unknown>(b.kernel.node, 'echo');
  for (let batch = 0; batch < 10; batch += 1) {
    const names = Array.from({ length: 2000 }, (_, i) => new Atom(`strange_name_${batch}_${i}`));
    assert.equal((await ask<Atom[]>(a.kernel, echo, names)).length, 2000);
  }
  const late = 'strange_name_9_1999';
  assert.notEqual(atom(late), atom(late), 'it is not kept');
});

/** A wire to `port` that carries so many bytes at a time towards it, and counts the ticks that come back. */
async function slowWire(t: TestContext, port: number, bytesPerTurn: number) {
  const seen = { ticks: 0, forwarded: 0 };
  const sockets: Socket[] = [];
  const server = createServer((near) => {
    const far = connect({ host: '127.0.0.1', port, noDelay: true });
    sockets.push(near, far);
    for (const socket of [near, far]) socket.on('error', () => {});
    near.on('data', (chunk) => {
      seen.forwarded += chunk.length;
      far.write(chunk);
      if (seen.forwarded < bytesPerTurn) return;
      near.pause();
      seen.forwarded = 0;
      setTimeout(() => near.resume(), 10);
    });
    far.on('data', (chunk) => {
      if (chunk.length === 4 && chunk.readUInt32BE(0) === 0) seen.ticks += 1;
      near.write(chunk);
    });
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return { port: typeof address === 'object' && address ? address.port : 0, seen };
}

test('a message that takes several tick times to arrive costs no connection, and ticks come meanwhile', async (t) => {
  const epmdPort = await startEpmd(t);
  const netTicktimeMs = 400;
  const a = await startTestNode(t, 'a@127.0.0.1', { epmdPort, netTicktimeMs });
  const b = await startTestNode(t, 'b@127.0.0.1', { epmdPort, netTicktimeMs });
  const { port, seen } = await slowWire(t, b.distribution.port, 256 * 1024);
  await a.distribution.connect('b@127.0.0.1', port);
  const { probe } = await spawnProbe(b.kernel, 'sink');
  const sink: Ref<unknown> = a.kernel.remote(b.kernel.node, 'sink');
  sink.tell(Buffer.alloc(40 * 1024 * 1024));
  for (let i = 0; i < 20; i += 1) sink.tell(Buffer.alloc(500_000));
  await until(() => seen.ticks >= 8, 'ticks of two tick times');
  assert.ok(a.distribution.peers.queued() > 0 || probe.messages.length === 21, 'the rest waits or has come');
  await until(() => probe.messages.length === 21, 'all messages', 30_000);
  assert.equal((probe.messages[0] as Buffer).length, 40 * 1024 * 1024);
  assert.deepEqual([a.downs, b.downs], [[], []]);
});
