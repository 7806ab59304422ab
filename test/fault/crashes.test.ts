/** Every kind of actor crashes under load: what becomes of the others is what docs/architecture.md promises. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CrashNode, Talker } from '../support/crash-node.ts';
import { writeDefaultConfig } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { HiveProcess } from '../support/hive-process.ts';
import { SocketClient } from '../support/socket-clients.ts';

/** It said good-bye once, with its last state, which is forgotten; its connection is closed. */
async function assertGone(node: CrashNode, talker: Talker): Promise<void> {
  await talker.socket.until(() => !talker.socket.connected, 'the end of the connection');
  const { farewells, forgotten } = node.witness;
  await eventually(() => forgotten.has(talker.sid), 'the end of the state');
  assert.deepEqual(farewells.get(talker.sid), [{ name: talker.name }]);
  assert.equal(forgotten.get(talker.sid), 1);
  await eventually(async () => {
    const clients = await node.running(node.actor('hive_client_sup'));
    return clients.length === node.talkers.filter(({ socket }) => socket.connected).length;
  }, 'the end of the actor');
}

for (const [how, crash] of [
  ['in a hook', async (_node: CrashNode, victim: Talker) => victim.socket.emit('crash')],
  ['by itself', async (node: CrashNode, victim: Talker) => node.crash(await node.client(victim.sid))],
] as const) {
  for (const which of [0, 1, 2, 3]) {
    test(`a client (${which}) that crashes ${how} says good-bye, is forgotten and closed; others notice nothing`, async (t) => {
      const node = await CrashNode.start(t);
      const [victim, ...others] = [node.talkers[which]!, ...node.talkers.filter((_, i) => i !== which)];
      await crash(node, victim);
      await assertGone(node, victim);
      await node.go(others);
      await node.assertNothingLost(others);
      assert.match(node.crashLog(), /a crash (of a hook|by a test)/);
    });
  }
}

test('a partition of clients that crashes ends its clients properly, and no others', async (t) => {
  const node = await CrashNode.start(t);
  const victim = node.talkers[0]!;
  const partitions = await partitionsOf(node, 'hive_client_sup');
  const actor = await node.client(victim.sid);
  const mine = partitions.find((partition) => partition.refs.includes(actor));
  assert.ok(mine);
  await node.crash(mine.ref);
  await assertGone(node, victim);
  await node.go(node.talkers.slice(1));
  await node.assertNothingLost(node.talkers.slice(1));
});

async function partitionsOf(node: CrashNode, name: string) {
  const tree = (await (await node.monitor('supervision')).json()) as Tree;
  const supervisor = find(tree, name);
  assert.ok(supervisor?.children);
  const all = await node.running(node.actor(name));
  const locate = (pid: string) => all.find((ref) => ref.toString() === pid);
  return supervisor.children.map(({ pid, children = [] }) => {
    const [, id, serial] = /\.(\d+)\.(\d+)>$/.exec(pid)!;
    const ref = node.kernel.local(Number(id), Number(serial), node.kernel.creation)!;
    return { ref, refs: children.map((child) => locate(child.pid)) };
  });
}

interface Tree {
  readonly id: string;
  readonly pid: string;
  readonly restarts: number;
  readonly children?: readonly Tree[];
}

function find(tree: Tree, id: string): Tree | undefined {
  if (tree.id === id) return tree;
  for (const child of tree.children ?? []) {
    const found = find(child, id);
    if (found) return found;
  }
  return undefined;
}

/** Nothing depends on them from moment to moment: whatever ends them, all talk on. */
for (const name of [
  ...['hive_router', 'hive_departures', 'hive_relay', 'hive_pubsub'],
  ...['hive_connectors', 'hive_cluster', 'hive_monitor'],
]) {
  test(`${name} is restarted after a crash and after a kill; nobody loses anything`, async (t) => {
    const node = await CrashNode.start(t);
    let present = node.actor(name);
    for (const end of ['crash', 'kill'] as const) {
      await node[end](present);
      present = await node.successor(name, present);
      await node.go();
    }
    await node.assertNothingLost();
    assert.deepEqual(
      node.talkers.flatMap((talker) => talker.failed()),
      [],
    );
    const tree = (await (await node.monitor('supervision')).json()) as Tree;
    assert.equal(find(tree, name)?.restarts, 2);
    const late = await Talker.start('4.8 websocket', 'late', node.node.addresses.client);
    node.talkers.push(late);
    await node.go([late]);
  });
}

