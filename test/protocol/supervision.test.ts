/** The supervision tree of a real node, as operators look at it. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { version } from '../../src/version.ts';
import { CrashNode } from '../support/crash-node.ts';

interface Tree {
  readonly id: string;
  readonly pid: string;
  readonly mailbox: { readonly length: number };
  readonly count?: number;
  readonly partitions?: number;
  readonly partition?: string;
  readonly children?: readonly Tree[];
}

interface Busy {
  readonly path: string;
  readonly rate: number;
}

describe('the monitor', () => {
  let node: CrashNode;
  before(async () => {
    node = await CrashNode.launch(['4.8 websocket', '0.9 websocket']);
  });
  after(() => node.stop());

  const ask = async (path: string, accept = '*/*') => {
    const response = await node.monitor(path, { accept });
    return { status: response.status, text: await response.text() };
  };
  const tree = async (path: string) => JSON.parse((await ask(path)).text) as Tree;

  test('shows the part of the tree that is under a path', async () => {
    for (const path of ['hive_sup/hive_router_sup', '/hive_root_sup/hive_sup/hive_router_sup/']) {
      const { id, children } = await tree(`supervision?depth=1&path=${encodeURIComponent(path)}`);
      assert.equal(id, 'hive_router_sup');
      assert.deepEqual(
        children?.map((child) => child.id),
        ['hive_client_sup', 'hive_router', 'hive_departures', 'hive_relay'],
      );
    }
    assert.equal((await tree('supervision?path=hive_env_sup/hive_monitor')).children, undefined);
    for (const path of ['nobody', 'hive_env_sup/hive_monitor/child']) {
      for (const cluster of ['', '&cluster=true']) {
        assert.equal((await ask(`supervision?path=${path}${cluster}`)).status, 404);
      }
    }
  });

  test('shows so many of those with the most messages', async () => {
    const busiest = await tree('supervision?path=hive_sup/hive_pubsub_sup&depth=1&sort=mailbox&limit=1');
    assert.equal(busiest.count, 2);
    assert.equal(busiest.children?.length, 1);
    assert.equal((await ask('supervision?sort=age')).status, 400);
  });

  test('leaves out the partitions, if asked to, and draws the tree without them', async () => {
    const path = 'supervision?path=hive_sup/hive_router_sup/hive_client_sup&flat=true';
    const clients = await tree(path);
    assert.deepEqual([clients.count, clients.partitions, clients.children?.length], [2, 64, 2]);
    for (const { partition, children } of clients.children!) {
      assert.match(partition ?? '', /^\d+$/);
      assert.equal(children, undefined);
    }
    assert.match((await ask(path, 'text/plain')).text, /one_for_one of 2 in 64 partitions .*\n├─ .*\n└─ .*\n$/);
  });

  test('draws the tree as text', async () => {
    const { status, text } = await ask('supervision?depth=2', 'text/plain');
    assert.equal(status, 200);
    const lines = text.replaceAll(/ <.*/g, '').split('\n');
    assert.deepEqual(lines.slice(0, 5), [
      'hive_root_sup',
      '├─ hive_env_sup',
      '│  ├─ hive_monitor',
      '│  └─ hive_cluster',
      '└─ hive_sup',
    ]);
    assert.match(
      text,
      /^hive_root_sup <hive@127.0.0.1.\d+.0> · running · \d+ s · one_for_one of 2 · 0 of 5 restarts in 10 s/,
    );
    const cut = await ask('supervision?depth=1&limit=1', 'text/plain');
    assert.match(cut.text, /├─ hive_env_sup .*\n└─ … 1 more\n$/);
  });

  test('shows the trees of all nodes', async () => {
    const answer = JSON.parse((await ask('supervision?cluster=true&depth=0')).text);
    assert.deepEqual([answer.nodes, answer.missing], [['hive@127.0.0.1'], []]);
    assert.equal(answer.trees['hive@127.0.0.1'].id, 'hive_root_sup');
    assert.match((await ask('supervision?cluster=true', 'text/plain')).text, /^hive_root_sup /);
  });

  test('shows one actor by its address, whole or short', async () => {
    const router = node.actor('hive_router').toString();
    const short = /(\d+\.\d+)>$/.exec(router)![1]!;
    for (const pid of [encodeURIComponent(router), short]) {
      const actor = JSON.parse((await ask(`actors/${pid}`)).text);
      assert.deepEqual([actor.pid, actor.name, actor.status, actor.restarts], [router, 'hive_router', 'running', 0]);
      assert.equal(actor.path, 'hive_root_sup/hive_sup/hive_router_sup/hive_router');
    }
    const client = await node.client(node.talkers[0]!.sid);
    const { state, lastMessage } = JSON.parse((await ask(`actors/${encodeURIComponent(client.toString())}`)).text);
    assert.deepEqual([state.phase, state.transport, lastMessage], ['waiting', 'websocket', 'event']);
    for (const pid of ['999999.0', encodeURIComponent(`<other@127.0.0.1.${short}>`), 'hive_router', '1']) {
      assert.equal((await ask(`actors/${pid}`)).status, 404, pid);
    }
  });

  test('shows the busiest actors', async () => {
    const { actors } = JSON.parse((await ask('actors?over=200&limit=3')).text) as { actors: Busy[] };
    assert.equal(actors.length, 3);
    // The clients talk without pause, as do a channel and a pool.
    const rates = actors.map(({ rate }) => rate);
    assert.ok(rates[2]! > 0 && rates[0]! >= rates[1]! && rates[1]! >= rates[2]!, String(rates));
    assert.match(actors[0]!.path, /^hive_root_sup\/hive_sup\//);
    const everywhere = JSON.parse((await ask('actors?over=200&sort=mailbox&cluster=true')).text);
    assert.deepEqual([everywhere.nodes, everywhere.missing], [['hive@127.0.0.1'], []]);
    const talkers = (everywhere.actors['hive@127.0.0.1'] as Busy[]).filter(({ path }) =>
      path.includes('/hive_client_sup/'),
    );
    assert.equal(talkers.length, 2);
    for (const query of ['sort=age', 'limit=0', 'limit=1001', 'over=10', 'over=60000', 'over=long']) {
      assert.equal((await ask(`actors?${query}`)).status, 400, query);
    }
  });

  test('tells probes whether the node serves; reasons only to those who have the key', async () => {
    const health = async (path = 'health') => {
      const { status, text } = await ask(path);
      return [status, JSON.parse(text)];
    };
    const open = async () => {
      const response = await fetch(`${node.node.addresses.monitor}/monitor/health`);
      return [response.status, await response.json()];
    };
    const whose = { node: 'hive@127.0.0.1', version, sockets: node.node.sockets };
    const ready = { status: 'ready', reasons: [], ...whose };
    assert.deepEqual(await health(), [200, ready]);
    assert.deepEqual(await health('health?cluster=true'), [
      200,
      { nodes: ['hive@127.0.0.1'], missing: [], health: { 'hive@127.0.0.1': ready } },
    ]);
    assert.deepEqual(await open(), [200, { status: 'ready' }]);
    await fetch(`${node.node.addresses.api}/api/${node.apiKey}/router/disable`, { method: 'POST' });
    assert.deepEqual(await health(), [503, { status: 'draining', reasons: ['new clients are refused'], ...whose }]);
    assert.deepEqual(await open(), [503, { status: 'draining' }]);
  });
});
