import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type AnyRef, describeReason, type NodeName } from '../../src/kernel/types.ts';
import { Do, spawnProbe, startEpmd, startMemberProcess, startTestNode, until } from '../support/cluster.ts';
import { startErlang } from '../support/erlang.ts';
import { missing } from '../support/programs.ts';

const skip = missing('erl');
const erlangName = 'e@127.0.0.1' as NodeName;

async function both(t: TestContext, netTicktimeMs = 60_000, args: string[] = []) {
  const epmdPort = await startEpmd(t);
  const hive = await startTestNode(t, 'h@127.0.0.1', { epmdPort, netTicktimeMs });
  const erlang = await startErlang(t, erlangName, { epmdPort, args });
  await hive.distribution.connect(erlangName);
  const local = await spawnProbe(hive.kernel, 'local');
  /** Starts an Erlang process and gives its address here; `Erl` is its pid there. */
  const remote = async (body: string): Promise<AnyRef> => {
    const before = local.probe.messages.length;
    await erlang.run(`Erl${before} = spawn(fun() -> ${body} end), {local, 'h@127.0.0.1'} ! Erl${before}`);
    await until(() => local.probe.messages.length > before, 'the pid');
    return local.probe.messages[before] as AnyRef;
  };
  return { hive, erlang, local, remote };
}

test('we monitor an Erlang process by pid and by name', { skip }, async (t) => {
  const { hive, erlang, local, remote } = await both(t);
  const pid = await remote('receive {stop, Why} -> exit(Why) end');
  await erlang.run('register(named, Erl0)');
  local.ref.tell(new Do((self) => self.watch(pid)));
  local.ref.tell(new Do((self) => self.watch(hive.kernel.remote<never>(erlangName, 'named'))));
  local.ref.tell(new Do((self) => self.watch(hive.kernel.remote<never>(erlangName, 'nobody'))));
  await until(() => local.probe.downs.length === 1, 'noproc');
  await erlang.run('Erl0 ! {stop, {shutdown, enough}}');
  await until(() => local.probe.downs.length === 3, 'both downs');
  assert.deepEqual(
    local.probe.downs.map((down) => describeReason(down.reason)),
    ['noproc', 'shutdown: enough', 'shutdown: enough'],
  );
});

test('Erlang monitors an actor of ours by pid and by name', { skip }, async (t) => {
  const { hive, erlang } = await both(t);
  const { ref } = await spawnProbe(hive.kernel, 'mortal');
  await erlang.run(`M = monitor(process, {mortal, 'h@127.0.0.1'}), N = monitor(process, {nobody, 'h@127.0.0.1'})`);
  assert.equal(
    await erlang.run(`receive {'DOWN', N, process, Who, Why} -> {Who, Why} end`),
    `{{nobody,'h@127.0.0.1'},noproc}`,
  );
  await erlang.run(`gen_server:call({mortal, 'h@127.0.0.1'}, sync)`);
  ref.tell(new Do((self) => self.end('done')));
  assert.equal(
    await erlang.run(`receive {'DOWN', M, process, W, R} -> {W, R} end`),
    `{{mortal,'h@127.0.0.1'},<<"done">>}`,
  );
});

test('exits cross links both ways', { skip }, async (t) => {
  const { hive, erlang, local, remote } = await both(t);
  const first = await remote('process_flag(trap_exit, true), receive {stop, Why} -> exit(Why) end');
  local.ref.tell(new Do((self) => self.linkWith(first)));
  await erlang.run("gen_server:call({local, 'h@127.0.0.1'}, sync), Erl0 ! {stop, bang}");
  await until(() => local.probe.exits.length === 1, 'the exit here');
  assert.equal(describeReason(local.probe.exits[0]!.reason), 'bang');

  // The other direction, with the same kind of link made from here.
  const second = await remote("process_flag(trap_exit, true), receive {'EXIT', _, Why} -> main ! {heard, Why} end");
  const dying = await spawnProbe(hive.kernel);
  dying.ref.tell(new Do((self) => self.linkWith(second)));
  await erlang.run('register(main, self())');
  dying.ref.tell(new Do((self) => self.end('over')));
  assert.equal(await erlang.run('receive {heard, Heard} -> Heard end'), '<<"over">>');
});

