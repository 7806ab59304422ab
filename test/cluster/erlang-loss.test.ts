/** Connections with the BEAM that carry much, break hard, or outlive one of their ends. */
import assert from 'node:assert/strict';
import { connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { lookUp } from '../../src/distribution/epmd/epmd.ts';
import type { AnyRef, NodeName, Ref } from '../../src/kernel/types.ts';
import { ask, Do, spawnProbe, startEpmd, startTestNode, until } from '../support/cluster.ts';
import { startErlang } from '../support/erlang.ts';
import { missing } from '../support/programs.ts';

const skip = missing('erl');
const erlangName = 'e@127.0.0.1' as NodeName;

test('60 MB go to an Erlang process and come back', { skip }, async (t) => {
  const epmdPort = await startEpmd(t);
  const hive = await startTestNode(t, 'h@127.0.0.1', { epmdPort });
  const erlang = await startErlang(t, erlangName, { epmdPort });
  await spawnProbe(hive.kernel, 'echo');
  const call = `gen_server:call({echo, 'h@127.0.0.1'}, binary:copy(<<"x">>, 60000000), 60000)`;
  assert.equal(await erlang.run(`byte_size(${call})`), '60000000');
  assert.deepEqual(hive.downs, []);
});

/** A wire to `port` that can be torn. */
async function wireTo(t: TestContext, port: number): Promise<{ port: number; tear(): void }> {
  const sockets: Socket[] = [];
  const server = createServer((near) => {
    const far = connect({ host: '127.0.0.1', port });
    sockets.push(near, far);
    for (const socket of [near, far]) socket.on('error', () => {});
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const tear = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  t.after(() => {
    tear();
    server.close();
  });
  const address = server.address();
  return { port: typeof address === 'object' && address ? address.port : 0, tear };
}

test('both sides notice when the connection is reset', { skip }, async (t) => {
  const epmdPort = await startEpmd(t);
  const hive = await startTestNode(t, 'h@127.0.0.1', { epmdPort });
  const erlang = await startErlang(t, erlangName, { epmdPort });
  const wire = await wireTo(t, (await lookUp('127.0.0.1', epmdPort, 'e'))!);
  await hive.distribution.connect(erlangName, wire.port);
  await erlang.run(`monitor_node('h@127.0.0.1', true)`);
  wire.tear();
  assert.equal(await erlang.run('receive {nodedown, Node} -> Node end'), `'h@127.0.0.1'`);
  await until(() => hive.downs.length === 1, 'nodedown');
  assert.equal(hive.downs[0]!.reason, 'connection_reset');
});

test('after a restart of the Erlang node under its name, its old pids are dead', { skip }, async (t) => {
  const epmdPort = await startEpmd(t);
  const hive = await startTestNode(t, 'h@127.0.0.1', { epmdPort });
  const first = await startErlang(t, erlangName, { epmdPort });
  const { probe, ref } = await spawnProbe(hive.kernel, 'inbox');
  await first.run(`{inbox, 'h@127.0.0.1'} ! self()`);
  await until(() => probe.messages.length === 1, 'the pid');
  const old = probe.messages[0] as Ref<unknown>;
  first.process.kill('SIGKILL');
  await until(() => hive.downs.length === 1, 'nodedown');

  const second = await startErlang(t, erlangName, { epmdPort });
  await hive.distribution.connect(erlangName);
  old.tell('ghost');
  ref.tell(new Do((self) => self.watch(old as AnyRef)));
  await until(() => probe.downs.length === 1, 'the end of the monitor');
  assert.equal(probe.downs[0]!.reason, 'noproc');
  await assert.rejects(ask(hive.kernel, old, 'ghost'), { code: 'not_running' });
  assert.equal(await second.run('process_info(self(), messages)'), '{messages,[]}');
});

test('after a restart of ours under its name, the pids that Erlang kept are dead', { skip }, async (t) => {
  const epmdPort = await startEpmd(t);
  const first = await startTestNode(t, 'h@127.0.0.1', { epmdPort });
  const { ref } = await spawnProbe(first.kernel, 'inbox', (_message, from) => from.reply(ref));
  const erlang = await startErlang(t, erlangName, { epmdPort });
  await erlang.run(`monitor_node('h@127.0.0.1', true), Old = gen_server:call({inbox, 'h@127.0.0.1'}, pid)`);
  first.stop();
  await erlang.run('receive {nodedown, _} -> ok end');

  const second = await startTestNode(t, 'h@127.0.0.1', { epmdPort });
  const { probe } = await spawnProbe(second.kernel, 'inbox');
  assert.equal(await erlang.run(`net_adm:ping('h@127.0.0.1')`), 'pong');
  await erlang.run('Old ! ghost, M = monitor(process, Old)');
  assert.equal(await erlang.run(`receive {'DOWN', M, process, Old, Why} -> Why end`), 'noproc');
  assert.deepEqual(probe.messages, []);
});
