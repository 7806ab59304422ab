import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { ask, keepingLog, spawnProbe, startEpmd, startTestNode, until } from '../support/cluster.ts';
import { startErlang } from '../support/erlang.ts';
import { eventually } from '../support/eventually.ts';
import { missing } from '../support/programs.ts';

test('200 rounds of simultaneous connect end with one connection each', async (t) => {
  const epmdPort = await startEpmd(t);
  const a = await startTestNode(t, 'a@127.0.0.1', { epmdPort });
  const b = await startTestNode(t, 'b@127.0.0.1', { epmdPort });
  await spawnProbe(a.kernel, 'echo');
  await spawnProbe(b.kernel, 'echo');
  for (let round = 1; round <= 200; round += 1) {
    await Promise.all([
      a.distribution.connect('b@127.0.0.1', b.distribution.port),
      b.distribution.connect('a@127.0.0.1', a.distribution.port),
    ]);
    assert.equal(await ask(a.kernel, a.kernel.remote(b.kernel.node, 'echo'), round), round);
    assert.equal(await ask(b.kernel, b.kernel.remote(a.kernel.node, 'echo'), round), round);
    (round % 2 === 0 ? a : b).distribution.disconnect(round % 2 === 0 ? 'b@127.0.0.1' : 'a@127.0.0.1');
    await until(() => a.downs.length === round && b.downs.length === round, `nodedown of round ${round}`);
  }
  assert.equal(a.ups.length, 200);
});

test('simultaneous connect with an Erlang node, of lesser and of greater name', { skip: missing('erl') }, async (t) => {
  const epmdPort = await startEpmd(t);
  const erlang = await startErlang(t, 'e@127.0.0.1', { epmdPort });
  for (const name of ['a@127.0.0.1', 'z@127.0.0.1']) {
    const { distribution, ups } = await startTestNode(t, name, { epmdPort });
    for (let round = 1; round <= 20; round += 1) {
      const [, theirs] = await Promise.all([
        distribution.connect('e@127.0.0.1'),
        erlang.run(`net_kernel:connect_node('${name}')`),
      ]);
      assert.equal(theirs, 'true');
      assert.equal(await erlang.run(`net_adm:ping('${name}')`), 'pong');
      assert.equal(ups.length, round);
      distribution.disconnect('e@127.0.0.1');
      for (let nodes = ''; nodes !== '[]'; ) nodes = await erlang.run('nodes(hidden)');
    }
  }
});

test('where the given port is wrong, EPMD knows better', async (t) => {
  const epmdPort = await startEpmd(t);
  const a = await startTestNode(t, 'a@127.0.0.1', { epmdPort });
  const b = await startTestNode(t, 'b@127.0.0.1', { epmdPort });
  const c = await startTestNode(t, 'c@127.0.0.1', { epmdPort });
  await a.distribution.connect('b@127.0.0.1', c.distribution.port);
  assert.deepEqual([a.distribution.nodes(), c.ups], [['b@127.0.0.1'], []]);
  a.distribution.disconnect('b@127.0.0.1');
  await until(() => b.downs.length === 1, 'the end');
  const closed = c.distribution.port;
  c.stop();
  await a.distribution.connect('b@127.0.0.1', closed);
});

test('a node with another cookie is refused, and both sides say so', async (t) => {
  const epmdPort = await startEpmd(t);
  const log = keepingLog();
  const a = await startTestNode(t, 'a@127.0.0.1', { epmdPort, log });
  const b = await startTestNode(t, 'b@127.0.0.1', { epmdPort, cookie: 'something else' });
  await assert.rejects(b.distribution.connect('a@127.0.0.1'), { code: 'cluster_error', message: /another cookie/ });
  await until(() => log.lines.length > 0, 'the line in the log');
  assert.deepEqual(
    log.lines.filter(({ level }) => level === 'warning').map(({ message }) => message),
    ['refused a connection from 127.0.0.1: b@127.0.0.1 has another cookie'],
  );
  await assert.rejects(a.distribution.connect('b@127.0.0.1'), /another cookie/);
  assert.deepEqual([a.ups, b.ups], [[], []]);
});

