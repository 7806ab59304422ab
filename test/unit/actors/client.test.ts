import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { Type } from 'typebox';
import type { Delivered } from '../../../src/actors/contracts.ts';
import type { AnyRef, Ref } from '../../../src/kernel/types.ts';
import { HiveError } from '../../../src/observe/errors.ts';
import { countOf } from '../../../src/observe/histogram.ts';
import { definePlugin } from '../../../src/plugins/define-plugin.ts';
import { PluginRegistry } from '../../../src/plugins/registry.ts';
import type { ActionCall, Hook } from '../../../src/plugins/types.ts';
import { ClientEvent, EventPacket } from '../../../src/protocol/packet.ts';
import { Gate, Puppet } from '../../support/actors.ts';
import { type Clients, type ClientsOptions, FakeSink, startClients } from '../../support/clients.ts';
import { eventually } from '../../support/eventually.ts';
import { fc } from '../../support/properties.ts';

let clients: Clients;

async function start(options?: ClientsOptions): Promise<Clients> {
  clients = await startClients(options);
  return clients;
}

afterEach(() => clients.close());

const event = (name: string, args: unknown[] = [], id?: number) => new ClientEvent(name, JSON.stringify(args), id);
const post = (endpoint: string) => ({ hook: 'hp.post', args: { connector: 'backend', endpoint } });
const put = (endpoint: string) => ({ hook: 'hp.put', args: { connector: 'backend', endpoint } });
const echo = (name: string) => ({ hook: 'utils.echo', args: { name, args: [] } });
const send = (name: string) => ({ action: 'send', args: { name, args: [] } });
const answer = (orders: unknown) => ({ status: 200, body: JSON.stringify(orders) });

/** The built-in plugins and a hook named `test` that does what it is told. */
function withHook(run: Hook): PluginRegistry {
  const registry = new PluginRegistry();
  registry.add(definePlugin({ hooks: { test: { args: Type.Unknown(), create: () => run } } }), 'the test');
  return registry;
}

test('hooks of an event run in order, and what they send arrives in that order', async () => {
  await start({
    clients: { hooks: { go: [echo('a'), post('/x'), echo('d')] } },
    answer: () =>
      answer([send('b'), { action: 'store', args: { k: 1 } }, { action: 'store', args: { k: 2 } }, send('c')]),
  });
  const { session, sink } = await clients.connect();
  session.receive(event('go', [1], 5));
  session.receive(event('ping'));
  await clients.settled(session, sink);
  assert.deepEqual(sink.sent, [
    'ack 5 []',
    'event a []',
    'event b []',
    'event c []',
    'ack 5 []',
    'event d []',
    'event pong []',
  ]);
  session.receive(event('go'));
  await clients.settled(session, sink);
  const timed = (path: string) => countOf(clients.services.metrics.histogram(`clients.hooks.${path}`).value());
  assert.deepEqual(['go.latency', 'ping.latency', 'latency'].map(timed), [2, 1, 3]);
  assert.match(clients.services.asked[1]?.request.body ?? '', /"state":\{"nick":null,"k":2\}/);
  assert.equal(clients.metric('clients.hooks.go.calls'), 6);
});

test('an error ends its list of hooks, keeps what was sent before, and the client lives on', async () => {
  await start({
    clients: { hooks: { go: [echo('a'), post('/x'), echo('never')] } },
    answer: () => answer([send('b'), { action: 'error', args: 'no' }, send('never')]),
  });
  const { session, sink } = await clients.connect();
  session.receive(event('go'));
  session.receive(event('ping'));
  await clients.settled(session, sink);
  assert.deepEqual(sink.sent, [
    'event a []',
    'event b []',
    'event hive_error [{"error":"internal_error","description":"no"}]',
    'event pong []',
  ]);
  assert.equal(clients.metric('clients.events.external_errors'), 1);
  assert.equal(clients.metric('clients.hooks.go.errors'), 1);
  assert.equal(clients.metric('clients.errors'), 1);
});

