/** What tools of the BEAM ask every process for, asked of actors of ours. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { DynamicSupervisor } from '../../src/supervisors/dynamic-supervisor.ts';
import { Supervisor } from '../../src/supervisors/supervisor.ts';
import { Gate, Puppet } from '../support/actors.ts';
import { spawnProbe, startEpmd, startTestNode } from '../support/cluster.ts';
import { startErlang } from '../support/erlang.ts';
import { missing } from '../support/programs.ts';

const skip = missing('erl');

async function both(t: TestContext) {
  const epmdPort = await startEpmd(t);
  const { kernel, distribution, metrics } = await startTestNode(t, 'h@127.0.0.1', { epmdPort });
  const erlang = await startErlang(t, 'e@127.0.0.1', { epmdPort });
  await distribution.connect('e@127.0.0.1');
  return { kernel, erlang, metrics };
}

test('supervisor:which_children and count_children', { skip }, async (t) => {
  const { kernel, erlang } = await both(t);
  const children = [
    { id: 'worker', start: () => new Puppet() },
    { id: 'sup', type: 'supervisor', start: () => new DynamicSupervisor() } as const,
    { id: 'gone', restart: 'transient', start: () => new Puppet() } as const,
  ];
  const sup = await kernel.spawn(new Supervisor({ children }), { name: 'sup' });
  await kernel.ask(sup!, { type: 'terminate_child', child: 'gone' });
  assert.equal(
    await erlang.run(`
      Sup = {sup, 'h@127.0.0.1'},
      [{<<"worker">>, Worker, worker, []}, {<<"sup">>, Below, supervisor, []}, {<<"gone">>, undefined, worker, []}] =
        supervisor:which_children(Sup),
      {node(Worker), supervisor:which_children(Below)}`),
    `{'h@127.0.0.1',[]}`,
  );
  assert.equal(
    await erlang.run('lists:sort(supervisor:count_children(Sup))'),
    '[{active,2},{specs,3},{supervisors,1},{workers,2}]',
  );
});

test('sys:get_state and get_status show what an inspection shows', { skip }, async (t) => {
  const { kernel, erlang } = await both(t);
  await kernel.spawn(new Puppet(), { name: 'puppet', label: 'a puppet' });
  const release = Number(await erlang.run('list_to_integer(erlang:system_info(otp_release))'));
  const state = '#{<<"seen">> => 0}';
  assert.equal(await erlang.run(`sys:get_state({puppet, 'h@127.0.0.1'})`), release < 27 ? `{ok,${state}}` : state);
  assert.equal(
    await erlang.run(`
      {status, Pid, {module, hive}, [[], running, Pid, [], [{header, Label}, {data, Data}]]} =
        sys:get_status({puppet, 'h@127.0.0.1'}),
      #{<<"status">> := Status} = proplists:get_value(<<"Status">>, Data),
      {Label, Status}`),
    '{<<"a puppet">>,<<"running">>}',
  );
  assert.match(await erlang.run(`catch sys:get_state({nobody, 'h@127.0.0.1'})`), /noproc/);
});

test('gen_server:stop lets an actor say good-bye', { skip }, async (t) => {
  const { kernel, erlang } = await both(t);
  const farewell = new Gate();
  const puppet = new Puppet({ traps: true, terminate: () => farewell.open() });
  const ref = await kernel.spawn(puppet, { name: 'puppet' });
  const end = new Promise((resolve) => kernel.onExit(ref!, resolve));
  assert.equal(await erlang.run(`gen_server:stop({puppet, 'h@127.0.0.1'}, shutdown, 5000)`), 'ok');
  await farewell.promise;
  assert.equal(await end, 'shutdown');
});

// A call of what nobody understands waited for its time-out, or crashed its callee.
test('every call is answered, whoever it is for and whatever it asks', { skip }, async (t) => {
  const { kernel, erlang, metrics } = await both(t);
  const names = ['sup', 'puppet', 'probe', 'net_kernel'];
  const sup = await kernel.spawn(new Supervisor({ children: [] }), { name: 'sup' });
  const puppet = await kernel.spawn(new Puppet(), { name: 'puppet' });
  const { ref: probe } = await spawnProbe(kernel, 'probe', (_message, from) => from.reply({ no: () => 'term' }));
  const asked = ['null', 'undefined', 'x', '17', '{}', '[]', '#{}', '#{type => <<"try_again">>}', '{start_child, x}'];
  for (const name of names) {
    for (const request of asked) {
      const answer = await erlang.run(`gen_server:call({${name}, 'h@127.0.0.1'}, ${request})`);
      const code = name === 'probe' && !/^(null|undefined)$/.test(request) ? 'internal_error' : 'bad_request';
      assert.match(answer, new RegExp(`^\\{error,\\{${code},<<"`), `${name} ${request}`);
    }
    await erlang.run(`gen_server:cast({${name}, 'h@127.0.0.1'}, null), {${name}, 'h@127.0.0.1'} ! undefined`);
  }
  assert.match(await erlang.run(`sys:suspend({puppet, 'h@127.0.0.1'})`), /^\{error,\{bad_request,/);
  await erlang.run(`gen_server:call({puppet, 'h@127.0.0.1'}, sync)`);
  for (const [name, ref] of Object.entries({ sup, puppet, probe })) assert.equal(kernel.whereis(name), ref);
  assert.equal(metrics.counter('hive.actors.crashes').value, 0);
});
