import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { Router } from '../../../src/actors/router/router.ts';
import { type RouterMessage, routerName } from '../../../src/actors/router/wire-messages.ts';
import { tagOf } from '../../../src/kernel/ids.ts';
import type { Transport } from '../../../src/kernel/transport.ts';
import { HiveError } from '../../../src/observe/errors.ts';
import { ClientEvent } from '../../../src/protocol/packet.ts';
import { Gate } from '../../support/actors.ts';
import { type Clients, type ClientsOptions, FakeSink, fakeMemberships, startClients } from '../../support/clients.ts';
import { eventually } from '../../support/eventually.ts';

const started: Clients[] = [];

async function start(options?: ClientsOptions): Promise<Clients> {
  const clients = await startClients(options);
  started.push(clients);
  return clients;
}

afterEach(() => {
  for (const clients of started.splice(0)) clients.close();
});

const post = (endpoint: string) => ({ hook: 'hp.post', args: { connector: 'backend', endpoint } });
const echo = (name: string) => ({ hook: 'utils.echo', args: { name, args: [] } });
const gone = (clients: Clients, left = 0) =>
  eventually(() => clients.metric('hive.router.current_clients') === left, 'the clients to go');

test('slots are counted in clients, from the handshake to the end', async () => {
  const clients = await start({ hive: { max_client_slots: 2 } });
  const one = await clients.open();
  const { session } = await clients.connect();
  assert.equal(clients.router.refusal()?.code, 'no_slots');
  await assert.rejects(clients.open(), { code: 'no_slots' });
  one.close('connect_timeout');
  await gone(clients, 1);
  assert.equal(clients.router.refusal(), undefined);
  session.close('client_disconnect');
  await gone(clients);
  assert.equal(clients.metric('hive.router.spawned_clients'), 2);
});

test('clients that open at the same time cannot share the last slot', async () => {
  const clients = await start({ hive: { max_client_slots: 1 } });
  const results = await Promise.allSettled([clients.open(), clients.open(), clients.open()]);
  assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected', 'rejected']);
});

test('a disabled router refuses new clients only', async () => {
  const clients = await start();
  const early = await clients.open();
  const { session, sink } = await clients.connect();
  clients.router.disable();
  assert.equal(clients.router.refusal()?.code, 'router_error');
  await assert.rejects(clients.open(), { code: 'router_error' });
  await early.attach(new FakeSink(), 'polling');
  session.receive(new ClientEvent('ping', '[]'));
  await clients.settled(session, sink);
  assert.deepEqual(sink.sent, ['event pong []']);
  clients.router.enable();
  await clients.open();
});

test('a client whose state cannot be opened does not start and leaves no slot taken', async () => {
  const clients = await start({
    hive: { mode: 'production' },
    clients: {
      state: { state_manager: 'sm.redis', initial_value: {}, args: { connector: 'backend', expiration_timeout: 1000 } },
    },
    answer: () => Promise.reject(new HiveError('redis_error', 'secret.example:6379 refused')),
  });
  await assert.rejects(clients.open(), { code: 'internal_error', message: /reference/ });
  assert.equal(clients.metric('hive.router.current_clients'), 0);
  assert.equal(clients.metric('clients.total'), 0);
  assert.equal(clients.metric('clients.states.generic'), 0);
});

test('a client is reached by its session id once its on_connect has begun, and as long as it lives', async () => {
  const gate = new Gate<unknown>();
  const clients = await start({ clients: { hooks: { on_connect: [post('/c')] } }, answer: () => gate.promise });
  const session = await clients.open();
  const unknown = { code: 'bad_session_id' };
  await assert.rejects(clients.router.runActions(session.sid, []), unknown);
  const sink = new FakeSink();
  const attached = session.attach(sink, 'websocket');
  await eventually(() => clients.services.asked.length === 1, 'the back end');
  await clients.router.subscribe(session.sid, ['a.b', 'c']);
  assert.deepEqual([...sink.channels], ['a.b', 'c']);
  await clients.router.unsubscribe(session.sid, ['c']);
  await clients.router.runActions(session.sid, [{ action: 'send', args: { name: 'queued' }, trigger_id: '' }]);
  gate.open({ status: 200, body: '' });
  await attached;
  await clients.settled(session, sink);
  assert.deepEqual(clients.changes, ['join a.b,c private', 'leave c private']);
  assert.deepEqual([...sink.channels], ['a.b']);
  assert.deepEqual(sink.sent, ['event queued []']);
  session.close('transport_closed');
  await gone(clients);
  for (const sid of [session.sid, 'nonsense', '']) await assert.rejects(clients.router.runActions(sid, []), unknown);
  assert.equal(clients.metric('hive.router.errors'), 4);
});

