/** What an operator asks of a whole cluster of real nodes, through any of them. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { io } from 'socket.io-client';
import { DefaultNode } from '../support/default-node.ts';
import { eventually, next } from '../support/eventually.ts';
import { ask, metric } from '../support/operator.ts';
import { freePorts } from '../support/ports.ts';
import { SocketClient } from '../support/socket-clients.ts';

const names = ['one@127.0.0.1', 'two@127.0.0.1', 'zwo@127.0.0.1'];

async function startCluster(t: TestContext): Promise<[DefaultNode, DefaultNode, DefaultNode]> {
  const [epmd] = await freePorts(1);
  const start = (name: string) =>
    DefaultNode.start((config) => {
      const others = names.filter((other) => other !== name);
      Object.assign(config.hive!, { name, epmd_port: epmd, cluster_nodes: others, graceful_termination_timeout: 2000 });
      // However busy the machine is, only one alarm is set, and only there.
      const quiet = { clients: 0, mailbox: 0, event_loop_delay: 0, queue: 0, open_files: 0, interval: 100 };
      config.monitor!.alarms = { ...quiet, memory: name === names[2] ? 0.000_001 : 0.99 };
      // Says good-bye, and where.
      Object.assign(config.clients!.hooks!, {
        on_terminate: [{ hook: 'utils.echo', args: { name: 'leaving', args: [name] } }],
      });
    });
  const nodes = (await Promise.all(names.map(start))) as [DefaultNode, DefaultNode, DefaultNode];
  t.after(() => Promise.all(nodes.map((node) => node.stop())));
  for (const node of nodes) {
    await eventually(async () => (await metric(node, 'hive.cluster.size')) === 3, 'a cluster of three');
  }
  return nodes;
}

test('metrics are added up over the nodes, those missing are named, and counters are reset on all', async (t) => {
  const nodes = await startCluster(t);
  const clients = await Promise.all(nodes.map((node) => SocketClient.connect('4.8 websocket', node.url)));
  const [one, two] = nodes;
  const show = async (path: string) => (await ask(one, 'monitor', 'GET', `/monitor/KEY/${path}?cluster=true`)).json;
  const all = { nodes: names, missing: [] };
  assert.deepEqual(await show('clients.total'), { ...all, metrics: { clients: { total: 3 } } });
  assert.deepEqual(await show('hive.cluster.size'), { ...all, metrics: { hive: { cluster: { size: 3 } } } });
  assert.deepEqual(await show('hive.cluster.nodes'), { ...all, metrics: { hive: { cluster: { nodes: names } } } });
  for (const [index, node] of nodes.entries()) {
    for (let times = 0; times <= index; times += 1) clients[index]!.emit('ping', { action: 'send', args: null });
    await eventually(async () => (await metric(node, 'clients.hooks.ping.calls')) === index + 1, 'the pings');
  }
  const pings = (await show('clients.hooks.ping.latency')) as {
    metrics: { clients: { hooks: { ping: { latency: { count: number } } } } };
  };
  assert.equal(pings.metrics.clients.hooks.ping.latency.count, 1 + 2 + 3);
  const each = await ask(one, 'monitor', 'GET', '/monitor/KEY/nodes/clients.hooks.ping.calls');
  const calls = (number: number) => ({ clients: { hooks: { ping: { calls: number } } } });
  assert.deepEqual(each.json, {
    nodes: Object.fromEntries(names.map((name, index) => [name, calls(index + 1)])),
    missing: [],
  });
  const uptime = (await show('hive.uptime')) as { metrics: { hive: { uptime: number } } };
  assert.ok(uptime.metrics.hive.uptime < 60_000, 'the longest, not the sum');
  const { trees, ...reached } = (await show('supervision')) as { trees: Record<string, { id: string }> };
  assert.deepEqual(reached, all);
  assert.deepEqual(
    Object.entries(trees).map(([name, { id }]) => [name, id]),
    names.map((name) => [name, 'hive_root_sup']),
  );

  const of = async (path: string) => (await ask(one, 'monitor', 'GET', `/monitor/KEY/${path}`)).json;
  const tree = (await of(`supervision?node=${names[2]}&path=hive_env_sup/hive_cluster`)) as { id: string; pid: string };
  assert.match(tree.pid, /^<zwo@127.0.0.1\./);
  const actor = (await of(`actors/${encodeURIComponent(tree.pid)}`)) as { pid: string; name: string };
  assert.deepEqual([actor.pid, actor.name], [tree.pid, 'hive_cluster']);
  assert.deepEqual(await of(`crashes?node=${names[2]}`), { crashes: [] });
  assert.deepEqual(await of(`abandoned?node=${names[2]}`), { abandoned: [] });

  await eventually(async () => (await metric(nodes[2], 'hive.alarms.memory.set')) === 1, 'an alarm');
  const { alarms } = (await of(`alarms?node=${names[2]}`)) as { alarms: { alarm: string }[] };
  const everywhere = (await show('alarms')) as { alarms: Record<string, { alarm: string }[]> };
  const set = Object.entries(everywhere.alarms).map(([name, list]) => [name, list.map(({ alarm }) => alarm)]);
  assert.deepEqual(
    [alarms[0]?.alarm, set],
    ['memory', names.map((name) => [name, name === names[2] ? ['memory'] : []])],
  );
  const together = { hive: { alarms: { memory: { set: 1, threshold: 0.99 } } } };
  assert.deepEqual(await show('hive.alarms'), { ...all, metrics: together });

  const spawned = 'hive.router.spawned_clients';
  const total = { hive: { router: { spawned_clients: 3 } } };
  assert.deepEqual(await show(spawned), { ...all, metrics: total });
  const reset = await ask(two, 'monitor', 'DELETE', `/monitor/KEY/${spawned}?cluster=true`);
  assert.deepEqual([reset.status, reset.json], [200, all]);
  assert.deepEqual(await show(spawned), { ...all, metrics: { hive: { router: { spawned_clients: 0 } } } });

  await two.process.stop('SIGKILL');
  await eventually(async () => (await metric(one, 'hive.cluster.size')) === 2, 'the loss of a node');
  const rest = { nodes: [names[0], names[2]], missing: [names[1]] };
  assert.deepEqual(await show('clients.total'), { ...rest, metrics: { clients: { total: 2 } } });
  const subscribers = await ask(one, 'api', 'GET', '/api/KEY/pubsub/subscribe/ping?cluster=true');
  assert.deepEqual(subscribers.json, { subscribed_clients: 0, ...rest });
  for (const client of clients) client.disconnect();
});

test('a client is shown by the monitor of any node, and asked through any, until its node is lost', async (t) => {
  const [one, two, zwo] = await startCluster(t);
  const client = io(two.url, { transports: ['websocket'], forceNew: true, reconnection: false });
  t.after(() => client.disconnect());
  await next(client, 'connect');
  const stored = { action: 'store', args: { nick: 'änn', list: [1, 2.5, null] } };
  await two.api('POST', `clients/action/${client.id}`, JSON.stringify(stored));
  await two.api('POST', `pubsub/subscribe/${client.id}`, '["ping.b","ping.a"]');
  const shown = async (node: DefaultNode) => {
    const { status, json } = await ask(node, 'monitor', 'GET', `/monitor/KEY/clients/${client.id}`);
    const { sid, node: at, namespace, subscriptions, state } = json as Record<string, unknown>;
    return [status, sid, at, namespace, subscriptions, state];
  };
  const expected = [200, client.id, 'two@127.0.0.1', '/', ['ping.a', 'ping.b'], stored.args];
  await eventually(async () => Object.keys(Object((await shown(two))[5])).length > 0, 'the state');
  for (const node of [one, two, zwo]) assert.deepEqual(await shown(node), expected);
  client.on('sum', (a: number, b: number, answer: (sum: number) => void) => answer(a + b));
  for (const node of [one, two, zwo]) {
    const asked = await ask(node, 'api', 'POST', `/api/KEY/clients/ask/${client.id}`, { name: 'sum', args: [1, 2] });
    assert.deepEqual([asked.status, asked.json], [200, { args: [3] }]);
    const late = await ask(node, 'api', 'POST', `/api/KEY/clients/ask/${client.id}?timeout=20`, { name: 'x' });
    assert.deepEqual([late.status, (late.json as { error: string }).error], [504, 'timeout']);
  }
  await two.process.stop('SIGKILL');
  await eventually(async () => (await shown(one))[0] === 404, 'the loss of its node');
});

test('channels and clients of all nodes are listed through any, page by page, and nodes that are missing are named', async (t) => {
  const [one, two, zwo] = await startCluster(t);
  const clients = await Promise.all([one, two, zwo].map((node) => SocketClient.connect('4.8 websocket', node.url)));
  clients[0]!.emit('subscribe', ['ping.a', 'ping.b', 'ping.c.d']);
  clients[1]!.emit('subscribe', ['ping.b', 'ping.c.d', 'ping.c.e']);
  clients[2]!.emit('subscribe', ['ping.c.d']);
  type Listed = { cursor: string | null; nodes: string[]; missing: string[] };
  type Channels = Listed & { channels: { channel: string; subscribed_clients: number }[] };
  type Clients = Listed & { clients: { sid: string; node: string; connected_at: number; suspended: boolean }[] };
  const list = async <Answer>(path: string): Promise<Answer> =>
    (await ask(two, 'api', 'GET', `/api/KEY/${path}`)).json as Answer;
  const channels = async (query: string) => {
    const listed = await list<Channels>(`pubsub/channels?${query}`);
    const rows = listed.channels.map(({ channel, subscribed_clients }) => `${channel} ${subscribed_clients}`);
    return [rows, listed.cursor, listed.nodes, listed.missing];
  };
  const all = ['ping.a 1', 'ping.b 2', 'ping.c.d 3', 'ping.c.e 1'];
  await eventually(async () => `${(await channels(''))[0]}` === `${all}`, 'all joins');
  assert.deepEqual(await channels(''), [all, null, names, []]);
  assert.deepEqual(await channels('limit=3'), [all.slice(0, 3), 'ping.c.d', names, []]);
  assert.deepEqual(await channels('limit=3&cursor=ping.c.d'), [all.slice(3), null, names, []]);
  assert.deepEqual(await channels('prefix=ping.c'), [all.slice(2), null, names, []]);

  const everybody = await list<Clients>('clients');
  const sids = everybody.clients.map(({ sid }) => sid);
  assert.deepEqual(sids, [...sids].sort());
  assert.deepEqual(everybody.clients.map(({ node }) => node).sort(), names);
  for (const { connected_at, suspended } of everybody.clients) {
    assert.deepEqual([suspended, Math.abs(Date.now() - connected_at) < 60_000], [false, true]);
  }
  const paged: string[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: Clients = await list(`clients?limit=1&cursor=${encodeURIComponent(cursor)}`);
    assert.equal(page.clients.length, 1);
    paged.push(page.clients[0]!.sid);
    cursor = page.cursor;
  }
  assert.deepEqual(paged, sids);
  const nodesOf = async (channel: string) =>
    (await list<Clients>(`clients?channel=${channel}`)).clients.map(({ node }) => node).sort();
  assert.deepEqual(await nodesOf('ping.b'), names.slice(0, 2));
  assert.deepEqual(await nodesOf('ping.c'), names);
  assert.deepEqual(await nodesOf('ping.c.e'), names.slice(1, 2));

  await zwo.process.stop('SIGKILL');
  await eventually(async () => (await metric(two, 'hive.cluster.size')) === 2, 'the loss of a node');
  assert.deepEqual(await channels('prefix=ping.c'), [
    ['ping.c.d 2', 'ping.c.e 1'],
    null,
    names.slice(0, 2),
    [names[2]],
  ]);
  for (const client of clients) client.disconnect();
});

test('subscribers are counted, and doors closed and opened, on all nodes', async (t) => {
  const nodes = await startCluster(t);
  const [one, , three] = nodes;
  const all = { nodes: names, missing: [] };
  const clients = await Promise.all(nodes.map((node) => SocketClient.connect('4.8 websocket', node.url)));
  for (const client of clients.slice(1)) client.emit('subscribe', ['ping.room']);
  const count = async () => (await ask(one, 'api', 'GET', '/api/KEY/pubsub/subscribe/ping?cluster=true')).json;
  await eventually(
    async () => ((await count()) as { subscribed_clients: number }).subscribed_clients === 2,
    'both joins',
  );
  assert.deepEqual(await count(), { subscribed_clients: 2, ...all });
  assert.equal((await ask(one, 'api', 'GET', '/api/KEY/pubsub/subscribe/ping')).status, 404);

  const closed = await ask(three, 'api', 'POST', '/api/KEY/router/disable?cluster=true');
  assert.deepEqual([closed.status, closed.json], [200, all]);
  for (const node of nodes) assert.equal((await fetch(`${node.url}/socket.io/1/`)).status, 503);
  const opened = await ask(one, 'api', 'POST', '/api/KEY/router/enable?cluster=true');
  assert.deepEqual([opened.status, opened.json], [200, all]);
  for (const node of nodes) assert.equal((await fetch(`${node.url}/socket.io/1/`)).status, 200);
  for (const client of clients) client.disconnect();
});

/** When each client was told to leave and when its connection ended, in the order of the nodes. */
function goodbyes(clients: readonly SocketClient[]): { leaving: string[] } {
  return {
    leaving: clients.flatMap(({ received }) =>
      received.filter(({ name }) => name === 'leaving').map(({ args }) => String(args[0])),
    ),
  };
}

