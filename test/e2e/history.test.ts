/** Channels with a history on real nodes: the HTTP API, clients, nodes that are killed, stop and join, Redis that restarts. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { io, type Socket } from 'socket.io-client';
import { EpmdServer } from '../../src/distribution/epmd/server.ts';
import type { HistoryPage } from '../../src/plugins/types.ts';
import { DefaultNode } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { missing } from '../support/programs.ts';
import { RedisServer } from '../support/redis.ts';

const json = async (answer: Response) => (await answer.json()) as Record<string, unknown>;

async function historyAt(node: DefaultNode, channel: string, query = ''): Promise<HistoryPage> {
  const answer = await node.api('GET', `pubsub/history/${channel}?${query}`);
  assert.equal(answer.status, 200, await answer.clone().text());
  return (await answer.json()) as HistoryPage;
}

async function publish(node: DefaultNode, channel: string, n: number): Promise<number> {
  const body = JSON.stringify({ name: 'said', args: [n] });
  const { status } = await node.api('POST', `pubsub/publish/${channel}`, body);
  return status;
}

const numbers = ({ entries }: HistoryPage) => entries.map(({ args }) => (args as number[])[0]!);
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n + 1);

describe('channels with a history', { skip: missing('redis-server') }, () => {
  const epmd = new EpmdServer();
  const nodes: DefaultNode[] = [];
  const sockets: Socket[] = [];
  let redis: RedisServer;

  before(async () => {
    await epmd.listen(0, ['127.0.0.1']);
    redis = await RedisServer.startWith((port) => [
      ...['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'yes', '--appendfsync', 'always'],
      ...['--appenddirname', `hive-history-${port}`],
    ]);
    for (let at = 0; at < 3; at += 1) await start(at);
  });

  after(async () => {
    for (const socket of sockets) socket.disconnect();
    await Promise.all(nodes.map((node) => node.stop()));
    await redis.stop();
    epmd.stop();
  });

  async function start(at: number): Promise<DefaultNode> {
    const name = (n: number) => `n${n}@127.0.0.1`;
    const node = await DefaultNode.start((config) => {
      const others = [0, 1, 2].filter((n) => n !== at).map(name);
      const cluster = { name: name(at), epmd_port: epmd.port, cluster_nodes: others, net_ticktime: 2 };
      Object.assign(config.hive!, cluster, { cluster_cookie: 'a secret of tests' });
      const args = { host: '127.0.0.1', port: redis.port, reconnect_timeout: 50 };
      config.connectors!.pools = { store: { connector: 'connector.redis', size: 1, overflow: 0, args } };
      config.pubsub!.channels = {
        told: { privilege: 'public', timeout: 60_000, history: { size: 1000 } },
        kept: { privilege: 'public', timeout: 60_000, history: { size: 1000, store: 'store' } },
      };
      const { hooks } = config.clients as { hooks: Record<string, unknown> };
      hooks.watch = [{ hook: 'pubsub.subscribe', args: { privilege: 'public', replay: 3 } }];
      hooks.past = [{ hook: 'pubsub.history', args: 'public' }];
    });
    nodes[at] = node;
    await sees(...nodes.map(() => nodes.length));
    return node;
  }

  async function sees(...sizes: number[]): Promise<void> {
    for (const [at, size] of sizes.entries()) {
      await eventually(
        async () => (await metric(at, 'hive.cluster.size')) === size,
        `node ${at} to see ${size}`,
        30_000,
      );
    }
  }

  async function metric(at: number, path: string): Promise<unknown> {
    let value: unknown = await json(await fetch(nodes[at]!.address('monitor', `/monitor/KEY/${path}`)));
    for (const segment of path.split('.')) value = (value as Record<string, unknown>)[segment];
    return value;
  }

  /** A client that notes what it hears, and watches a channel. */
  async function listen(at: number, channel: string): Promise<{ socket: Socket; heard: number[] }> {
    const socket = io(nodes[at]!.url, { transports: ['websocket'], forceNew: true, reconnection: false });
    sockets.push(socket);
    const heard: number[] = [];
    socket.on('said', (n: number) => heard.push(n));
    await new Promise((resolve) => socket.once('connect', () => resolve(undefined)));
    socket.emit('watch', channel);
    const path = `pubsub/subscribe/${channel}`;
    await eventually(
      async () => (await json(await nodes[at]!.api('GET', path))).subscribed_clients === 1,
      'the client',
    );
    return { socket, heard };
  }

  /** A channel whose history is in the memory of that node. */
  async function homedAt(at: number): Promise<string> {
    for (let n = 0; ; n += 1) {
      const channel = `told.${at}.${n}`;
      const before = (await metric(at, 'pubsub.history.channels')) as number;
      await historyAt(nodes[0]!, channel);
      if ((await metric(at, 'pubsub.history.channels')) === before + 1) return channel;
    }
  }

  for (const prefix of ['told', 'kept']) {
    test(`${prefix}: what is published at one node is read at another, and replayed to clients`, async () => {
      const channel = `${prefix}.a`;
      for (const n of upTo(5)) assert.equal(await publish(nodes[n % 3]!, channel, n), 200);
      const page = await historyAt(nodes[1]!, channel);
      assert.deepEqual([numbers(page), page.offset, page.complete], [upTo(5), 5, true]);
      const { epoch } = page;
      assert.deepEqual(numbers(await historyAt(nodes[2]!, channel, `since=3&epoch=${epoch}`)), [4, 5]);
      assert.deepEqual(numbers(await historyAt(nodes[0]!, channel, 'reverse=true&limit=2')), [5, 4]);
      const { socket, heard } = await listen(2, channel);
      assert.equal(await publish(nodes[0]!, channel, 6), 200);
      await eventually(() => heard.length === 4, 'the replay and the next one');
      assert.deepEqual(heard, [3, 4, 5, 6]);
      const answer = (await socket.timeout(5000).emitWithAck('past', channel, { since: 4, epoch })) as HistoryPage;
      assert.deepEqual([answer.channel, numbers(answer)], [channel, [5, 6]]);
      assert.equal((await nodes[1]!.api('DELETE', `pubsub/history/${channel}`)).status, 200);
      const cleared = await historyAt(nodes[0]!, channel);
      assert.deepEqual([cleared.entries, cleared.offset, cleared.epoch], [[], 6, epoch]);
      socket.disconnect();
    });
  }

  test('Redis that restarts loses nothing, and what is published meanwhile comes when it is back', async () => {
    const { heard, socket } = await listen(1, 'kept.b');
    for (const n of upTo(3)) await publish(nodes[0]!, 'kept.b', n);
    const { epoch } = await historyAt(nodes[0]!, 'kept.b');
    await redis.stop('SIGKILL');
    const answers = [4, 5].map((n) => publish(nodes[0]!, 'kept.b', n));
    await redis.start();
    assert.deepEqual(await Promise.all(answers), [200, 200]);
    await publish(nodes[2]!, 'kept.b', 6);
    await eventually(() => heard.length === 6, 'all of it', 20_000);
    assert.deepEqual(heard.toSorted(), upTo(6));
    const page = await historyAt(nodes[2]!, 'kept.b');
    assert.deepEqual([numbers(page), page.epoch], [heard, epoch]);
    socket.disconnect();
  });

  test('a home that is killed: what is in Redis stays, what was in its memory is another epoch', async () => {
    const told = await homedAt(2);
    const clients = await Promise.all([told, 'kept.c'].map((channel) => listen(0, channel)));
    for (const n of upTo(3)) for (const channel of [told, 'kept.c']) await publish(nodes[0]!, channel, n);
    const [toldBefore, keptBefore] = await Promise.all([told, 'kept.c'].map((id) => historyAt(nodes[0]!, id)));
    let sent = 3;
    const waiting: Promise<number>[] = [];
    const talk = () => {
      sent += 1;
      for (const channel of [told, 'kept.c']) waiting.push(publish(nodes[1]!, channel, sent));
    };
    for (let n = 0; n < 10; n += 1) talk();
    await nodes[2]!.process.stop('SIGKILL');
    for (let n = 0; n < 10; n += 1) talk();
    assert.deepEqual(new Set(await Promise.all(waiting)), new Set([200]));
    for (const { heard } of clients) {
      await eventually(() => new Set(heard).size === sent, `all of ${sent}`, 20_000);
    }
    const [toldAfter, keptAfter] = await Promise.all([told, 'kept.c'].map((id) => historyAt(nodes[1]!, id)));
    assert.equal(keptAfter!.epoch, keptBefore!.epoch);
    assert.deepEqual(numbers(keptAfter!), clients[1]!.heard);
    assert.ok(toldAfter!.epoch > toldBefore!.epoch);
    for (const { socket } of clients) socket.disconnect();
  });

  test('a node that joins is sent histories, and sends them back when it stops, while others publish', async () => {
    const channels = upTo(12).map((n) => `told.moved.${n}`);
    const listeners = await Promise.all(channels.map((channel) => listen(0, channel)));
    let sent = 0;
    let isOver = false;
    const talking = (async () => {
      while (!isOver) {
        sent += 1;
        const statuses = await Promise.all(channels.map((channel, at) => publish(nodes[at % 2]!, channel, sent)));
        assert.deepEqual(new Set(statuses), new Set([200]));
      }
    })();
    await eventually(() => sent > 3, 'the first ones');
    const { epoch } = await historyAt(nodes[0]!, channels[0]!);
    await nodes[2]!.stop();
    const node = await start(2);
    await eventually(async () => ((await metric(2, 'pubsub.history.channels')) as number) > 0, 'what moves');
    await eventually(async () => ((await metric(2, 'pubsub.history.appended')) as number) > 0, 'its first number');
    assert.equal((await node.process.stop()).code, 0);
    const then = sent;
    await eventually(() => sent > then + 3, 'what comes then', 20_000);
    isOver = true;
    await talking;
    for (const [at, { heard, socket }] of listeners.entries()) {
      await eventually(() => heard.length >= sent, `all of ${sent} in ${channels[at]}`, 20_000);
      assert.deepEqual(heard, upTo(sent));
      const page = await historyAt(nodes[1]!, channels[at]!, 'limit=1000');
      assert.deepEqual([numbers(page), page.offset], [upTo(sent), sent]);
      if (at === 0) assert.equal(page.epoch, epoch);
      socket.disconnect();
    }
  });
});
