/** What one node may cost another: frames, nesting, names, waiting bytes, and the patience for large messages. */
import assert from 'node:assert/strict';
import { connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { Atom } from '../../src/distribution/codec/terms.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import type { Ref } from '../../src/kernel/types.ts';
import { ask, keepingLog, type Probe, spawnProbe, startEpmd, startTestNode, until } from '../support/cluster.ts';
import { startClusterNode } from '../support/cluster-node.ts';

function nested(depth: number): unknown {
  let term: unknown = 'core';
  for (let level = 0; level < depth; level += 1) term = [term];
  return term;
}

test('the configured limits hold: a frame, a nesting or a number of elements beyond them ends the connection', async (t) => {
  const epmd_port = await startEpmd(t);
  for (const [limits, message, reason] of [
    [{ cluster_max_frame: 70_000 }, 'x'.repeat(70_000), /a frame of 7\d{4} bytes is beyond the limit of 70000/],
    [{ cluster_max_depth: 20 }, nested(30), /deeper than 20/],
    [{ cluster_max_elements: 65_536 }, Array(70_000).fill(0), /more than 65536 elements/],
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

test('the configured queue holds: what it cannot take is not sent, whom it serves does not wait for more', async (t) => {
  const epmd_port = await startEpmd(t);
  const options = { epmd_port, cluster_cookie: 'a secret of tests', cluster_max_queue: 65_536 };
  const node = await startClusterNode(t, 'node@127.0.0.1', options);
  const other = await startTestNode(t, 'other@127.0.0.1', { epmdPort: epmd_port });
  await other.distribution.connect('node@127.0.0.1');
  await until(() => node.table.nodes().length === 2, 'the connection');
  const { probe } = await spawnProbe(other.kernel, 'sink');
  const sink: Ref<unknown> = node.kernel.remote(other.kernel.node, 'sink');
  await assert.rejects(ask(node.kernel, sink, Buffer.alloc(70_000)), { code: 'cluster_error' });
  assert.equal(await ask(node.kernel, sink, 'small'), 'small');
  // More in one turn than the peer can have read: the connection goes, and the memory with it.
  for (let i = 0; i < 400; i += 1) sink.tell(Buffer.alloc(60_000));
  await until(() => other.downs.length === 1, 'the drop');
  assert.ok(probe.messages.length < 400);
});

/** Each name twice, in messages of their own, as they arrive: whether both times it is the same object. */
async function areKept(from: Kernel, to: Probe, sink: Ref<unknown>, names: readonly string[]): Promise<boolean[]> {
  const atoms = names.map((name) => new Atom(name));
  to.messages.length = 0;
  sink.tell(atoms);
  sink.tell(atoms);
  await until(() => to.messages.length === 2, `the atoms of ${from.node}`);
  const [first, second] = to.messages as [Atom[], Atom[]];
  assert.deepEqual(second.map(String), names, 'kept or not, they are understood');
  return first.map((one, i) => one === second[i]);
}

test('so many atoms of another node are kept, and no more; how many is configured, and each node has its own', async (t) => {
  const epmd_port = await startEpmd(t);
  const options = { epmd_port, cluster_max_atoms: 100, cluster_cookie: 'a secret of tests' };
  const node = await startClusterNode(t, 'node@127.0.0.1', options);
  const { probe } = await spawnProbe(node.kernel, 'sink');
  for (const name of ['first@127.0.0.1', 'second@127.0.0.1']) {
    const { kernel, distribution } = await startTestNode(t, name, { epmdPort: epmd_port });
    await distribution.connect('node@127.0.0.1');
    const sink = kernel.remote<unknown>(node.kernel.node, 'sink');
    const strange = Array.from({ length: 20_000 }, (_, i) => `strange_name_${i}`);
    const kept = await areKept(kernel, probe, sink, strange);
    const count = kept.filter(Boolean).length;
    assert.ok(count > 50 && count <= 100, `${count} are kept, besides those of the protocol`);
    assert.deepEqual(kept.slice(100).filter(Boolean), []);
    assert.deepEqual(await areKept(kernel, probe, sink, ['late', 'strange_name_0']), [false, true]);
  }
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
