/** Sessions without a connection: how they wait, are taken up again, and end. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { Type } from 'typebox';
import { definePlugin } from '../../../../src/plugins/define-plugin.ts';
import { PluginRegistry } from '../../../../src/plugins/registry.ts';
import { ClientEvent } from '../../../../src/protocol/packet.ts';
import {
  type ClientHandle,
  type CloseReason,
  closeReasons,
  recoverableReasons,
} from '../../../../src/web/client/client-handle.ts';
import { Gate } from '../../../support/actors.ts';
import { type Clients, type ClientsOptions, FakeSink, startClients } from '../../../support/clients.ts';
import { eventually } from '../../../support/eventually.ts';
import { positionIn } from '../../../support/session-store-suite.ts';

let clients: Clients;

const recovery = { window: 60_000, max_bytes: 1_000_000 };
const post = (endpoint: string) => ({ hook: 'hp.post', args: { connector: 'backend', endpoint } });
const lifeHooks = Object.fromEntries(
  ['on_suspend', 'on_recover', 'on_disconnect', 'on_terminate'].map((name) => [name, [post(`/${name}`)]]),
);
const event = (name: string) => new ClientEvent(name, '[]');
const send = (name: string) => ({ action: 'send', args: { name, args: [] }, trigger_id: '' });
const answer = (actions: unknown) => ({ status: 200, body: JSON.stringify(actions) });

async function start({ clients: more, ...options }: ClientsOptions = {}): Promise<Clients> {
  clients = await startClients({
    ...options,
    clients: { recovery, ...more, hooks: { ...lifeHooks, ...more?.hooks } },
  });
  return clients;
}

afterEach(() => clients.close());

/** What the back end was told: `on_suspend "ping_timeout"`. */
function told(): string[] {
  return clients.services.asked.flatMap(({ request: { endpoint, body } }) => {
    const { trigger } = JSON.parse(body ?? '{}') as { trigger?: unknown };
    return endpoint.startsWith('/on_') ? [`${endpoint.slice(1)} ${JSON.stringify(trigger)}`] : [];
  });
}

const toldOf = (...expected: string[]) =>
  eventually(() => told().length >= expected.length, `${expected}`).then(() => assert.deepEqual(told(), expected));
const metric = (name: string) => clients.metric(`clients.${name}`);
const gone = () => eventually(() => metric('total') === 0, 'the end of the client');

const pidOf = ({ sid }: ClientHandle) => clients.router.recovery!.pidOf(sid, '/');

/** The position of what the client was sent last. */
const lastOf = ({ tails }: FakeSink) => positionIn(tails.at(-1)!);

function take(session: ClientHandle, offset?: unknown) {
  return clients.router.recovery!.take({ pid: pidOf(session), offset }, '/');
}

/** A return that succeeds: a new connection, with what was missed. */
function comeBack(
  session: ClientHandle,
  offset?: unknown,
): { session: ClientHandle; sink: FakeSink; missed: string[] } {
  const taken = take(session, offset);
  assert(taken, 'recovered');
  const sink = new FakeSink();
  for (const { packet, tail } of taken.missed) sink.send(packet, tail);
  const missed = [...sink.sent];
  taken.client.resume(sink, 'websocket');
  return { session: taken.client, sink, missed };
}

/** So many events are kept. */
const kept = (count: number) =>
  eventually(() => metric('recovery.journal.entries') === count, `${count} events that are kept`);

/** A client that has lost its connection. */
async function suspended(reason: CloseReason = 'transport_closed'): Promise<{ session: ClientHandle; sink: FakeSink }> {
  const client = await clients.connect();
  client.session.close(reason, true);
  return client;
}