test('in production errors are hidden behind a reference that is in the log', async () => {
  await start({
    clients: { hooks: { go: [post('/x')] } },
    hive: { mode: 'production' },
    answer: () => ({ status: 500 }),
  });
  const { session, sink } = await clients.connect();
  session.receive(event('go'));
  await clients.settled(session, sink);
  const [error] = sink.errors;
  assert.equal(error?.error, 'internal_error');
  const [, reference] = /reference (\w+)/.exec(error?.description ?? '') ?? [];
  const line = clients.kernel.lines.find(({ fields }) => fields?.reference === reference);
  assert.deepEqual(
    [line?.fields?.error, line?.fields?.description],
    ['http_error', 'The back end answered /x with 500.'],
  );
  assert.ok(!JSON.stringify(clients.kernel.lines).includes(session.sid), 'a log shows session ids shortened');
});

test('action.stop tells the client and ends it', async () => {
  await start({
    clients: { hooks: { go: [post('/x')], on_disconnect: [post('/bye')] } },
    answer: ({ request }) =>
      answer(request.endpoint === '/x' ? [send('a'), { action: 'stop', args: 'ciao' }, send('b')] : []),
  });
  const { session, sink } = await clients.connect();
  session.receive(event('go'));
  session.receive(event('ping'));
  await eventually(() => clients.metric('hive.router.current_clients') === 0, 'the end');
  assert.equal(sink.ended, 'stopped');
  assert.deepEqual(sink.sent, ['event a []', 'event hive_error [{"error":"stopped","description":"ciao"}]']);
  assert.deepEqual(
    clients.services.asked.map(({ request }) => request.endpoint),
    ['/x', '/bye'],
  );
});

test('a crash of a hook ends the client, and on_disconnect runs with the last state', async () => {
  const registry = withHook(() => {
    throw new TypeError('boom');
  });
  await start({ registry, clients: { hooks: { go: [{ hook: 'test', args: null }], on_disconnect: [post('/bye')] } } });
  const { session, sink } = await clients.connect();
  await clients.router.runActions(session.sid, [{ action: 'store', args: { nick: 'ann' }, trigger_id: '' }]);
  session.receive(event('go'));
  await eventually(() => clients.metric('hive.router.current_clients') === 0, 'the end');
  assert.equal(sink.ended, 'internal_error');
  assert.equal(clients.services.asked.length, 1);
  assert.match(clients.services.asked[0]?.request.body ?? '', /"nick":"ann"/);
  assert.equal(clients.kernel.count('crashes'), 1);
  assert.equal(clients.metric('clients.total'), 0);
});

test('on_connect replies reach the client, whose connection is told when it is accepted', async () => {
  const gate = new Gate<unknown>();
  await start({ clients: { hooks: { on_connect: [echo('a'), post('/c')] } }, answer: () => gate.promise });
  const session = await clients.open();
  const sink = new FakeSink();
  const attached = session.attach(sink, 'websocket');
  await eventually(() => clients.services.asked.length === 1, 'the back end');
  assert.equal(clients.metric('clients.states.transient'), 1);
  assert.ok(clients.metric('clients.websocket') === 1 && clients.metric('clients.states.generic') === 0);
  gate.open(answer([send('b')]));
  await attached;
  assert.deepEqual(sink.sent, ['event a []', 'event b []']);
  assert.equal(clients.metric('clients.states.waiting'), 1);
});

