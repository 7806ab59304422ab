/** Every event of docs/events.md, from real nodes with real clients and back ends. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { events } from '../../src/observe/events.ts';
import { BackEnd } from '../support/back-end.ts';
import { CrashNode } from '../support/crash-node.ts';
import { CutProxy } from '../support/cut-proxy.ts';
import type { Sections } from '../support/default-node.ts';
import { type Published, Recorder, startEventNode } from '../support/event-node.ts';
import { storage } from '../support/event-plugin.ts';
import { eventually } from '../support/eventually.ts';
import { ReturningClient } from '../support/returning-client.ts';
import { SocketClient } from '../support/socket-clients.ts';

async function connect(t: TestContext, url: string, kind: '4.8 websocket' | '0.9 xhr-polling' = '4.8 websocket') {
  const client = await SocketClient.connect(kind, url);
  t.after(() => client.disconnect());
  return client;
}

function hooks(config: Sections, added: Record<string, unknown>): void {
  Object.assign(config.clients!.hooks as object, added);
}

/** The pool `backend`. @param more args of the connector */
function backEndPool(config: Sections, { url }: BackEnd, more: object = {}): void {
  const args = { base_url: url, max_connection_timeout: 5000, ...more };
  Object.assign(config.connectors!.pools as object, {
    backend: { connector: 'connector.http', size: 1, overflow: 0, args },
  });
}

const names = (published: readonly Published[]) => published.map(({ name }) => name.split(' ')[1]);

test('a node subscribes to nothing itself', async (t) => {
  await startEventNode(t);
  assert.deepEqual(
    Object.values(events).filter((channel) => channel.hasSubscribers),
    [],
  );
});

test('a client connects, and disconnects with the reason', async (t) => {
  const node = await startEventNode(t, (config) => {
    hooks(config, { on_connect: [{ hook: 'utils.echo', args: null }], leave: [{ hook: 'events.fail', args: 'stop' }] });
  });
  const recorder = new Recorder(t);
  const one = await connect(t, node.url);
  const [connected] = recorder.of('hive:connect');
  const { sid, pid } = connected!;
  assert.deepEqual(connected, {
    node: node.name,
    sid,
    pid,
    namespace: '/',
    protocol: 'eio4',
    transport: 'websocket',
  });
  assert.match(String(sid), /^.{14}…$/);
  await one.disconnect();
  const { ageMs, ...gone } = await recorder.first('hive:disconnect');
  assert.deepEqual(gone, { node: node.name, sid, pid, namespace: '/', reason: 'client_disconnect' });
  assert.equal(typeof ageMs, 'number');

  const other = await connect(t, node.url, '0.9 xhr-polling');
  const { protocol, transport } = recorder.of('hive:connect')[1]!;
  assert.deepEqual([protocol, transport], ['0.9', 'polling']);
  other.emit('leave');
  await recorder.first('hive:disconnect', { reason: 'stopped' });

  await connect(t, node.url);
  await node.stop();
  await recorder.first('hive:disconnect', { reason: 'shutdown' });
  const pids = (name: string) => recorder.of(name).map((event) => event.pid);
  assert.equal(new Set(pids('hive:connect')).size, 3);
  assert.deepEqual(pids('hive:disconnect'), pids('hive:connect'));
});

test('a client that is refused neither connects nor disconnects', async (t) => {
  const node = await startEventNode(t, (config) => {
    hooks(config, { on_connect: [{ hook: 'events.fail', args: 'stop' }] });
  });
  const recorder = new Recorder(t);
  await assert.rejects(SocketClient.connect('4.8 websocket', node.url));
  await node.stop();
  assert.equal(recorder.of('hive:hook error', { event: 'on_connect' }).length, 1);
  assert.deepEqual([...recorder.of('hive:connect'), ...recorder.of('hive:disconnect')], []);
});