test('an Erlang node with another cookie is refused both ways', { skip: missing('erl') }, async (t) => {
  const epmdPort = await startEpmd(t);
  const a = await startTestNode(t, 'a@127.0.0.1', { epmdPort });
  const erlang = await startErlang(t, 'e@127.0.0.1', { epmdPort, cookie: 'other' });
  assert.equal(await erlang.run(`net_adm:ping('a@127.0.0.1')`), 'pang');
  await assert.rejects(a.distribution.connect('e@127.0.0.1'), /another cookie/);
});

test('a second node of a registered name does not start', async (t) => {
  const epmdPort = await startEpmd(t);
  await startTestNode(t, 'a@127.0.0.1', { epmdPort });
  await assert.rejects(startTestNode(t, 'a@127.0.0.1', { epmdPort }), {
    code: 'name_taken',
    message: /Another node named a@127.0.0.1 is running/,
  });
});

test('a second node that no EPMD stopped is refused by those who know the first', async (t) => {
  const epmdPort = await startEpmd(t);
  const first = await startTestNode(t, 'a@127.0.0.1', { epmdPort });
  const b = await startTestNode(t, 'b@127.0.0.1', { epmdPort });
  await first.distribution.connect('b@127.0.0.1');
  const second = await startTestNode(t, 'a@127.0.0.1', { epmdPort: 0 });
  await assert.rejects(second.distribution.connect('b@127.0.0.1', b.distribution.port), { code: 'name_taken' });
  assert.equal(b.downs.length, 0);
  assert.deepEqual(b.distribution.nodes(), ['a@127.0.0.1']);
});

test('the next life of a node replaces one that only seems to be connected', async (t) => {
  const epmdPort = await startEpmd(t);
  const b = await startTestNode(t, 'b@127.0.0.1', { epmdPort });
  const erlang = await startErlang(t, 'a@127.0.0.1', { epmdPort });
  await b.distribution.connect('a@127.0.0.1');
  erlang.process.kill('SIGSTOP'); // as if its machine had lost power: the connection stays, nobody answers
  const next = await startTestNode(t, 'a@127.0.0.1', { epmdPort: 0 });
  // What it said before it was stopped may still be on its way, and counts as an answer.
  const connects = () =>
    next.distribution.connect('b@127.0.0.1', b.distribution.port).then(
      () => true,
      () => false,
    );
  await eventually(connects, 'the connection of the next life');
  await until(() => b.ups.length === 2, 'the second nodeup');
  assert.equal(b.downs[0]!.reason, 'restarted');
  assert.equal(b.ups[1]!.creation, next.kernel.creation);
});

test('a node cannot connect with itself', async (t) => {
  const a = await startTestNode(t, 'a@127.0.0.1', { epmdPort: 0 });
  await assert.rejects(a.distribution.connect('a@127.0.0.1'), { code: 'cluster_error' });
});

test('without EPMD the port range is searched, and strangers in it are left in peace', async (t) => {
  // EPMD of the first listens on 127.0.0.1 only, so there is none where the others are.
  const a = await startTestNode(t, 'a@127.0.0.1', { epmdPort: 0 });
  const range = { portMin: a.distribution.port, portMax: a.distribution.port + 5, epmdPort: 0 };
  const stranger = await startTestNode(t, 'stranger@127.0.0.2', range);
  const searched = await startTestNode(t, 'searched@127.0.0.2', range);
  const b = await startTestNode(t, 'b@127.0.0.1', range);
  await b.distribution.connect('stranger@127.0.0.2', stranger.distribution.port);
  await b.distribution.connect('searched@127.0.0.2');
  assert.deepEqual(b.distribution.nodes(), ['stranger@127.0.0.2', 'searched@127.0.0.2']);
  await assert.rejects(b.distribution.connect('nobody@127.0.0.2'), { code: 'cluster_error' });
  assert.deepEqual([stranger.downs, searched.downs, b.downs], [[], [], []]);
});