test('a client that its first hook in on_connect refuses never was: no on_disconnect, its slot is free, its state forgotten', async () => {
  let reply: unknown = [{ action: 'stop', args: 'bad token' }];
  await start({
    clients: { hooks: { on_connect: [post('/c')], on_disconnect: [post('/bye')] } },
    hive: { mode: 'production' },
    answer: () => answer(reply),
  });
  await assert.rejects(clients.connect(), { code: 'stopped', message: 'bad token' });
  reply = [{ action: 'error', args: 'secret' }];
  await assert.rejects(clients.connect(), { code: 'internal_error', message: /^Internal server error \(reference/ });
  await eventually(() => clients.metric('hive.router.current_clients') === 0, 'the ends');
  assert.deepEqual(
    clients.services.asked.map(({ request }) => request.endpoint),
    ['/c', '/c'],
  );
  assert.equal(clients.metric('clients.state_mgr.cleanup'), 2);
  assert.equal(clients.metric('clients.websocket'), 0);
});

test('a crash in on_connect refuses the client, and on_disconnect runs', async () => {
  const registry = withHook(() => {
    throw new TypeError('boom');
  });
  await start({
    registry,
    clients: { hooks: { on_connect: [{ hook: 'test', args: null }], on_disconnect: [post('/bye')] } },
  });
  await assert.rejects(clients.connect(), { code: 'internal_error' });
  await eventually(() => clients.metric('hive.router.current_clients') === 0, 'the end');
  assert.equal(clients.services.asked.length, 1);
});

test('on_disconnect runs exactly once, after what the client sent before it left', async () => {
  const gate = new Gate<unknown>();
  await start({
    clients: { hooks: { go: [post('/go')], on_disconnect: [put('/rooms'), put('/nick')] } },
    answer: ({ request }) => (request.endpoint === '/go' ? gate.promise : answer([])),
  });
  const { session } = await clients.connect();
  session.receive(event('go'));
  session.receive(event('go'));
  session.close('client_disconnect');
  session.close('transport_closed');
  session.receive(event('go'));
  gate.open(answer([{ action: 'store', args: { nick: 'ann' } }]));
  await eventually(() => clients.services.asked.length === 4, 'the farewell');
  await eventually(() => clients.metric('hive.router.current_clients') === 0, 'the end');
  assert.deepEqual(
    clients.services.asked.map(({ request }) => request.endpoint),
    ['/go', '/go', '/rooms', '/nick'],
  );
  assert.match(clients.services.asked[3]?.request.body ?? '', /"nick":"ann"/);
  assert.equal(clients.metric('clients.states.waiting'), 0);
});

test('a failing farewell is logged and the state is forgotten all the same', async () => {
  await start({
    clients: { departure_retry: 0, hooks: { on_disconnect: [post('/bye')] } },
    answer: () => Promise.reject(new HiveError('http_error', 'refused')),
  });
  const { session } = await clients.connect();
  session.close('client_disconnect');
  await eventually(() => clients.metric('hive.router.current_clients') === 0, 'the end');
  assert.ok(
    clients.kernel.lines.some(({ message, fields }) => /on_disconnect/.test(message) && fields?.error === 'http_error'),
  );
  assert.equal(clients.metric('clients.state_mgr.cleanup'), 1);
});

test('a supervisor that stops a client during a hook cuts the hook off, and on_disconnect runs', async () => {
  await start({
    clients: { hooks: { go: [echo('a'), post('/go'), echo('never')], on_disconnect: [post('/bye')] } },
    answer: ({ request, signal }) =>
      request.endpoint === '/bye'
        ? answer([send('unheard')])
        : new Promise((_, reject) =>
            signal?.addEventListener('abort', () => reject(new HiveError('http_error', 'aborted'))),
          ),
  });
  const { session, sink } = await clients.connect();
  session.receive(event('go'));
  await eventually(() => clients.services.asked.length === 1, 'the hook');
  clients.supervisor.tell({ type: 'terminate_child', child: await clients.pid() });
  await eventually(() => clients.metric('hive.router.current_clients') === 0, 'the end');
  assert.deepEqual(
    clients.services.asked.map(({ request }) => request.endpoint),
    ['/go', '/bye'],
  );
  assert.deepEqual(sink.sent, ['event a []']);
  assert.equal(sink.ended, 'shutdown');
});

test('a client that is killed leaves no connection behind', async () => {
  await start();
  const { session, sink } = await clients.connect();
  const client = await clients.pid();
  clients.kernel.exit(clients.supervisor, client, 'kill');
  assert.equal(sink.ended, 'internal_error');
  assert.equal(clients.metric('clients.total'), 0);
  assert.equal(clients.metric('hive.router.current_clients'), 0);
  await assert.rejects(clients.router.runActions(session.sid, []), { code: 'bad_session_id' });
});

test('the names of the special events are reserved', async () => {
  await start({
    clients: { hooks: { on_connect: [echo('hello')], go: [post('/go')] } },
    answer: () => answer({ action: 'dispatch', args: { name: 'on_terminate' } }),
  });
  const { session, sink } = await clients.connect();
  for (const name of ['on_connect', 'on_disconnect', 'on_terminate', 'go']) session.receive(event(name));
  await clients.settled(session, sink);
  assert.deepEqual(
    sink.errors.map(({ error }) => error),
    Array(4).fill('bad_external_event'),
  );
  assert.equal(sink.sent[0], 'event hello []');
  assert.equal(sink.sent.length, 5);
});

test('events may dispatch each other, but not endlessly', async () => {
  const orders = (name: string) => answer([{ action: 'dispatch', args: { name, args: [1] }, trigger_id: '3+' }]);
  await start({
    clients: { hooks: { loop: [post('/loop')], once: [post('/once')], end: [{ hook: 'utils.echo', args: null }] } },
    answer: ({ request }) => orders(request.endpoint === '/loop' ? 'loop' : 'end'),
  });
  const { session, sink } = await clients.connect();
  session.receive(event('loop'));
  session.receive(event('once'));
  await clients.settled(session, sink);
  assert.deepEqual(
    sink.errors.map(({ error }) => error),
    ['dispatch_too_deep'],
  );
  assert.equal(clients.services.asked.length, 18);
  assert.deepEqual(sink.sent.slice(1), ['ack 3 [1]', 'event end [1]']);
});

test('hooks may be added and removed for one client, behind those that are there', async () => {
  await start();
  const one = await clients.connect();
  const other = await clients.connect();
  const act = (action: string, args: unknown) =>
    clients.router.runActions(one.session.sid, [{ action, args, trigger_id: '' }]);
  await act('add', { ping: [echo('again')], bye: [echo('bye')] });
  await act('add', { bye: [echo('never')], ping: [{ hook: 'nonsense', args: 1 }] });
  for (const name of ['ping', 'bye']) one.session.receive(event(name));
  other.session.receive(event('bye'));
  other.session.receive(event('ping'));
  await clients.settled(one.session, one.sink);
  await clients.settled(other.session, other.sink);
  assert.deepEqual(
    one.sink.errors.map(({ error }) => error),
    ['plugins_error'],
  );
  assert.deepEqual(one.sink.sent.slice(1), ['event pong []', 'event again []', 'event bye []']);
  assert.deepEqual(other.sink.sent, ['event pong []']);
  await act('remove', ['ping', 'unknown']);
  one.session.receive(event('ping'));
  await clients.settled(one.session, one.sink);
  assert.equal(one.sink.sent.length, 4);
});

test('what a hook does after its client was killed has no effect', async () => {
  const gate = new Gate();
  const done = new Gate<unknown>();
  const registry = withHook(async (client) => {
    await gate.promise;
    client.send(new EventPacket('zombie', '[]'));
    await client.subscribe(['a'], 'public');
    let state: unknown;
    try {
      state = client.state;
    } catch (error) {
      state = error;
    }
    done.open(state);
  });
  await start({ registry, clients: { hooks: { go: [{ hook: 'test', args: null }] } } });
  const { session, sink } = await clients.connect();
  session.receive(event('go'));
  const client = await clients.pid();
  await eventually(() => clients.kernel.inspect(client)?.status === 'waiting', 'the hook');
  clients.kernel.exit(clients.supervisor, client, 'kill');
  gate.open();
  const state = await done.promise;
  assert.ok(state instanceof HiveError && state.code === 'stopped');
  assert.deepEqual(sink.sent, []);
  assert.deepEqual(clients.changes, []);
});

test('published actions are performed in turn and answered, also when they fail', async () => {
  await start();
  const { session, sink } = await clients.connect();
  await clients.router.subscribe(session.sid, ['a']);
  const channel = new Puppet();
  const ref = (await clients.kernel.run(channel)) as AnyRef as Ref<Delivered>;
  const client = await clients.pid();
  const deliver = (orders: ActionCall[], packets?: EventPacket[]) =>
    client.tell({ type: 'published', actions: orders, packets, channel: ref, channelId: 'room', id: undefined });
  const order = (action: string, args: unknown) => ({ action, args, trigger_id: '' });
  deliver([order('send', { name: 'a' }), order('store', { x: 1 })]);
  deliver([], [new EventPacket('b', '[]')]);
  deliver([order('nonsense', 1)]);
  await clients.settled(session, sink);
  assert.deepEqual(sink.sent.slice(0, 2), ['event a []', 'event b []']);
  assert.deepEqual(
    sink.errors.map(({ error }) => error),
    ['bad_internal_event'],
  );
  assert.equal(clients.metric('clients.events.internal_errors'), 1);
});

test('nameless messages run the hooks of the event message, if there are any', async () => {
  await start({ clients: { hooks: { message: [{ hook: 'utils.echo', args: null }] } } });
  const { session, sink } = await clients.connect();
  session.receive({ type: 'message', data: 'hi', json: false });
  session.receive({ type: 'ack', id: 1, args: [] });
  await clients.settled(session, sink);
  assert.deepEqual(sink.sent, ['event message ["hi"]']);
});

test('messages that nothing is done with, and what the connection rejects, are answered with an error', async () => {
  await start();
  const { session, sink } = await clients.connect();
  session.receive({ type: 'message', data: 'hi', json: false });
  session.reject(new HiveError('bad_external_event', 'no name'));
  await clients.settled(session, sink);
  assert.deepEqual(
    sink.errors.map(({ error }) => error),
    ['client_error', 'bad_external_event'],
  );
});

test('a client that sends faster than its hooks run is told once, and what is too much is dropped', async () => {
  const gate = new Gate<unknown>();
  await start({ clients: { hooks: { go: [post('/go')] } }, answer: () => gate.promise });
  const { session, sink } = await clients.connect();
  session.receive(event('go'));
  await eventually(() => clients.services.asked.length === 1, 'the hook');
  for (let sent = 0; sent < 1500; sent += 1) session.receive(event('ping'));
  gate.open(answer([]));
  await clients.settled(session, sink);
  assert.equal(sink.sent.filter((packet) => packet === 'event pong []').length, 1000);
  assert.deepEqual(
    sink.errors.map(({ error }) => error),
    ['overloaded'],
  );
  session.receive(event('ping'));
  await clients.settled(session, sink);
  assert.equal(sink.sent.at(-1), 'event pong []');
});

test('a client that is told to end during on_connect is not refused, so that its library tries another node', async () => {
  await start({
    clients: { hooks: { on_connect: [post('/c')], on_disconnect: [post('/d')] } },
    answer: ({ request, signal }) =>
      request.endpoint === '/d'
        ? answer([])
        : new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new HiveError('connector_error')))),
  });
  const session = await clients.open();
  const sink = new FakeSink();
  let endedAs: unknown;
  const attached = session.attach(sink, 'websocket').catch(() => (endedAs = sink.ended));
  await eventually(() => clients.services.asked.length === 1, 'on_connect');
  await clients.kernel.stop(clients.supervisor, 'shutdown');
  await attached;
  assert.equal(endedAs, 'shutdown');
  assert.equal(clients.metric('clients.errors'), 0);
  // The back end has the request, and may believe that the client is there.
  assert.deepEqual(
    clients.services.asked.map(({ request }) => request.endpoint),
    ['/c', '/d'],
  );
});