test('what pub-sub refuses is told to the caller, not to the client', async () => {
  const clients = await start({
    memberships: {
      ...fakeMemberships([]),
      join: () => Promise.reject(new HiveError('bad_channel_id', 'no such prefix')),
    },
  });
  const { session, sink } = await clients.connect();
  await assert.rejects(clients.router.subscribe(session.sid, ['x']), { code: 'bad_channel_id' });
  await clients.settled(session, sink);
  assert.deepEqual(sink.sent, []);
});

test('requests for clients of another node go to its router, and its answer comes back', async () => {
  const there = await start();
  const { session, sink } = await there.connect();
  const here = await start({ peers: { [tagOf(there.kernel.node, there.kernel.creation)]: 'there@127.0.0.1' } });
  const seen: string[] = [];
  here.kernel.transport = {
    call(to, message, from) {
      seen.push(`${to.node} ${(message as RouterMessage).type}`);
      there.kernel.whereis<RouterMessage>(routerName)?.call(structuredClone(message) as RouterMessage, from);
    },
  } as Transport;
  await here.router.runActions(session.sid, [{ action: 'send', args: { name: 'far' }, trigger_id: '' }]);
  await here.router.subscribe(session.sid, ['a']);
  await there.settled(session, sink);
  assert.deepEqual(sink.sent, ['event far []']);
  assert.deepEqual(there.changes, ['join a private']);
  const view = JSON.parse(await here.router.view(session.sid));
  assert.deepEqual([view.sid, view.phase, view.protocol, view.state], [session.sid, 'waiting', 'eio4', { nick: null }]);
  session.close('client_disconnect');
  await gone(there);
  await assert.rejects(here.router.unsubscribe(session.sid, ['a']), { code: 'bad_session_id' });
  await assert.rejects(here.router.view(session.sid), { code: 'bad_session_id' });
  assert.deepEqual(
    seen,
    ['act', 'subscribe', 'view', 'unsubscribe', 'view'].map((type) => `there@127.0.0.1 ${type}`),
  );
});

test('a request that makes no sense does not harm the router', async () => {
  const clients = await start();
  const router = clients.kernel.whereis<unknown>(routerName);
  assert.ok(router);
  const nonsense = [null, 5, {}, { type: 'act', sid: 5, orders: [] }, { type: 'kill', sid: 'x', channels: [] }];
  for (const message of nonsense) {
    const answer = new Promise((reply, fail) => clients.kernel.foreign(router, message, { reply, fail }));
    await assert.rejects(answer, { code: 'bad_request' }, JSON.stringify(message));
  }
  assert.equal(clients.metric('hive.router.errors'), nonsense.length);
  const orders = { type: 'act', sid: 'x', orders: [5] };
  assert.equal(
    (await clients.kernel.ask<unknown, { error: string }>(router, orders as never)).error,
    'bad_internal_event',
  );
  assert.equal(clients.kernel.whereis(routerName), router);
});

test('a router that crashes forgets no client', async () => {
  const clients = await start();
  const { session, sink } = await clients.connect();
  clients.router.disable();
  const router = clients.kernel.whereis(routerName);
  assert.ok(router);
  clients.kernel.exit(router, router, 'kill');
  await clients.kernel.run(new Router(clients.router), { name: routerName });
  await clients.settled(session, sink);
  assert.equal(clients.router.refusal()?.code, 'router_error');
  assert.equal(clients.metric('hive.router.msg_queue_length'), 0);
});