test('a session waits without its connection, and its client gets what it has missed', async () => {
  await start();
  const { session, sink } = await clients.connect();
  await clients.router.runActions(session.sid, [send('1')]);
  await clients.settled(session, sink);
  const first = positionIn(sink.tails[0]!);
  session.close('ping_timeout', true);
  assert.deepEqual([metric('states.suspended'), metric('states.waiting'), metric('total')], [1, 0, 1]);
  assert.equal(metric('websocket'), 0);
  await clients.router.runActions(session.sid, [send('2'), send('3')]);
  await kept(4);
  const back = comeBack(session, first);
  assert.equal(back.session.sid, session.sid);
  // `settled` has sent one as well.
  assert.deepEqual(back.missed, ['event settled []', 'event 2 []', 'event 3 []']);
  await clients.router.runActions(session.sid, [send('4')]);
  await clients.settled(back.session, back.sink);
  assert.equal(back.sink.sent.at(-1), 'event 4 []');
  assert.deepEqual([metric('states.suspended'), metric('states.waiting'), metric('websocket')], [0, 1, 1]);
  assert.deepEqual([metric('recovery.recovered'), metric('recovery.events')], [1, 3]);
  assert.match(told().join(), /^on_suspend "ping_timeout",on_recover {"away_ms":\d+}$/);
});

test('it can be taken up again any number of times, at once after the last', async () => {
  await start();
  let { session, sink } = await clients.connect();
  for (let round = 1; round <= 5; round += 1) {
    session.close('transport_closed', true);
    const back = comeBack(session);
    assert.deepEqual(back.missed, []);
    ({ session, sink } = back);
  }
  await clients.router.runActions(session.sid, [send('1')]);
  await clients.settled(session, sink);
  const position = positionIn(sink.tails[0]!);
  for (let round = 1; round <= 3; round += 1) {
    session.close('transport_closed', true);
    ({ session } = comeBack(session, position));
  }
  session.close('transport_closed', true);
  await clients.router.runActions(session.sid, [send('2')]);
  await kept(3);
  assert.deepEqual(comeBack(session, position).missed, ['event settled []', 'event 2 []']);
  assert(!told().some((line) => line.startsWith('on_disconnect')));
});

// Who is fenced departs elsewhere.
for (const reason of (Object.keys(closeReasons) as CloseReason[]).filter((reason) => reason !== 'node_lost')) {
  const isKept = recoverableReasons.has(reason);
  test(`a connection that ends as ${reason} ${isKept ? 'leaves its session' : 'takes its session along'}`, async () => {
    await start();
    const { session } = await suspended(reason);
    if (isKept) return toldOf(`on_suspend "${reason}"`);
    assert.equal(take(session), undefined);
    assert.equal(metric('recovery.ended'), 1);
    await gone();
    assert.deepEqual(told(), [`on_disconnect "${reason}"`]);
  });
}

test('nobody who has not been told its pid can come back: the session ends at once', async () => {
  await start();
  const { session } = await clients.connect();
  session.close('transport_closed', false);
  assert.equal(take(session), undefined);
  await gone();
  assert.deepEqual(told(), ['on_disconnect "transport_closed"']);
});

test('a session that nobody takes up ends when the window is over, for the reason of the loss', async () => {
  await start({ clients: { recovery: { ...recovery, window: 30 } } });
  const { session } = await suspended('ping_timeout');
  await gone();
  assert.deepEqual(told(), ['on_suspend "ping_timeout"', 'on_disconnect "ping_timeout"']);
  assert.equal(take(session), undefined);
  assert.equal(clients.router.clients, 0);
});

test('hooks that run when the connection is lost go on, and what they send is kept', async () => {
  const gate = new Gate<unknown>();
  await start({
    clients: { hooks: { go: [post('/go'), { hook: 'utils.echo', args: { name: 'done', args: [] } }] } },
    answer: ({ request }) => (request.endpoint === '/go' ? gate.promise : answer([])),
  });
  const { session } = await clients.connect();
  session.receive(event('go'));
  session.receive(event('ping'));
  session.close('transport_closed', true);
  gate.open(answer([send('answer')]));
  await toldOf('on_suspend "transport_closed"');
  await kept(3);
  assert.deepEqual(comeBack(session).missed, ['event answer []', 'event done []', 'event pong []']);
});