test('a burst of packets is handled to the last one if nothing has to be waited for', async () => {
  await start();
  const { session, sink } = await clients.connect();
  for (let sent = 0; sent < 10_000; sent += 1) session.receive(event('ping'));
  await clients.settled(session, sink);
  assert.equal(sink.sent.filter((packet) => packet === 'event pong []').length, 10_000);
  assert.deepEqual(sink.errors, []);
});

test('a synchronous hook makes no promise: its answer is there within one turn of the actor', async () => {
  await start();
  const { session, sink } = await clients.connect();
  for (let sent = 0; sent < 50; sent += 1) session.receive(event('ping'));
  assert.equal(sink.sent.length, 0);
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  assert.equal(sink.sent.length, 50);
});

test('whatever hooks wait for, a client is served in the order of its packets', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(3), { maxLength: 30 }), async (waits) => {
      const registry = withHook((client, { event }) => {
        const [number, turns] = event!.args as [number, number];
        const answer = () => client.send(new EventPacket('done', `[${number}]`));
        if (turns === 0) return answer();
        return (async () => {
          for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
          answer();
        })();
      });
      await start({
        registry,
        clients: { hooks: { go: [{ hook: 'test', args: null }, echo('next')], on_disconnect: [post('/bye')] } },
      });
      const { session, sink } = await clients.connect();
      for (const [number, turns] of waits.entries()) session.receive(event('go', [number, turns]));
      await clients.settled(session, sink);
      assert.deepEqual(
        sink.sent,
        waits.flatMap((_, number) => [`event done [${number}]`, 'event next []']),
      );
      session.close('client_disconnect');
      await eventually(() => clients.metric('hive.router.current_clients') === 0, 'the end');
      assert.equal(clients.services.asked.length, 1);
      clients.close();
    }),
    { numRuns: 30 },
  );
});
