import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Atom, atom, Tuple, tuple } from '../../src/distribution/codec/terms.ts';
import type { NodeName } from '../../src/kernel/types.ts';
import { ask, spawnProbe, startEpmd, startTestNode, until } from '../support/cluster.ts';
import { startEcho, startErlang } from '../support/erlang.ts';
import { missing } from '../support/programs.ts';

const skip = missing('erl');
const erlangName = 'e@127.0.0.1' as NodeName;

async function both(t: Parameters<typeof startEpmd>[0]) {
  const epmdPort = await startEpmd(t);
  const hive = await startTestNode(t, 'h@127.0.0.1', { epmdPort });
  const erlang = await startErlang(t, erlangName, { epmdPort });
  return { hive, erlang };
}

test('net_adm:ping gets a pong, and the node is hidden', { skip }, async (t) => {
  const { hive, erlang } = await both(t);
  assert.equal(await erlang.run(`net_adm:ping('h@127.0.0.1')`), 'pong');
  assert.equal(await erlang.run('{nodes(), nodes(hidden)}'), `{[],['h@127.0.0.1']}`);
  assert.deepEqual(
    hive.ups.map(({ node, hive: ours }) => [node, ours]),
    [[erlangName, false]],
  );
  assert.deepEqual(hive.distribution.members(), []);
});

test('a node is dialled through EPMD, which Erlang nodes use too', { skip }, async (t) => {
  const { hive, erlang } = await both(t);
  await hive.distribution.connect(erlangName);
  assert.equal(await erlang.run('nodes(hidden)'), `['h@127.0.0.1']`);
  assert.match(await erlang.run('erl_epmd:names("127.0.0.1")'), /"e",\d+.*"h",\d+/);
});

test('Erlang sends to a name and to a pid', { skip }, async (t) => {
  const { hive, erlang } = await both(t);
  const { probe } = await spawnProbe(hive.kernel, 'inbox');
  await erlang.run(`{inbox, 'h@127.0.0.1'} ! #{type => hello, from => self(), <<"list">> => [1, 2.5, <<"x">>]}`);
  await until(() => probe.messages.length === 1, 'the message');
  const message = probe.messages[0] as { type: string; from: { tell(m: unknown): void }; list: unknown };
  assert.equal(message.type, 'hello');
  assert.deepEqual(message.list, [1, 2.5, 'x']);
  message.from.tell(tuple(atom('welcome'), probe.self));
  assert.equal(await erlang.run('receive {welcome, Pid} -> Pid ! {got, node(Pid)} end'), `{got,'h@127.0.0.1'}`);
  await until(() => probe.messages.length === 2, 'the answer by pid');
  assert.deepEqual(probe.messages[1], tuple(atom('got'), atom('h@127.0.0.1')));
});

test('gen_server:call from Erlang is answered, casts arrive, failures are error tuples', { skip }, async (t) => {
  const { hive, erlang } = await both(t);
  const { probe } = await spawnProbe(hive.kernel, 'server', (message, from) => {
    if (message instanceof Atom && message.name === 'fail') from.fail(new Error('no way'));
    else from.reply({ echo: message });
  });
  assert.equal(await erlang.run(`gen_server:call({server, 'h@127.0.0.1'}, {a, 1})`), '#{<<"echo">> => {a,1}}');
  assert.equal(
    await erlang.run(`gen_server:call({server, 'h@127.0.0.1'}, fail)`),
    '{error,{internal_error,<<"no way">>}}',
  );
  await erlang.run(`gen_server:cast({server, 'h@127.0.0.1'}, #{type => ping})`);
  await until(() => probe.messages.length === 1, 'the cast');
  assert.deepEqual(probe.messages, [{ type: 'ping' }]);
});

test('gen_server:call to nobody exits with noproc; a late answer reaches no mailbox', { skip }, async (t) => {
  const { hive, erlang } = await both(t);
  assert.match(
    await erlang.run(`catch gen_server:call({nobody, 'h@127.0.0.1'}, x)`),
    /^\{'EXIT',\{noproc,\{gen_server,call/,
  );
  const late: (() => void)[] = [];
  await spawnProbe(hive.kernel, 'slow', (_message, from) => void late.push(() => from.reply('late')));
  assert.match(await erlang.run(`catch gen_server:call({slow, 'h@127.0.0.1'}, x, 50)`), /^\{'EXIT',\{timeout/);
  for (const reply of late) reply();
  await spawnProbe(hive.kernel, 'server');
  await erlang.run(`gen_server:call({server, 'h@127.0.0.1'}, sync)`);
  assert.equal(await erlang.run('process_info(self(), messages)'), '{messages,[]}');
});

test('an answer that outlives its connection meets no other call on the next one', { skip }, async (t) => {
  const { hive, erlang } = await both(t);
  // Keeps the first caller, and answers it when the second comes; the second is never answered.
  await erlang.run(`register(forgetful, spawn(fun() ->
    receive {'$gen_call', First, _} -> ok end,
    receive {'$gen_call', _, _} -> gen_server:reply(First, late) end,
    receive stop -> ok end
  end))`);
  const forgetful = hive.kernel.remote<unknown>(erlangName, 'forgetful');
  await hive.distribution.connect(erlangName);
  const first = ask(hive.kernel, forgetful, 1);
  assert.equal(await erlang.run(`net_adm:ping('h@127.0.0.1')`), 'pong');
  hive.distribution.disconnect(erlangName);
  await assert.rejects(first, { code: 'cluster_error' });
  for (let nodes = ''; nodes !== '[]'; ) nodes = await erlang.run('nodes(hidden)');
  await hive.distribution.connect(erlangName);
  await assert.rejects(ask(hive.kernel, forgetful, 2, 200), { code: 'timeout' });
});

test('we call an Erlang gen_server; time-outs and missing processes are failures', { skip }, async (t) => {
  const { hive, erlang } = await both(t);
  await startEcho(erlang);
  await hive.distribution.connect(erlangName);
  const echo = hive.kernel.remote<unknown>(erlangName, 'echo');
  const answer = await ask<Tuple>(hive.kernel, echo, tuple(atom('a'), 1));
  assert.deepEqual(answer, new Tuple([atom('a'), 1]));
  await assert.rejects(ask(hive.kernel, hive.kernel.remote(erlangName, 'nobody'), 1), { code: 'not_running' });
  await erlang.run(`register(clumsy, spawn(fun() -> receive {'$gen_call', _, _} -> exit({bad, [1]}) end end))`);
  await assert.rejects(ask(hive.kernel, hive.kernel.remote(erlangName, 'clumsy'), 1), {
    code: 'crashed',
    message: 'clumsy on e@127.0.0.1 ended: {bad,[1]}',
  });
  await erlang.run('register(deaf, spawn(fun() -> receive stop -> ok end end))');
  const deaf = hive.kernel.remote<unknown>(erlangName, 'deaf');
  await assert.rejects(ask(hive.kernel, deaf, 1, 50), { code: 'timeout' });
});