test('the API reaches it: actions, subscriptions, what operators see', async () => {
  await start();
  const { session, sink } = await clients.connect();
  await clients.router.subscribe(session.sid, ['old', 'left']);
  session.close('transport_closed', true);
  await clients.router.subscribe(session.sid, ['new']);
  await clients.router.unsubscribe(session.sid, ['left']);
  await clients.router.runActions(session.sid, [send('1')]);
  const view = JSON.parse(await clients.router.view(session.sid));
  assert.deepEqual([view.phase, view.transport], ['suspended', null]);
  await clients.router.whereis(session.sid);
  await kept(1);
  const back = comeBack(session);
  assert.deepEqual(back.missed, ['event 1 []']);
  assert.deepEqual([...back.sink.channels], ['old', 'new']);
  assert.deepEqual([...sink.channels], ['old', 'left']);
});

test('acknowledgements and events that want one are not kept', async () => {
  await start();
  const { session } = await suspended();
  await clients.router.runActions(session.sid, [
    { action: 'ack', args: [1], trigger_id: '5+' },
    { action: 'send', args: { name: 'ask', args: [] }, trigger_id: '6+' },
    send('kept'),
  ]);
  await kept(1);
  assert.deepEqual(comeBack(session).missed, ['event kept []']);
});

test('an action may stop it', async () => {
  await start();
  const { session } = await suspended();
  await clients.router.runActions(session.sid, [{ action: 'stop', args: 'enough', trigger_id: '' }]);
  await gone();
  assert.deepEqual(told(), ['on_suspend "transport_closed"', 'on_disconnect "stopped"']);
  assert.equal(take(session), undefined);
  assert.deepEqual([metric('states.suspended'), metric('recovery.ended')], [0, 1]);
});

test('one that crashes is told of as any other', async () => {
  const registry = new PluginRegistry();
  const create = () => () => {
    throw new TypeError('a bug');
  };
  registry.add(definePlugin({ hooks: { crash: { args: Type.Unknown(), create } } }), 'the test');
  await start({ registry, clients: { hooks: { go: [{ hook: 'crash', args: null }] } } });
  const { session } = await suspended();
  await clients.router.runActions(session.sid, [
    { action: 'dispatch', args: { name: 'go', args: [] }, trigger_id: '' },
  ]);
  await gone();
  assert.deepEqual(told(), ['on_suspend "transport_closed"', 'on_disconnect "internal_error"']);
  assert.equal(take(session), undefined);
});

test('one that is killed is forgotten, with its slot and its timer', async () => {
  await start();
  const { session } = await suspended();
  const pid = await clients.pid();
  clients.kernel.exit(pid, pid, 'kill');
  await gone();
  assert.deepEqual([metric('states.suspended'), clients.router.clients], [0, 0]);
  assert.equal(take(session), undefined);
});

test('when clients are asked to leave it ends at once, for the reason of the loss', async () => {
  await start();
  await suspended('ping_timeout');
  await clients.router.terminate('maintenance');
  await gone();
  assert.deepEqual(told(), ['on_suspend "ping_timeout"', 'on_disconnect "ping_timeout"']);
});

test('a graceful stop ends it, and waits for its departure', async () => {
  await start();
  await suspended();
  await clients.router.close('bye');
  assert.deepEqual(told(), ['on_suspend "transport_closed"', 'on_disconnect "transport_closed"']);
});

test('who comes back while the former connection looks alive takes it over', async () => {
  await start();
  const { session, sink } = await clients.connect();
  await clients.router.subscribe(session.sid, ['news']);
  await clients.router.runActions(session.sid, [send('1')]);
  await clients.settled(session, sink);
  const position = positionIn(sink.tails[0]!);
  await clients.router.runActions(session.sid, [send('2')]);
  await eventually(() => sink.sent.length === 2, 'the second event');
  const back = comeBack(session, position);
  assert.equal(sink.ended, 'replaced');
  assert.deepEqual(back.missed, ['event settled []', 'event 2 []']);
  assert.deepEqual([...back.sink.channels], ['news']);
  assert.equal(metric('total'), 1);
  // And so on: the last one has it.
  const third = comeBack(session, lastOf(back.sink));
  assert.equal(back.sink.ended, 'replaced');
  assert.equal(third.sink.ended, undefined);
  await eventually(() => told().length === 4, 'four hooks');
  assert.deepEqual(
    told().map((line) => line.replace(/\d+/, 'n')),
    ['on_suspend "replaced"', 'on_recover {"away_ms":n}', 'on_suspend "replaced"', 'on_recover {"away_ms":n}'],
  );
});

