/**
 * What a node of the cluster or a back end on the BEAM may send to any actor of a node without harm. A malformed `act` sent to a
 * client's pid disconnected that user, and `null` sent to the root supervisor ended the node.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { io } from 'socket.io-client';
import { EpmdServer } from '../../src/distribution/epmd/server.ts';
import { DefaultNode } from '../support/default-node.ts';
import { startErlang } from '../support/erlang.ts';
import { missing } from '../support/programs.ts';

const node = 'h@127.0.0.1';

const registered = `hive_root_sup, hive_env_sup, hive_sup, hive_connectors_sup, hive_connectors_pool_sup, hive_router_sup, hive_client_sup,
  hive_pubsub_sup, hive_pubsub_channel_sup, hive_web_sup, hive_monitor, hive_cluster, hive_connectors, hive_router, hive_departures, hive_relay,
  hive_pubsub, hive_monitor_server, hive_api, hive_web`;

/** All words that an actor of ours has for a message, and words of other nodes with something missing or wrong. */
const nonsense = `
  Types = [act, subscribe, unsubscribe, whereis, view, subscribers, terminate, published, attach, close, reject, event, message,
    ack, publish, delivered, expire, open, started, closed, announce, announced, nodeup, nodedown, tell_all, interest,
    interest_wanted, signal, lost, start, stop_pool, request, drain, data, sent, overdue, up, connect, give_up, start_child,
    terminate_child, restart_child, delete_child, try_again, reset, supervision, actor, busiest, metrics, look],
  Big = 1 bsl 80,
  Fields = #{<<"orders">> => Big, <<"sid">> => #{}, <<"channels">> => [1], <<"toString">> => 1, <<"packets">> => x,
    <<"options">> => #{<<"limit">> => #{<<"valueOf">> => 1, <<"toString">> => 1}}, <<"section">> => #{<<"toString">> => 1},
    <<"path">> => #{<<"toString">> => 1}, <<"pid">> => self(), <<"reason">> => make_ref(), <<"publication">> => #{},
    <<"child">> => #{<<"id">> => 1}, <<"entry">> => null, <<"peer">> => undefined, <<"packet">> => {}, <<"node">> => Big,
    <<"client">> => self(), <<"opening">> => Big, <<"signal">> => [], <<"stream">> => x, <<"all">> => 7, <<"data">> => Big},
  Nonsense = [null, undefined, x, 17, -1.5, <<"text">>, <<255>>, [], {}, #{}, #{1 => 2}, [1 | 2], self(), make_ref(), Big,
    fun lists:map/2, {act, Big, [Big]}, {publish, news, [Big]}, [<<"n">>, 1, 2, 3], [x, x, 15, <<"x">>]] ++
    [#{type => T} || T <- Types] ++ [Fields#{type => T} || T <- Types] ++ [#{<<"type">> => Big} | [{T, Big} || T <- Types]]`;

test('no actor of a node can be harmed by what is sent to it', {
  skip: missing('erl'),
  timeout: 120_000,
}, async (t) => {
  const epmd = new EpmdServer();
  await epmd.listen(0, ['127.0.0.1']);
  t.after(() => epmd.stop());
  const hive = await DefaultNode.start(({ hive }) => {
    Object.assign(hive!, { name: node, epmd_port: epmd.port, cluster_cookie: 'a secret of tests' });
  });
  t.after(() => hive.stop());
  const erlang = await startErlang(t, 'e@127.0.0.1', { epmdPort: epmd.port });
  const socket = io(hive.url, { transports: ['websocket'], forceNew: true, reconnection: false });
  t.after(() => socket.disconnect());
  await once(socket as never, 'connect');
  await erlang.run(`${nonsense}, ok`);
  await erlang.run(
    `Node = '${node}', {ok, Client} = gen_server:call({hive_router, Node}, {whereis, <<"${socket.id}">>})`,
  );
  await erlang.run('{ok, Subscription} = gen_server:call({hive_pubsub, Node}, {subscribe, self(), <<"ping.a">>})');
  // Everybody below the root, from the top down; `Kinds` has one of each kind only.
  await erlang.run(`
    Partitions = [integer_to_binary(N) || N <- lists:seq(1, 63)],
    Below = fun Below(Sup) -> lists:flatmap(fun
      ({_, Pid, supervisor, _}) when is_pid(Pid) -> [Pid | Below(Pid)];
      ({_, Pid, _, _}) when is_pid(Pid) -> [Pid];
      (_) -> [] end, supervisor:which_children(Sup)) end,
    Kinds = lists:usort(lists:flatmap(fun(Sup) -> [P || {Id, P, _, _} <- supervisor:which_children(Sup), not lists:member(Id, Partitions)] end,
      [{S, Node} || S <- [hive_root_sup, hive_env_sup, hive_sup, hive_router_sup, hive_pubsub_sup, hive_web_sup]]))`);
  const all = 'lists:sort(Below({hive_root_sup, Node}))';
  const count = Number(await erlang.run(`All = ${all}, true = lists:member(Client, All), length(All)`));
  assert.ok(count > 20, `${count} actors`);

  // An atom of the node's own names would do what it says: it is none of these words that end or shut anything.
  await erlang.run(`
    Harm = fun(To) -> [begin To ! Word, gen_server:cast(To, Word) end || Word <- Nonsense] end,
    lists:foreach(Harm, [{hive_root_sup, Node} | All])`);
  const asked = `[gen_server:call(Pid, Word, 20000) || Pid <- [Client, Subscription | Kinds], Word <- Nonsense]`;
  const unanswered = await erlang.run(
    `[Other || Other <- ${asked}, element(1, Other) =/= error, element(1, Other) =/= ok]`,
  );
  assert.doesNotMatch(unanswered, /EXIT|raised/);

  // Every registered name refuses all that is no request of an Erlang process (an atom, or a tuple that starts with one) in the same way.
  const otherwise = await erlang.run(`
    [{Name, Word, Answer} || Name <- [${registered}], Word <- Nonsense, not is_atom(Word), not (is_tuple(Word) andalso Word =/= {}),
      Answer <- [gen_server:call({Name, Node}, Word, 20000)],
      case Answer of {error, {bad_request, _}} -> false; _ -> true end]`);
  assert.equal(otherwise, '[]');

  assert.equal(await erlang.run(`${all} =:= All`), 'true');
  const metrics = await erlang.run('{ok, M} = gen_server:call({hive_monitor, Node}, metrics), maps:get(<<"hive">>, M)');
  assert.match(metrics, /<<"crashes">> => 0/);
  const heard = once(socket as never, 'still');
  await erlang.run(
    `gen_server:call({hive_router, Node}, {act, <<"${socket.id}">>, {send, #{name => still, args => [there]}}})`,
  );
  assert.deepEqual(await heard, ['there']);
  const log = readFileSync(join(hive.directory, 'log', 'hive.log'), 'utf8');
  assert.match(log, /A message that a ClientActor does not understand/);
});