test('an Erlang process that links to an actor hears of its end, and of nobody', { skip }, async (t) => {
  const { hive, erlang } = await both(t);
  const victim = await spawnProbe(hive.kernel, 'victim', (_message, from) => from.reply(victim.ref));
  await erlang.run(`process_flag(trap_exit, true), P = gen_server:call({victim, 'h@127.0.0.1'}, pid), link(P)`);
  await erlang.run(`gen_server:call({victim, 'h@127.0.0.1'}, sync)`);
  victim.ref.tell(new Do((self) => self.end('over')));
  assert.equal(await erlang.run(`receive {'EXIT', P, Why} -> Why end`), '<<"over">>');
  await erlang.run('link(P)');
  assert.equal(await erlang.run(`receive {'EXIT', P, Why2} -> Why2 end`), 'noproc');
});

test('an unlinked Erlang process does not hear of the end', { skip }, async (t) => {
  const { hive, erlang } = await both(t);
  const victim = await spawnProbe(hive.kernel, 'victim', (_message, from) => from.reply(victim.ref));
  await erlang.run(
    `process_flag(trap_exit, true), P = gen_server:call({victim, 'h@127.0.0.1'}, pid), link(P), unlink(P)`,
  );
  await erlang.run(`gen_server:call({victim, 'h@127.0.0.1'}, sync)`);
  victim.ref.tell(new Do((self) => self.end('over')));
  await erlang.run(`catch gen_server:call({victim, 'h@127.0.0.1'}, sync)`);
  assert.equal(await erlang.run('process_info(self(), messages)'), '{messages,[]}');
});

test('erlang:exit/2 reaches an actor, and ours reaches a process', { skip }, async (t) => {
  const { hive, erlang, local, remote } = await both(t);
  const pid = await remote('receive never -> ok end');
  local.ref.tell(new Do((self) => self.watch(pid)));
  local.ref.tell(new Do((self) => self.sendExit(pid, 'kill')));
  await until(() => local.probe.downs.length === 1, 'the end of the process');
  assert.equal(local.probe.downs[0]!.reason, 'killed');
  await spawnProbe(hive.kernel, 'whois', (_message, from) => from.reply(local.ref));
  await erlang.run(`exit(gen_server:call({whois, 'h@127.0.0.1'}, local), psst)`);
  await until(() => local.probe.exits.length === 1, 'the signal');
  assert.equal(describeReason(local.probe.exits[0]!.reason), 'psst');
});

test('a reason is the same term on its way here and back', { skip }, async (t) => {
  // `{bad,[1]}` became the text of it, and went back as an atom of that name.
  const { hive, erlang } = await both(t);
  const { probe } = await spawnProbe(hive.kernel, 'echoing', (_message, from) => from.reply(probe.self));
  const reasons = [
    '{bad,[1]}',
    'bang',
    '<<"normal">>',
    '{shutdown,{enough,2.5}}',
    '{error,enoent}',
    '"ab"',
    'undefined',
  ];
  for (const [i, reason] of reasons.entries()) {
    await erlang.run(`
      fun() ->
        Echo = gen_server:call({echoing, 'h@127.0.0.1'}, pid),
        spawn(fun() -> link(Echo), gen_server:call(Echo, sync), exit(${reason}) end)
      end()`);
    await until(() => probe.exits.length === 1, 'the exit');
    const [exit] = probe.exits.splice(0);
    const dying = await spawnProbe(hive.kernel, 'dying');
    await erlang.run(`
      D${i} = monitor(process, {dying, 'h@127.0.0.1'}), gen_server:call({dying, 'h@127.0.0.1'}, sync)`);
    dying.ref.tell(new Do((self) => self.end(exit!.reason)));
    assert.equal(
      await erlang.run(`receive {'DOWN', D${i}, process, _, Why${i}} -> Why${i} =:= ${reason} end`),
      'true',
      reason,
    );
  }
});