test('all clients are asked to leave, one node after the other; the nodes stay, with closed doors', async (t) => {
  const nodes = await startCluster(t);
  const clients = await Promise.all(nodes.map((node) => SocketClient.connect('4.8 websocket', node.url)));
  const asked = await ask(nodes[1], 'api', 'POST', '/api/KEY/router/terminate?cluster=true', 'maintenance');
  assert.deepEqual([asked.status, asked.json], [200, { nodes: names, missing: [] }]);
  // one, then zwo; two was asked and comes last. Clients stay as long as they may.
  const order = [clients[0]!, clients[2]!, clients[1]!];
  for (const [index, client] of order.entries()) {
    await client.event('leaving');
    assert.ok(order.slice(index).every(({ connected }) => connected));
    for (const gone of order.slice(0, index)) await gone.until(() => !gone.connected, 'the end of an earlier one');
  }
  await eventually(() => clients.every(({ connected }) => !connected), 'the end of all');
  assert.equal(goodbyes(clients).leaving.length, 3);
  for (const node of nodes) {
    assert.ok(node.process.running);
    assert.equal((await fetch(`${node.url}/socket.io/1/`)).status, 503);
  }
});

test('all nodes stop, one after the other, the asked one last', async (t) => {
  const nodes = await startCluster(t);
  const clients = await Promise.all(nodes.map((node) => SocketClient.connect('4.8 websocket', node.url)));
  const ends: string[] = [];
  const ended = nodes.map((node, index) =>
    node.process.finished.then(({ code }) => ends.push(`${names[index]} ${code}`)),
  );
  const asked = await ask(nodes[0], 'api', 'POST', '/api/KEY/hive/stop?cluster=true');
  assert.deepEqual([asked.status, asked.json], [200, { nodes: names, missing: [] }]);
  // By then its node is stopping, not only closed.
  await clients[1]!.event('leaving');
  const refused = await ask(nodes[1], 'api', 'POST', '/api/KEY/router/enable');
  assert.deepEqual([refused.status, (refused.json as { error: string }).error], [503, 'router_error']);
  await Promise.all(ended);
  assert.deepEqual(ends, [`${names[1]} 0`, `${names[2]} 0`, `${names[0]} 0`]);
  assert.deepEqual(goodbyes(clients).leaving, names);
});