test('random bytes on the port harm nobody', async (t) => {
  const epmdPort = await startEpmd(t);
  const a = await startTestNode(t, 'a@127.0.0.1', { epmdPort });
  const b = await startTestNode(t, 'b@127.0.0.1', { epmdPort });
  await a.distribution.connect('b@127.0.0.1');
  await Promise.all(
    Array.from({ length: 100 }, async (_, i) => {
      const socket = connect({ host: '127.0.0.1', port: i % 5 === 0 ? epmdPort : a.distribution.port });
      socket.on('error', () => {});
      const bytes = randomBytes(1 + ((i * 37) % 400));
      // Half of them with a plausible length in front.
      if (i % 2 === 0 && bytes.length > 3) bytes.writeUInt16BE(bytes.length - 2);
      socket.end(bytes);
      socket.resume();
      await once(socket, 'close');
    }),
  );
  await spawnProbe(b.kernel, 'echo');
  assert.equal(await ask(a.kernel, a.kernel.remote(b.kernel.node, 'echo'), 'alive'), 'alive');
});

test('a connection whose frames are malformed is dropped, the others stay', async (t) => {
  const epmdPort = await startEpmd(t);
  const a = await startTestNode(t, 'a@127.0.0.1', { epmdPort, maxFrameBytes: 10_000 });
  const b = await startTestNode(t, 'b@127.0.0.1', { epmdPort });
  const c = await startTestNode(t, 'c@127.0.0.1', { epmdPort });
  await Promise.all([b.distribution.connect('a@127.0.0.1'), c.distribution.connect('a@127.0.0.1')]);
  await spawnProbe(a.kernel, 'echo');
  const echo = b.kernel.remote<unknown>(a.kernel.node, 'echo');
  await assert.rejects(ask(b.kernel, echo, 'x'.repeat(20_000)), { code: 'cluster_error' });
  await until(() => a.downs.length === 1, 'nodedown');
  assert.match(a.downs[0]!.reason, /bad_frame: a frame of \d+ bytes is beyond the limit of 10000/);
  assert.equal(await ask(c.kernel, c.kernel.remote(a.kernel.node, 'echo'), 'alive'), 'alive');
});

test('ticks keep an idle connection alive', async (t) => {
  const epmdPort = await startEpmd(t);
  const a = await startTestNode(t, 'a@127.0.0.1', { epmdPort, netTicktimeMs: 120 });
  const b = await startTestNode(t, 'b@127.0.0.1', { epmdPort, netTicktimeMs: 120 });
  await a.distribution.connect('b@127.0.0.1');
  const since = Date.now();
  await until(() => Date.now() - since > 600, 'five tick times');
  assert.deepEqual([a.downs, b.downs], [[], []]);
});

test('a peer that does not read costs bounded memory and is dropped', { skip: missing('erl') }, async (t) => {
  const epmdPort = await startEpmd(t);
  const a = await startTestNode(t, 'a@127.0.0.1', { epmdPort, maxQueueBytes: 1024 * 1024 });
  const erlang = await startErlang(t, 'e@127.0.0.1', { epmdPort });
  await a.distribution.connect('e@127.0.0.1');
  erlang.process.kill('SIGSTOP');
  const sink = a.kernel.remote<unknown>(a.ups[0]!.node, 'sink');
  const block = Buffer.alloc(64 * 1024);
  let most = 0;
  await until(() => {
    for (let i = 0; i < 4; i += 1) sink.tell(block);
    most = Math.max(most, a.distribution.peers.queued());
    return a.downs.length === 1;
  }, 'the drop');
  assert.equal(a.downs[0]!.reason, 'queue_full');
  assert.ok(most < 2 * 1024 * 1024, `${most} bytes were queued`);
  erlang.process.kill('SIGCONT');
});
