import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startEpmd } from '../support/cluster.ts';
import { meshed, startClusterNode } from '../support/cluster-node.ts';
import { startErlang } from '../support/erlang.ts';
import { eventually } from '../support/eventually.ts';
import { missing } from '../support/programs.ts';
import { event, orders } from '../support/pubsub.ts';

const skip = missing('erl');

/** Two nodes and an Erlang node; `ask` is a gen_server:call to the first, `askB` to the second. */
async function three(t: TestContext) {
  const epmd_port = await startEpmd(t);
  const a = await startClusterNode(t, 'a@127.0.0.1', { epmd_port });
  const b = await startClusterNode(t, 'b@127.0.0.1', { epmd_port, cluster_nodes: ['a@127.0.0.1'] });
  await meshed(a, b);
  const erlang = await startErlang(t, 'e@127.0.0.1', { epmdPort: epmd_port });
  const asking = (node: string) => (server: string, request: string) =>
    erlang.run(`gen_server:call({${server}, '${node}'}, ${request})`);
  return { a, b, erlang, ask: asking('a@127.0.0.1'), askB: asking('b@127.0.0.1') };
}

test('an Erlang process subscribes itself, hears what any node publishes, and leaves again', { skip }, async (t) => {
  const { a, b, erlang, ask } = await three(t);
  assert.match(await ask('hive_pubsub', '{subscribe, self(), <<"news.eu">>}'), /^\{ok,<\d+\.\d+\.\d+>\}$/);
  assert.equal(await ask('hive_pubsub', '{count, <<"news">>}'), '{ok,1}');
  const heard = (what: string) => `{<<"news.eu">>,${what}}`;
  const receive = () => erlang.run('fun() -> receive {hive, C, W} -> {C, W} after 5000 -> nothing end end()');

  b.pubsub.publish(['news'], 'private', event('from_b'));
  assert.equal(await receive(), heard('{event,<<"from_b">>,[]}'));
  a.pubsub.publish(['news.eu'], 'private', orders(['work', 'hard']));
  assert.equal(
    await receive(),
    heard('{orders,[#{<<"action">> => <<"work">>,<<"args">> => <<"hard">>,<<"trigger_id">> => <<>>}]}'),
  );

  assert.equal(await ask('hive_pubsub', '{channels, <<>>, <<>>, 10}'), '{ok,[{<<"news.eu">>,1}]}');
  assert.equal(await ask('hive_pubsub', '{channels, news, <<"news.eu">>, 10}'), '{ok,[]}');
  assert.match(await ask('hive_pubsub', '{channels, news, <<>>, 0}'), /^\{error,\{bad_request,<<"/);
  assert.equal(await ask('hive_pubsub', '{unsubscribe, self(), <<"news.eu">>}'), 'ok');
  assert.equal(await ask('hive_pubsub', '{count, <<"news">>}'), '{ok,0}');
  assert.equal(await ask('hive_pubsub', '{unsubscribe, self(), <<"news.eu">>}'), 'ok');
});

test('order holds for a process, whether packets or actions are published', { skip }, async (t) => {
  const { a, erlang, ask } = await three(t);
  await ask('hive_pubsub', '{subscribe, self(), <<"news.x">>}');
  for (let i = 0; i < 100; i += 1) {
    a.pubsub.publish(['news.x'], 'private', i % 3 === 0 ? orders(['count', `${i}`]) : event(`${i}`));
  }
  const numbers = await erlang.run(
    `[receive {hive, _, {event, N, []}} -> binary_to_integer(N);
              {hive, _, {orders, [#{<<"args">> := N}]}} -> binary_to_integer(N) after 5000 -> none end
      || _ <- lists:seq(0, 99)] =:= lists:seq(0, 99)`,
  );
  assert.equal(numbers, 'true');
});

test('a process that subscribes twice hears everything once', { skip }, async (t) => {
  const { a, erlang } = await three(t);
  const both = await erlang.run(
    `gen_server:call({hive_pubsub, 'a@127.0.0.1'}, {subscribe, self(), <<"news.x">>}) =:=
     gen_server:call({hive_pubsub, 'a@127.0.0.1'}, {subscribe, self(), <<"news.x">>})`,
  );
  assert.equal(both, 'true');
  a.pubsub.publish(['news.x'], 'private', event('once'));
  a.pubsub.publish(['news.x'], 'private', event('end'));
  const two = 'fun() -> [receive {hive, _, {event, N, _}} -> N end || _ <- [1, 2]] end()';
  assert.equal(await erlang.run(two), '[<<"once">>,<<"end">>]');
});

test('the subscription of a process ends with it, and with its node', { skip }, async (t) => {
  const { a, erlang, ask } = await three(t);
  await erlang.run(
    `Mortal = spawn(fun() -> gen_server:call({hive_pubsub, 'a@127.0.0.1'}, {subscribe, self(), <<"news.x">>}),
                             receive stop -> ok end end)`,
  );
  const subscribers = () => {
    try {
      return a.pubsub.status('news');
    } catch {
      return -1;
    }
  };
  await eventually(() => subscribers() === 1, 'the subscription');
  await erlang.run('Mortal ! stop');
  await eventually(() => subscribers() === 0, 'its end');
  await ask('hive_pubsub', '{subscribe, self(), <<"news.y">>}');
  assert.equal(subscribers(), 1);
  erlang.process.kill('SIGKILL');
  await eventually(() => subscribers() === 0, 'the end of all subscriptions');
});

test('a process that monitors its subscription hears of its end', { skip }, async (t) => {
  const { a, erlang, ask } = await three(t);
  await ask('hive_pubsub', '{subscribe, self(), <<"news.x">>}');
  await erlang.run(
    `{ok, S} = gen_server:call({hive_pubsub, 'a@127.0.0.1'}, {subscribe, self(), <<"news.x">>}), M = monitor(process, S)`,
  );
  a.kernel.halt();
  assert.match(await erlang.run(`receive {'DOWN', M, process, S, Why} -> Why end`), /^(killed|noconnection)$/);
});

test('Erlang publishes events and actions, by call and by cast', { skip }, async (t) => {
  const { a, erlang, ask, askB } = await three(t);
  const client = await a.client();
  await a.pubsub.join(client, ['news.x'], 'public');
  assert.equal(await askB('hive_pubsub', '{publish, <<"news">>, {hello, [1, #{a => null}]}}'), 'ok');
  assert.equal(await askB('hive_pubsub', '{publish, [<<"news.x">>, news], #{name => twice, args => []}}'), 'ok');
  assert.equal(await ask('hive_pubsub', '{act, <<"news">>, [{say, done}, #{action => say, args => <<"too">>}]}'), 'ok');
  await erlang.run(`gen_server:cast({hive_pubsub, 'a@127.0.0.1'}, {publish, news, {cast, []}})`);
  await eventually(() => client.received.length === 6, 'everything');
  assert.deepEqual(client.received, ['hello', 'twice', 'twice', 'done', 'too', 'cast']);
});

test('failures name their code; what is not understood is answered', { skip }, async (t) => {
  const { ask } = await three(t);
  assert.match(await ask('hive_pubsub', '{count, <<"news.none">>}'), /^\{error,\{unknown_channel_id,<<"/);
  assert.match(await ask('hive_pubsub', '{subscribe, self(), <<"weather.x">>}'), /^\{error,\{bad_channel_id,<<"/);
  assert.match(await ask('hive_pubsub', '{subscribe, nobody, <<"news.x">>}'), /^\{error,\{bad_request,<<"a pid is/);
  assert.match(await ask('hive_pubsub', '{publish, "news.x", {hello, []}}'), /^\{error,\{bad_request,<<"a binary or/);
  assert.match(await ask('hive_pubsub', '{publish, <<"news">>, {hello, [self()]}}'), /^\{error,\{bad_request,/);
  assert.match(await ask('hive_pubsub', '{publish, <<"news">>, {connect, []}}'), /^\{error,\{bad_external_event,/);
  for (const server of ['hive_pubsub', 'hive_cluster']) {
    assert.match(await ask(server, '{make, tea}'), /^\{error,\{bad_request,<<"There is no request \{make,tea\}/);
    assert.match(await ask(server, 'undefined'), /^\{error,\{bad_request,/);
    assert.match(await ask(server, '17'), /^\{error,\{bad_request,/);
    assert.match(await ask(server, '{}'), /^\{error,\{bad_request,/);
  }
});

test('the cluster is asked for its nodes, its version and the owner of a session', { skip }, async (t) => {
  const { ask } = await three(t);
  assert.equal(await ask('hive_cluster', 'version'), '{ok,<<"1.2.3">>}');
  assert.equal(await ask('hive_cluster', 'nodes'), `{ok,['a@127.0.0.1','b@127.0.0.1']}`);
  assert.equal(await ask('hive_cluster', 'missing'), '{ok,[]}');
  assert.match(await ask('hive_cluster', '{owner, <<"nobody">>}'), /^\{error,\{bad_session_id,/);
});