test('a client loses its connection and returns, and loses it for good', async (t) => {
  const node = await startEventNode(t, (config) => {
    Object.assign(config.clients!, { recovery: { window: 60_000 } });
  });
  const proxy = await CutProxy.start(Number(new URL(node.url).port));
  t.after(() => proxy.stop());
  const recorder = new Recorder(t);
  const client = new ReturningClient(proxy.url);
  t.after(() => client.stop());
  await client.connected();
  const { sid, pid } = recorder.of('hive:connect')[0]!;
  const about = { node: node.name, sid, pid, namespace: '/' };
  proxy.cut();
  const { reason, ...suspended } = await recorder.first('hive:suspend');
  assert.deepEqual(suspended, about);
  assert.match(String(reason), /^transport_(closed|error)$/);
  const news = { action: 'send', args: { name: 'news', args: [] }, trigger_id: '' };
  assert.equal((await node.api(`clients/action/${client.sids[0]}`, [news, news])).status, 200);
  proxy.mend();
  await client.connected(2);
  const { awayMs, ...recovered } = await recorder.first('hive:recover');
  assert.deepEqual(recovered, { ...about, transport: 'websocket', missed: 2 });
  assert.equal(typeof awayMs, 'number');
  assert.equal(recorder.of('hive:connect').length, 1);

  proxy.cut();
  const last = await eventually(() => recorder.of('hive:suspend')[1], 'another loss');
  await node.stop();
  const gone = await recorder.first('hive:disconnect');
  assert.deepEqual([gone.pid, gone.reason], [pid, last.reason]);
});

test('clients subscribe and unsubscribe, by themselves and by their end', async (t) => {
  const node = await startEventNode(t);
  const recorder = new Recorder(t);
  const [one, two] = [await connect(t, node.url), await connect(t, node.url)];
  const [first, second] = recorder.of('hive:connect');
  one.emit('subscribe', 'ping.a');
  const { sid, pid } = first!;
  const about = { node: node.name, channel: 'ping.a', sid, pid };
  assert.deepEqual(await recorder.first('hive:subscribe'), { ...about, subscribers: 1 });
  one.emit('subscribe', 'ping.a'); // once more: nothing changes
  one.emit('unsubscribe', 'ping');
  assert.deepEqual(await recorder.first('hive:unsubscribe'), { ...about, subscribers: 0 });
  one.emit('subscribe', 'ping.a');
  await recorder.first('hive:subscribe', { channel: 'ping.a', subscribers: 1 });
  two.emit('subscribe', 'ping.a');
  await recorder.first('hive:subscribe', { pid: second!.pid });
  await two.disconnect();
  await recorder.first('hive:unsubscribe', { pid: second!.pid, subscribers: 1 });
  const order = recorder.all.filter(({ name }) => name.endsWith('subscribe')).map(({ name }) => name.slice(5));
  assert.deepEqual(order, ['subscribe', 'unsubscribe', 'subscribe', 'subscribe', 'unsubscribe']);
});

test('nodes link up, pass a publish on, and the link goes down', async (t) => {
  const recorder = new Recorder(t);
  let cluster: Sections['hive'] = {};
  const one = await startEventNode(t, (config) => {
    cluster = { epmd_port: config.hive!.epmd_port, cluster_nodes: [config.hive!.name], name: 'other@127.0.0.1' };
  });
  const other = await startEventNode(t, (config) => Object.assign(config.hive!, cluster));
  for (const [node, peer] of [
    [one.name, other.name],
    [other.name, one.name],
  ]) {
    const { creation, ...up } = await recorder.first('hive:link_up', { node });
    assert.deepEqual(up, { node, peer, hive: true });
    assert.equal(typeof creation, 'number');
  }
  const client = await connect(t, other.url);
  client.emit('subscribe', 'ping.a');
  await recorder.first('hive:subscribe', { node: other.name });
  const published = { name: 'hello', args: [] };
  assert.equal((await one.api('pubsub/publish/ping.a', published)).status, 200);
  await client.event('hello');
  assert.equal((await one.api('pubsub/publish/ping.b', published)).status, 200); // nobody is there
  const action = { action: 'send', args: { name: 'bye', args: [] }, trigger_id: '' };
  assert.equal((await one.api('pubsub/action/ping', [action, action])).status, 200);
  await client.event('bye');
  const about = (node: string, channel: string, kind: string, messages: number, remote: boolean) => {
    return { node, channels: [channel], kind, messages, remote };
  };
  assert.deepEqual(recorder.of('hive:publish', { node: one.name }), [
    about(one.name, 'ping.a', 'event', 1, false),
    about(one.name, 'ping.b', 'event', 1, false),
    about(one.name, 'ping', 'actions', 2, false),
  ]);
  assert.deepEqual(recorder.of('hive:publish', { node: other.name }), [
    about(other.name, 'ping.a', 'event', 1, true),
    about(other.name, 'ping', 'actions', 2, true),
  ]);
  await client.disconnect();
  await other.stop();
  const { reason } = await recorder.first('hive:link_down', { node: one.name });
  assert.equal(reason, 'shutdown');
  await recorder.first('hive:link_down', { node: other.name });
  assert.equal(recorder.of('hive:link_up').length, recorder.of('hive:link_down').length);
});