for (const name of ['hive_monitor_server', 'hive_api'] as const) {
  test(`the server ${name} opens its port again after a crash and after a kill; clients notice nothing`, async (t) => {
    const node = await CrashNode.start(t);
    const { api, monitor } = node.node.addresses;
    const url = name === 'hive_api' ? `${api}/api/wrong` : `${monitor}/monitor/wrong`;
    let present = node.actor(name);
    for (const end of ['crash', 'kill'] as const) {
      await node[end](present);
      present = await node.successor(name, present);
      await eventually(async () => (await fetch(url).catch(() => undefined))?.status === 401, 'an answer');
    }
    await node.go();
    await node.assertNothingLost();
  });
}

test('the server of the clients opens its port again; its clients have ended properly and may return', async (t) => {
  const node = await CrashNode.start(t);
  let present = node.actor('hive_web');
  for (const end of ['crash', 'kill'] as const) {
    const victims = [...node.talkers];
    await node[end](present);
    present = await node.successor('hive_web', present);
    for (const victim of victims) await assertGone(node, victim);
    const back = await Talker.start('4.8 websocket', `back after a ${end}`, node.node.addresses.client);
    node.talkers.splice(0, Number.POSITIVE_INFINITY, back);
    await node.go();
  }
  await node.assertNothingLost();
});

async function poolSupervisor(node: CrashNode) {
  const [supervisor] = await node.running(node.actor('hive_connectors_pool_sup'));
  assert.ok(supervisor);
  return supervisor;
}

async function assertPoolWorks(node: CrashNode): Promise<void> {
  await eventually(async () => (await node.running(await poolSupervisor(node))).length === 2, 'two workers');
  const failures = node.talkers.map((talker) => talker.failed().length);
  await node.go();
  assert.deepEqual(
    node.talkers.map((talker) => talker.failed().length),
    failures,
  );
  await node.assertNothingLost();
}

test('a worker that crashes fails the request that it has, and no other; the pool starts another', async (t) => {
  const node = await CrashNode.start(t);
  const { pools } = node.witness.services!;
  for (let i = 0; i < 4; i += 1) {
    await assert.rejects(pools.get('workers').request('crash'), { code: 'connector_error' });
    await node.go();
  }
  assert.deepEqual(
    node.talkers.flatMap((talker) => talker.failed()),
    [],
  );
  await assertPoolWorks(node);
});

for (const end of ['crash', 'kill'] as const) {
  test(`after a ${end} of a pool's supervisor the pool has new workers`, async (t) => {
    const node = await CrashNode.start(t);
    await node[end](await poolSupervisor(node));
    await assertPoolWorks(node);
  });

  test(`after a ${end} of the supervisor of all pools they have new workers`, async (t) => {
    const node = await CrashNode.start(t);
    const former = node.actor('hive_connectors_pool_sup');
    await node[end](former);
    await node.successor('hive_connectors_pool_sup', former);
    await eventually(
      async () => (await node.children(node.actor('hive_connectors_pool_sup'))).length === 1,
      'the pool',
    );
    await assertPoolWorks(node);
  });

  test(`after a ${end} of a channel its subscribers are subscribed`, async (t: TestContext) => {
    const node = await CrashNode.start(t);
    await Promise.all(node.talkers.map((talker) => talker.stop()));
    const [channel] = await node.running(node.actor('hive_pubsub_channel_sup'));
    await node[end](channel!);
    await eventually(async () => {
      const [next] = await node.running(node.actor('hive_pubsub_channel_sup'));
      return next && next !== channel;
    }, 'the next channel');
    for (const talker of node.talkers) {
      talker.socket.emit('step', 'afterwards', talker.said);
      for (const listener of node.talkers) {
        await listener.socket.event('said', (who) => who === 'afterwards');
      }
    }
  });
}

test("after a crash of the channels' supervisor all subscribers are subscribed", async (t) => {
  const node = await CrashNode.start(t);
  await Promise.all(node.talkers.map((talker) => talker.stop()));
  const former = node.actor('hive_pubsub_channel_sup');
  await node.crash(former);
  await node.successor('hive_pubsub_channel_sup', former);
  await eventually(async () => (await node.running(node.actor('hive_pubsub_channel_sup'))).length === 1, 'the channel');
  node.talkers[0]!.socket.emit('step', 'afterwards', 1);
  for (const { socket } of node.talkers) await socket.event('said', (who) => who === 'afterwards');
});