test('a name on an Erlang node is linked to, sent exit signals, and stopped', { skip }, async (t) => {
  const { hive, erlang, local } = await both(t);
  const body = `process_flag(trap_exit, true), receive {'EXIT', _, Why} -> exit({heard, Why}) end`;
  const named = hive.kernel.remote<never>(erlangName, 'named');
  await erlang.run(`register(named, spawn(fun() -> ${body} end))`);
  local.ref.tell(new Do((self) => self.linkWith(named)));
  local.ref.tell(new Do((self) => self.sendExit(named, 'psst')));
  await until(() => local.probe.exits.length === 1, 'the end of the link');
  assert.equal(describeReason(local.probe.exits[0]!.reason), '{heard,<<"psst">>}');
  assert.equal(local.probe.exits[0]!.ref.node, erlangName);
  local.ref.tell(new Do((self) => self.linkWith(hive.kernel.remote<never>(erlangName, 'nobody'))));
  await until(() => local.probe.exits.length === 2, 'noproc');
  assert.equal(local.probe.exits[1]!.reason, 'noproc');

  await erlang.run(`register(server, element(2, {ok, P} = gen_event:start()))`);
  const server = hive.kernel.remote<never>(erlangName, 'server');
  assert.equal(await hive.kernel.stop(server, 'shutdown'), 'shutdown');
  assert.equal(await hive.kernel.stop(server), 'noproc');
  assert.equal(await hive.kernel.stop(hive.kernel.remote('nobody@nowhere' as NodeName, 'server')), 'noconnection');
});

test('both sides notice when the other is killed', { skip }, async (t) => {
  const { hive, erlang, local, remote } = await both(t);
  const pid = await remote('receive never -> ok end');
  local.ref.tell(new Do((self) => self.watch(pid)));
  erlang.process.kill('SIGKILL');
  await until(() => hive.downs.length === 1 && local.probe.downs.length === 1, 'nodedown and DOWN');
  assert.equal(local.probe.downs[0]!.reason, 'noconnection');
});

test('Erlang sees nodedown when we stop', { skip }, async (t) => {
  const { hive, erlang } = await both(t);
  await erlang.run(`monitor_node('h@127.0.0.1', true), M = monitor(process, {local, 'h@127.0.0.1'})`);
  assert.equal(await erlang.run(`net_adm:ping('h@127.0.0.1')`), 'pong');
  hive.stop();
  assert.equal(await erlang.run('receive {nodedown, Node} -> Node end'), `'h@127.0.0.1'`);
  assert.equal(await erlang.run(`receive {'DOWN', M, process, _, Why} -> Why end`), 'noconnection');
});

test('ticks keep an idle connection alive, and a node that stands still is lost after the tick time', {
  skip,
}, async (t) => {
  const { hive, erlang } = await both(t, 1000, ['-kernel', 'net_ticktime', '1']);
  const since = Date.now();
  await until(() => Date.now() - since > 1500, 'more than a tick time');
  assert.equal(hive.downs.length, 0);
  assert.equal(await erlang.run('nodes(hidden)'), `['h@127.0.0.1']`);
  erlang.process.kill('SIGSTOP');
  await until(() => hive.downs.length === 1, 'nodedown');
  assert.equal(hive.downs[0]!.reason, 'net_tick_timeout');
});

test('Erlang loses one of ours that stands still', { skip }, async (t) => {
  const epmdPort = await startEpmd(t);
  const child = await startMemberProcess(t, 'still@127.0.0.1', epmdPort, []);
  const erlang = await startErlang(t, erlangName, { epmdPort, args: ['-kernel', 'net_ticktime', '1'] });
  await erlang.run(`monitor_node('still@127.0.0.1', true)`);
  assert.equal(await erlang.run(`net_adm:ping('still@127.0.0.1')`), 'pong');
  child.kill('SIGSTOP');
  assert.equal(await erlang.run('receive {nodedown, Node} -> Node end'), `'still@127.0.0.1'`);
});