test('hooks: those that wait, that do not, that fail and that are not reached', async (t) => {
  const backEnd = await BackEnd.start();
  t.after(() => backEnd.stop());
  backEnd.answers.set('/go', { body: [{ action: 'send', args: { name: 'gone', args: [] }, trigger_id: '' }] });
  backEnd.answers.set('/broken', { status: 500 });
  const node = await startEventNode(t, (config) => {
    const args = (endpoint: string) => ({ connector: 'backend', endpoint });
    hooks(config, {
      echo: [{ hook: 'utils.echo', args: null }],
      go: [
        { hook: 'utils.echo', args: null },
        { hook: 'hp.get', args: args('/go') },
      ],
      broken: [
        { hook: 'hp.post', args: args('/broken') },
        { hook: 'utils.echo', args: null },
      ],
      fail: [{ hook: 'events.fail', args: 'fail' }],
    });
    backEndPool(config, backEnd);
  });
  const recorder = new Recorder(t);
  const client = await connect(t, node.url);
  const { sid } = recorder.of('hive:connect')[0]!;
  const of = (event: string, hook: string) => recorder.moments('hive:hook', { event, hook });

  client.emit('echo');
  await client.event('echo');
  const echo = of('echo', 'utils.echo');
  assert.deepEqual(names(echo), ['start', 'end']);
  const about = { node: node.name, sid, namespace: '/', event: 'echo', hook: 'utils.echo', position: 0 };
  assert.deepEqual(echo[1]!.event, { ...about, waits: false, error: undefined });
  assert.equal(new Set(echo.map(({ record }) => record)).size, 1);

  client.emit('go');
  await client.event('gone');
  await recorder.first('hive:hook asyncEnd', { event: 'go' });
  assert.deepEqual(names(of('go', 'utils.echo')), ['start', 'end']);
  const get = of('go', 'hp.get');
  assert.deepEqual(names(get), ['start', 'end', 'asyncStart', 'asyncEnd']);
  assert.deepEqual(
    get.map(({ event }) => [event.position, event.waits, event.error]),
    [false, true, true, true].map((waits) => [1, waits, undefined]),
  );

  client.emit('broken');
  await client.event('hive_error');
  await recorder.first('hive:hook asyncEnd', { event: 'broken' });
  const post = of('broken', 'hp.post');
  assert.deepEqual(names(post), ['start', 'end', 'error', 'asyncStart', 'asyncEnd']);
  const error = { code: 'http_error', summary: 'The back end answered /broken with 500.' };
  assert.deepEqual(post[2]!.event.error, error);
  assert.deepEqual(of('broken', 'utils.echo'), []);

  client.emit('fail');
  await recorder.first('hive:hook end', { event: 'fail' });
  const failed = of('fail', 'events.fail');
  assert.deepEqual(names(failed), ['start', 'error', 'end']);
  // What the error shows of somebody's data is not in it.
  assert.deepEqual(failed[2]!.event.error, { code: 'client_error', summary: 'No.' });
});

