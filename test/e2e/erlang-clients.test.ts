/** What Erlang processes may do to the clients of real nodes, from whichever node. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { io, type Socket } from 'socket.io-client';
import { EpmdServer } from '../../src/distribution/epmd/server.ts';
import { DefaultNode, type Sections } from '../support/default-node.ts';
import { type ErlangNode, startErlang } from '../support/erlang.ts';
import { eventually } from '../support/eventually.ts';
import { missing } from '../support/programs.ts';

const left = 'left@127.0.0.1';
const right = 'right@127.0.0.1';

describe('an Erlang back end', { skip: missing('erl') }, () => {
  const epmd = new EpmdServer();
  let nodes: DefaultNode[] = [];
  let erlang: ErlangNode;
  const sockets: Socket[] = [];

  before(async () => {
    await epmd.listen(0, ['127.0.0.1']);
    const member = (name: string, others: string[]) => (config: Sections) => {
      const hive = { name, epmd_port: epmd.port, cluster_nodes: others, cluster_cookie: 'a secret of tests' };
      Object.assign(config.hive!, hive);
      Object.assign(config.clients!, { user: 'id' });
      Object.assign(config.pubsub!.channels!, {
        staff: { privilege: 'private', timeout: 1000 },
        told: { privilege: 'private', timeout: 1000, history: {} },
      });
    };
    nodes = [await DefaultNode.start(member(left, []))];
    nodes.push(await DefaultNode.start(member(right, [left])));
    erlang = await startErlang({ after: () => {} }, 'e@127.0.0.1', { epmdPort: epmd.port });
    await eventually(async () => (await ask('hive_cluster', 'nodes')) === `{ok,['${left}','${right}']}`, 'the mesh');
  });

  after(async () => {
    for (const socket of sockets) socket.disconnect();
    erlang.process.kill('SIGKILL');
    await Promise.all(nodes.map((node) => node.stop()));
    epmd.stop();
  });

  const ask = (server: string, request: string, node = left) =>
    erlang.run(`gen_server:call({${server}, '${node}'}, ${request})`);

  async function connect(node: 0 | 1): Promise<Socket> {
    const socket = io(nodes[node]!.url, { transports: ['websocket'], forceNew: true, reconnection: false });
    sockets.push(socket);
    await once(socket as never, 'connect');
    return socket;
  }

  test('acts on a session by its id, on whichever node it lives', async () => {
    for (const [index, where] of [left, right].entries()) {
      const socket = await connect(index as 0 | 1);
      const heard = once(socket as never, 'welcome');
      const order = '{send, #{name => welcome, args => [#{<<"rooms">> => [lobby, <<"garden">>], n => 1.5}]}}';
      assert.equal(await ask('hive_router', `{act, <<"${socket.id}">>, ${order}}`), 'ok');
      assert.deepEqual(await heard, [{ rooms: ['lobby', 'garden'], n: 1.5 }]);
      assert.equal(await ask('hive_cluster', `{owner, <<"${socket.id}">>}`), `{ok,'${where}'}`);
    }
    assert.match(await ask('hive_router', '{act, <<"nobody">>, []}'), /^\{error,\{bad_session_id,<<"/);
    assert.match(await ask('hive_router', `{act, <<"nobody">>, [{send, self()}]}`), /^\{error,\{bad_request,<<"/);
  });

  test('reads the history of a channel at any node, and forgets it', async () => {
    assert.equal(await ask('hive_pubsub', '{publish, <<"told.a">>, {first, [1]}}'), 'ok');
    assert.equal(await ask('hive_pubsub', '{act, <<"told.a">>, {send, #{name => x, args => []}}}', right), 'ok');
    const read = (query: string, what: string) =>
      erlang.run(
        `(fun() -> {ok, #{<<"entries">> := E, <<"offset">> := O, <<"complete">> := C}} = gen_server:call({hive_pubsub, '${right}'}, {history, <<"told.a">>, ${query}}), ${what} end)()`,
      );
    await eventually(async () => (await read('#{}', 'O')) === '2', 'both');
    assert.equal(await read('#{}', 'C'), 'true');
    const both =
      '[{Name, Args} || #{<<"name">> := Name, <<"args">> := Args} <- E] ++ [A || #{<<"actions">> := [#{<<"action">> := A}]} <- E]';
    assert.equal(await read('#{reverse => true, limit => 5}', both), '[{<<"first">>,[1]},<<"send">>]');
    assert.equal(await read('#{since => 2}', 'E'), '[]');
    assert.equal(await ask('hive_pubsub', '{clear_history, <<"told.a">>}'), 'ok');
    assert.equal(await read('#{}', '{E, O}'), '{[],2}');
    assert.match(await ask('hive_pubsub', '{history, <<"staff.a">>, #{}}'), /^\{error,\{bad_channel_id,<<"/);
    assert.match(await ask('hive_pubsub', '{history, <<"told.a">>, #{limit => 0}}'), /^\{error,\{bad_request,<<"/);
  });

  test('subscribes a client, publishes to it from another node, and takes it off again', async () => {
    const socket = await connect(1);
    assert.equal(await ask('hive_router', `{subscribe, <<"${socket.id}">>, [<<"staff.a">>, 'staff.b']}`), 'ok');
    assert.equal(await ask('hive_pubsub', '{count, staff}', right), '{ok,2}');
    socket.on('pair', (a: unknown, answer: (...args: unknown[]) => void) => answer(a, { n: 1 }));
    const question = `{ask, <<"${socket.id}">>, {pair, [<<"x">>]}, 5000}`;
    assert.equal(await ask('hive_router', question, right), '{ok,[<<"x">>,#{<<"n">> => 1}]}');
    const listed = await ask('hive_router', '{clients, staff, <<>>, 10}', right);
    assert.match(listed, new RegExp(`^\\{ok,\\[\\{<<"${socket.id}">>,\\d{13},false\\}\\]\\}$`));
    const heard = once(socket as never, 'news');
    assert.equal(await ask('hive_pubsub', '{publish, <<"staff.b">>, {news, [1]}}'), 'ok');
    assert.deepEqual(await heard, [1]);
    assert.equal(await ask('hive_router', `{unsubscribe, <<"${socket.id}">>, staff}`), 'ok');
    assert.equal(await ask('hive_pubsub', '{count, staff}', right), '{ok,0}');
  });

  test('tells all sessions of a user, and ends them', async () => {
    const [one, other] = [await connect(0), await connect(1)];
    for (const { id } of [one, other]) {
      assert.equal(await ask('hive_router', `{act, <<"${id}">>, {store, #{id => ann}}}`), 'ok');
      const stored = once((id === one.id ? one : other) as never, 'stored');
      assert.equal(await ask('hive_router', `{send, <<"${id}">>, {stored, []}}`, right), 'ok');
      await stored;
    }
    const listed = await ask('hive_router', '{user_clients, ann, <<>>, 10}', right);
    assert.match(listed, new RegExp(`^\\{ok,\\[\\{<<"${other.id}">>,\\d{13},false\\}\\]\\}$`));
    const heard = [one, other].map((socket) => once(socket as never, 'news'));
    const outcome = await ask('hive_router', '{user_send, ann, {news, [1]}}', right);
    assert.match(outcome, /^\{ok,#\{.*<<"failed">> => \[\].*<<"missing">> => \[\].*<<"sessions">> => 2\}\}$/s);
    assert.deepEqual(await Promise.all(heard), [[1], [1]]);
    const acted = once(one as never, 'done');
    assert.match(await ask('hive_router', '{user_act, ann, {send, #{name => done, args => []}}}'), /sessions">> => 2/);
    await acted;
    const ends = [one, other].map((socket) => once(socket as never, 'disconnect'));
    assert.equal(await ask('hive_router', `{disconnect, <<"${one.id}">>}`, right), 'ok');
    await ends[0];
    assert.match(await ask('hive_router', '{user_disconnect, ann}'), /sessions">> => 1/);
    await ends[1];
  });

  test('monitors a client of any node, and gets DOWN when it leaves', async () => {
    for (const index of [0, 1] as const) {
      const socket = await connect(index);
      const pid = await erlang.run(
        `{ok, Client${index}} = gen_server:call({hive_router, '${left}'}, {whereis, <<"${socket.id}">>}),
         M${index} = monitor(process, Client${index}), node(Client${index})`,
      );
      assert.equal(pid, `'${[left, right][index]}'`);
      // The monitor is there when a later call has been answered.
      await ask('hive_cluster', 'version', [left, right][index]);
      const down = erlang.run(`receive {'DOWN', M${index}, process, Client${index}, Why${index}} -> Why${index} end`);
      socket.disconnect();
      assert.equal(await down, 'normal');
    }
    assert.match(await ask('hive_router', '{whereis, <<"nobody">>}'), /^\{error,\{bad_session_id,<<"/);
  });

  test('counts clients, reads and resets metrics, sees the tree', async () => {
    const before = await ask('hive_router', 'count');
    await connect(0);
    assert.equal(before, '{ok,1}');
    assert.equal(await ask('hive_router', 'count'), '{ok,2}');
    const metric = '#{<<"hive">> := #{<<"router">> := #{<<"current_clients">> := N}}}';
    const [call, under] = [`gen_server:call({hive_monitor, '${left}'}`, '{metrics, <<"hive.router">>}'];
    assert.equal(await erlang.run(`fun() -> {ok, ${metric}} = ${call}, ${under}), N end()`), '2');
    assert.equal(await erlang.run(`fun() -> {ok, ${metric}} = ${call}, metrics), N end()`), '2');
    assert.equal(await ask('hive_monitor', '{reset, <<"hive.router.spawned_clients">>}'), 'ok');
    assert.match(await ask('hive_monitor', '{reset, <<"hive.nothing">>}'), /^\{error,\{bad_monitor_request,/);
    assert.match(await ask('hive_monitor', '{metrics, <<"nothing">>}'), /^\{error,\{bad_monitor_request,/);
    assert.equal(await ask('hive_monitor', '{reset, <<"pubsub.latency">>}'), 'ok');
    const summary = '#{<<"pubsub">> := #{<<"latency">> := #{<<"count">> := 0, <<"p99">> := Ms}}}';
    assert.equal(await erlang.run(`fun() -> {ok, ${summary}} = ${call}, metrics), Ms end()`), '0');
    const root = '#{<<"id">> := Id, <<"children">> := Children}';
    assert.equal(
      await erlang.run(`fun() -> {ok, ${root}} = ${call}, {tree, 1}), {Id, length(Children)} end()`),
      '{<<"hive_root_sup">>,2}',
    );
    for (const request of ['tea', 'undefined', '17', '[]', '{tree, all}']) {
      for (const server of ['hive_monitor', 'hive_router']) {
        assert.match(await ask(server, request), /^\{error,\{bad_(monitor_)?request,/);
      }
    }
  });

  test('casts that fail are a line in the log, without what they carried', async () => {
    const sid = (await connect(0)).id!;
    const cast = (server: string, request: string) => erlang.run(`gen_server:cast({${server}, '${left}'}, ${request})`);
    for (const request of [
      '{act, <<"PAYLOAD">>, []}',
      '{act, PID, [{send, <<"PAYLOAD">>}, {<<"PAYLOAD">>}]}',
      '{subscribe, PID, [<<"PAYLOAD">>]}',
      '{unsubscribe, PID, 17.5}',
      '{<<"PAYLOAD">>, 1}',
      '{make, <<"PAYLOAD">>}',
    ]) {
      await cast('hive_router', request.replace('PID', `<<"${sid}">>`));
    }
    await cast('hive_pubsub', '{publish, <<"PAYLOAD">>, {<<"PAYLOAD">>, [<<"PAYLOAD">>]}}');
    await cast('hive_pubsub', '{act, staff, [<<"PAYLOAD">>]}');
    await cast('hive_pubsub', '{publish, staff, {x, [self(), <<"PAYLOAD">>]}}');
    await cast('hive_monitor', '{reset, <<"PAYLOAD">>}');
    await cast('hive_cluster', '{owner, <<"PAYLOAD">>}');
    await ask('hive_cluster', 'version');
    const lines = () => readFileSync(join(nodes[0]!.directory, 'log', 'hive.log'), 'utf8').split('\n');
    const failed = () => lines().filter((line) => line.includes('of an Erlang process failed'));
    await eventually(() => failed().length >= 9, 'the lines');
    const telling = lines().filter((line) => line.includes('PAYLOAD') || line.includes(sid));
    assert.deepEqual(telling, []);
    assert.ok(failed().some((line) => line.includes('act/2 of an Erlang process failed')));
  });
});