test('termination: on_terminate, then clients may leave, and are ended when the time is over', async () => {
  const clients = await start({
    hive: { graceful_termination_timeout: 300 },
    clients: { hooks: { on_terminate: [post('/bye'), echo('leave')], on_disconnect: [post('/gone')] } },
  });
  const stays = await clients.connect();
  const leaves = await clients.connect();
  const unattached = await clients.open();
  const begun = performance.now();
  const done = clients.router.terminate('maintenance');
  assert.equal(clients.router.refusal()?.code, 'router_error');
  await eventually(() => leaves.sink.sent.length > 0, 'on_terminate');
  leaves.session.close('client_disconnect');
  await gone(clients, 1);
  assert.equal(stays.sink.ended, undefined);
  await done;
  await gone(clients);
  assert.ok(performance.now() - begun >= 300);
  assert.equal(stays.sink.ended, 'shutdown');
  assert.deepEqual(stays.sink.sent, ['event leave []']);
  await assert.rejects(unattached.attach(new FakeSink(), 'polling'));
  const asked = clients.services.asked.map(({ request }) => [request.endpoint, JSON.parse(request.body ?? '').trigger]);
  assert.deepEqual(asked.sort(), [
    ['/bye', 'maintenance'],
    ['/bye', 'maintenance'],
    ['/gone', 'client_disconnect'],
    ['/gone', 'shutdown'],
  ]);
});

test('clients without on_terminate hooks are ended at once', async () => {
  const clients = await start({ hive: { graceful_termination_timeout: 60_000 } });
  const { sink } = await clients.connect();
  await clients.router.terminate('shutdown');
  assert.equal(sink.ended, 'shutdown');
  assert.equal(clients.metric('clients.total'), 0);
  await clients.router.terminate('again');
});

test('at the end of the time a client that waits for a back end is cut off', async () => {
  const clients = await start({
    hive: { graceful_termination_timeout: 50 },
    clients: { hooks: { go: [post('/slow')], on_disconnect: [post('/gone')] } },
    answer: ({ request, signal }) =>
      request.endpoint === '/gone'
        ? { status: 204, body: '' }
        : new Promise((_, reject) =>
            signal?.addEventListener('abort', () => reject(new HiveError('http_error', 'aborted'))),
          ),
  });
  const { session, sink } = await clients.connect();
  session.receive(new ClientEvent('go', '[]'));
  await eventually(() => clients.services.asked.length === 1, 'the hook');
  await clients.router.terminate('shutdown');
  await gone(clients);
  assert.deepEqual([sink.ended, sink.sent, clients.services.asked.length], ['shutdown', [], 2]);
});

test('enabling calls a termination off; it never concerns clients that came later', async () => {
  const clients = await start({
    hive: { graceful_termination_timeout: 50 },
    clients: { hooks: { on_terminate: [echo('leave')] } },
  });
  const early = await clients.connect();
  const done = clients.router.terminate('never mind');
  clients.router.enable();
  await done;
  const late = await clients.connect();
  await clients.settled(early.session, early.sink);
  await clients.settled(late.session, late.sink);
  assert.deepEqual([early.sink.sent, late.sink.sent], [['event leave []'], []]);
  assert.deepEqual([early.sink.ended, late.sink.ended], [undefined, undefined]);
});

test('packets of polls and of indirect websockets are counted as routed', async () => {
  for (const [direct, transport, routed] of [
    [true, 'websocket', 0],
    [true, 'polling', 1],
    [false, 'websocket', 1],
  ] as const) {
    const clients = await start({ hive: { direct_websocket: direct } });
    const session = await clients.open();
    await session.attach(new FakeSink(), transport);
    session.receive(new ClientEvent('ping', '[]'));
    assert.equal(clients.metric('hive.router.routed_msgs'), routed);
    session.transport('websocket');
    assert.deepEqual([clients.metric('clients.websocket'), clients.metric('clients.xhr_polling')], [1, 0]);
  }
});