test('pool requests: answered, failed, tried again', async (t) => {
  const backEnd = await BackEnd.start();
  backEnd.answers.set('/go', { status: 404 });
  const node = await startEventNode(t, (config) => {
    hooks(config, {
      go: [{ hook: 'hp.get', args: { connector: 'backend', endpoint: '/go' } }],
      once: [{ hook: 'events.away', args: 1 }],
      always: [{ hook: 'events.away', args: 100 }],
    });
    backEndPool(config, backEnd);
  });
  const recorder = new Recorder(t);
  const client = await connect(t, node.url);
  const settled = async (count: number) => {
    await eventually(() => recorder.of('hive:pool_request asyncEnd').length === count, `${count} requests`);
    return recorder.of('hive:pool_request asyncEnd')[count - 1]!;
  };

  client.emit('go');
  await client.event('hive_error');
  const { headers, ...answered } = await settled(1);
  const about = { node: node.name, pool: 'backend', connector: 'connector.http' };
  assert.deepEqual(answered, { ...about, attempts: 1, waits: true, error: undefined }); // 404 is an answer
  assert.deepEqual(names(recorder.moments('hive:pool_request', { headers })), [
    'start',
    'end',
    'asyncStart',
    'asyncEnd',
  ]);

  client.emit('once');
  await client.event('here');
  const again = await settled(2);
  assert.deepEqual([again.pool, again.attempts, again.error], ['away', 2, undefined]);

  client.emit('always');
  const failed = await settled(3);
  assert.deepEqual([failed.attempts, failed.error], [3, { code: 'connector_error', summary: 'It is away.' }]);

  await backEnd.stop();
  client.emit('go');
  const { error } = await settled(4);
  assert.equal((error as { code: string }).code, 'http_error');
});

for (const client of ['fast', 'undici']) {
  test(`what is bound to a hook is there in its pool requests, whose headers reach the back end (${client})`, async (t) => {
    const backEnd = await BackEnd.start();
    t.after(() => backEnd.stop());
    const node = await startEventNode(t, (config) => {
      hooks(config, {
        ask: [{ hook: 'hp.post', args: { connector: 'backend', endpoint: '/ask' } }],
        put: [{ hook: 'hp.put', args: { connector: 'backend', endpoint: '/put' } }],
        bound: [{ hook: 'events.bound', args: null }],
      });
      backEndPool(config, backEnd, { client });
    });
    const { start } = events.hook;
    start.bindStore(storage, (hook) => `within ${(hook as { event: string }).event}`);
    t.after(() => start.unbindStore(storage));
    const add = ({ headers }: { headers: { set(name: string, value: string): void } }) => {
      headers.set('Traceparent', storage.getStore() ?? 'nothing');
      assert.throws(() => headers.set('content-length', '0'), TypeError);
    };
    events.poolRequest.start.subscribe(add);
    t.after(() => events.poolRequest.start.unsubscribe(add));
    const connected = await connect(t, node.url);
    for (const event of ['ask', 'put']) {
      connected.emit(event);
      const { headers, body } = await backEnd.request(`/${event}`);
      assert.equal(headers.traceparent, `within ${event}`);
      assert.equal(headers['content-type'], 'application/json');
      assert.match(body, /^\{"sid":/);
    }
    connected.emit('bound');
    await connected.event('bound');
    const { args } = connected.received.find(({ name }) => name === 'bound')!;
    assert.deepEqual(args, ['within bound', 'within bound']);
    assert.equal(storage.getStore(), undefined);
  });
}

test('actors crash and are restarted', async (t) => {
  const node = await CrashNode.start(t, ['4.8 websocket']);
  const recorder = new Recorder(t);
  const router = node.actor('hive_router');
  await node.crash(router);
  const next = await node.successor('hive_router', router);
  const { stack, ageMs, ...crash } = await recorder.first('hive:crash');
  assert.deepEqual(crash, {
    node: node.node.name,
    pid: router.toString(),
    label: 'hive_router',
    path: 'hive_root_sup/hive_sup/hive_router_sup/hive_router',
    reason: 'a crash by a test',
    lastMessage: 'anything',
    mailbox: 0,
    restarts: 0,
  });
  assert.match(String(stack), /^Error: a crash by a test\n/);
  assert.deepEqual(await recorder.first('hive:restart'), {
    node: node.node.name,
    supervisor: 'hive_router_sup',
    child: 'hive_router',
    pid: next.toString(),
    reason: 'a crash by a test',
    restarts: 1,
  });

  const [talker] = node.talkers;
  talker!.socket.emit('crash');
  const { pid } = await recorder.first('hive:crash', { label: 'client' });
  const { reason } = await recorder.first('hive:disconnect', { pid });
  assert.equal(reason, 'internal_error');
  const [hook] = recorder.of('hive:hook error', { event: 'crash' });
  assert.deepEqual(hook!.error, { code: 'internal_error', summary: 'Error: a crash of a hook' });
  assert.equal(typeof ageMs, 'number');
});