test('after a crash of the supervisor of all clients they have ended properly and may return', async (t) => {
  const node = await CrashNode.start(t);
  const former = node.actor('hive_client_sup');
  await node.crash(former);
  await node.successor('hive_client_sup', former);
  for (const victim of node.talkers) await assertGone(node, victim);
  node.talkers.splice(
    0,
    Number.POSITIVE_INFINITY,
    await Talker.start('4.8 websocket', 'back', node.node.addresses.client),
  );
  await node.go();
  await node.assertNothingLost();
});

test('a root that gives up ends the node, after every client has been said good-bye to', async (t) => {
  const node = await CrashNode.start(t);
  for (let crashes = 0; crashes <= 5; crashes += 1) {
    const former = await eventually(() => node.kernel.whereis('hive_env_sup'), 'the supervisor');
    await node.crash(former);
    if (crashes < 5) await node.successor('hive_env_sup', former);
  }
  const end = await node.node.ended;
  assert.equal(end.graceful, false);
  const { farewells, forgotten } = node.witness;
  for (const { sid, name } of node.talkers) {
    assert.deepEqual(farewells.get(sid), [{ name }]);
    assert.equal(forgotten.get(sid), 1);
  }
});

test('the process of a root that gives up ends with 1 and says why', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'hive-root-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
  copyFileSync(file('../support/mischief-plugin.js'), join(directory, 'mischief.mjs'));
  mkdirSync(join(directory, 'node_modules'));
  symlinkSync(file('../..'), join(directory, 'node_modules/hive-push'));
  let url = '';
  const config = await writeDefaultConfig(directory, 'hive.json', (sections) => {
    url = `http://127.0.0.1:${sections.hive!.port}`;
    sections.plugins = [join(directory, 'mischief.mjs')] as never;
    sections.clients!.hooks = { topple: [{ hook: 'mischief.topple', args: null }] };
  });
  const node = await HiveProcess.run(config);
  t.after(() => node.stop('SIGKILL'));
  const client = await SocketClient.connect('4.8 websocket', url);
  client.emit('topple');
  const { code, stderr } = await node.finished;
  assert.equal(code, 1);
  assert.match(stderr, /hive_error: hive@127.0.0.1 gave up: shutdown/);
  const log = readFileSync(join(directory, 'log/error.log'), 'utf8');
  assert.match(log, /hive_root_sup gives up: more than 5 restarts within 10000 ms/);
  await client.until(() => !client.connected, 'the end of the connection');
});

interface Report {
  readonly path: string;
  readonly reason: string;
  readonly stack: string;
  readonly lastMessage: string;
  readonly mailbox: number;
  readonly restarts: number;
}

test('the monitor tells of crashes: who, where in the tree, why, and how often before', async (t) => {
  const node = await CrashNode.start(t, ['4.8 websocket']);
  const reports = async () => ((await (await node.monitor('crashes')).json()) as { crashes: Report[] }).crashes;
  assert.deepEqual(await reports(), []);
  for (let crashes = 0; crashes < 2; crashes += 1) {
    const former = node.actor('hive_router');
    await node.crash(former);
    await node.successor('hive_router', former);
  }
  const routers = (await reports()).map(({ path, reason, restarts }) => ({ path, reason, restarts }));
  const report = { path: 'hive_root_sup/hive_sup/hive_router_sup/hive_router', reason: 'a crash by a test' };
  assert.deepEqual(routers, [
    { ...report, restarts: 1 },
    { ...report, restarts: 0 },
  ]);
  node.talkers[0]!.socket.emit('crash', 'a secret');
  await eventually(async () => (await reports()).length === 3, 'the report');
  const [client] = await reports();
  assert.match(client!.path, /^hive_root_sup\/hive_sup\/hive_router_sup\/hive_client_sup\/\d+\/client$/);
  assert.match(client!.stack, /Error: a crash of a hook\n +at /);
  assert.equal(client!.lastMessage, 'event');
  assert.doesNotMatch(JSON.stringify(client), /a secret/);
});