test('what is not all there ends the session: the client becomes a new one', async () => {
  await start({ clients: { recovery: { ...recovery, max_bytes: 500 } } });
  const { session, sink } = await clients.connect();
  await clients.router.runActions(session.sid, [send('1')]);
  await clients.settled(session, sink);
  const position = positionIn(sink.tails[0]!);
  session.close('transport_closed', true);
  await clients.router.runActions(
    session.sid,
    Array.from({ length: 20 }, (_, at) => send(`event ${at}`)),
  );
  await eventually(() => metric('events.internal') === 22, 'all actions');
  assert.equal(take(session, position), undefined);
  assert.equal(metric('recovery.incomplete'), 1);
  await gone();
  assert.deepEqual(told(), ['on_suspend "transport_closed"', 'on_disconnect "transport_closed"']);
  assert.equal(take(session, position), undefined);
  assert.equal(metric('recovery.ended'), 1);
});

test('more than may wait for a client is not sent to one that returns', async () => {
  await start();
  Object.assign(clients.services.config, { socketio: { max_backpressure: 1000 } });
  const { session } = await suspended();
  await clients.router.runActions(session.sid, [send('x'.repeat(1001))]);
  await kept(1);
  assert.equal(take(session), undefined);
  assert.equal(metric('recovery.too_much'), 1);
});

test('forged pids, those of other namespaces and garbage open no session, and end none', async () => {
  await start();
  const { session } = await suspended();
  const pid = pidOf(session);
  const forged = `${pid.slice(0, -1)}${pid.endsWith('A') ? 'B' : 'A'}`;
  assert.equal(clients.router.recovery!.take({ pid: forged, offset: undefined }, '/'), undefined);
  assert.equal(clients.router.recovery!.take({ pid, offset: undefined }, '/side'), undefined);
  assert.equal(
    clients.router.recovery!.take(
      { pid: clients.router.recovery!.pidOf(session.sid, '/side'), offset: undefined },
      '/',
    ),
    undefined,
  );
  assert.deepEqual([metric('recovery.unknown'), metric('recovery.ended')], [3, 0]);
  comeBack(session);
});

test('a client that has left cannot come back, though its hooks keep it', async () => {
  const gate = new Gate<unknown>();
  await start({
    clients: { hooks: { go: [post('/go')] } },
    answer: ({ request }) => (request.endpoint === '/go' ? gate.promise : answer([])),
  });
  const { session } = await clients.connect();
  session.receive(event('go'));
  session.close('client_disconnect', true);
  assert.equal(take(session), undefined);
  gate.open(answer([]));
  await gone();
  assert.deepEqual(told(), ['on_disconnect "client_disconnect"']);
});

test('a session that was given up cannot be taken, though its hooks keep it', async () => {
  const gate = new Gate<unknown>();
  await start({
    clients: { hooks: { go: [post('/go')] } },
    answer: ({ request }) => (request.endpoint === '/go' ? gate.promise : answer([])),
  });
  const { session } = await clients.connect();
  session.receive(event('go'));
  session.close('transport_closed', true);
  assert.equal(take(session, 'garbage'), undefined);
  assert.equal(take(session), undefined);
  gate.open(answer([]));
  await gone();
  assert.deepEqual(told(), ['on_suspend "transport_closed"', 'on_disconnect "transport_closed"']);
});

test('a client whose library knows no recovery ends with its connection', async () => {
  await start();
  const session = await clients.router.open({
    namespace: '/',
    handshake: { auth: undefined, query: {}, headers: {}, address: '', transport: 'websocket', protocol: '0.9' },
    protocol: '0.9',
    isRecoverable: false,
  });
  const sink = new FakeSink();
  await session.attach(sink, 'websocket');
  await clients.router.runActions(session.sid, [send('1')]);
  await clients.settled(session, sink);
  assert.deepEqual([sink.sent, sink.tails[0]], [['event 1 []'], '']);
  session.close('transport_closed', true);
  assert.equal(take(session), undefined);
  await gone();
  assert.deepEqual(told(), ['on_disconnect "transport_closed"']);
});
