/**
 * Sessions in Redis: another node tells of whoever is gone with its node. Old fault: nobody told the departures of a node that was
 * killed.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { BackEnd } from '../support/back-end.ts';
import { DefaultNode } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { missing } from '../support/programs.ts';
import { RedisServer } from '../support/redis.ts';
import { SocketClient } from '../support/socket-clients.ts';

const skip = missing('redis-server');
const leaseMs = 3000;
const hooks = ['on_connect', 'on_disconnect', 'note'] as const;

interface Told {
  readonly hook: string;
  readonly sid: string;
  readonly trigger: unknown;
  readonly key: unknown;
  readonly node: string;
  readonly state: Record<string, unknown>;
  readonly session: { readonly epoch: number; readonly event: number; readonly connected_at: number };
}

/** Nodes that know nothing of one another but share a Redis, and the back end that they tell. */
class World {
  readonly redis: RedisServer;
  readonly backEnd: BackEnd;
  readonly nodes: DefaultNode[] = [];
  readonly #manager: string;

  private constructor(redis: RedisServer, backEnd: BackEnd, manager: string) {
    this.redis = redis;
    this.backEnd = backEnd;
    this.#manager = manager;
  }

  static async start(t: TestContext, size: number, manager = 'sm.local'): Promise<World> {
    const world = new World(await RedisServer.start(), await BackEnd.start(), manager);
    t.after(() => world.#stop());
    for (let at = 0; at < size; at += 1) await world.startNode();
    return world;
  }

  async startNode(): Promise<DefaultNode> {
    const name = `durable${this.nodes.length + 1}@127.0.0.1`;
    const { port } = this.redis;
    const node = await DefaultNode.start((config) => {
      Object.assign(config.hive!, { name, graceful_termination_timeout: 500 });
      const web = { base_url: this.backEnd.url, max_connection_timeout: 5000 };
      const store = { host: '127.0.0.1', port, reconnect_timeout: 100, max_reconnect_timeout: 300 };
      config.connectors = {
        pools: {
          web: { connector: 'connector.http', size: 4, overflow: 16, args: web },
          redis: { connector: 'connector.redis', size: 2, overflow: 2, args: store },
        },
      };
      const named = hooks.map((hook) => [
        hook,
        [{ hook: 'hp.post', args: { connector: 'web', endpoint: `/${hook}` } }],
      ]);
      Object.assign(config.clients!, {
        durable: { connector: 'redis', lease: leaseMs },
        state: {
          state_manager: this.#manager,
          initial_value: {},
          args: this.#manager === 'sm.redis' ? { connector: 'redis' } : null,
        },
        hooks: Object.fromEntries(named),
        actions: { store: [{ action: 'action.update_state', args: null }] },
      });
    });
    this.nodes.push(node);
    return node;
  }

  /** What back ends were told, oldest first. */
  told(hook: (typeof hooks)[number]): Told[] {
    return this.backEnd.asked
      .filter(({ path }) => path === `/${hook}`)
      .map(({ body, headers }) => ({
        hook,
        key: headers['idempotency-key'],
        ...(JSON.parse(body) as Omit<Told, 'hook' | 'key'>),
      }));
  }

  /** Waits until every one of these has departed, and then as long again as that may take: nobody may be told twice. */
  async departed(count: number): Promise<Told[]> {
    await eventually(() => this.told('on_disconnect').length >= count, `${count} departures`, leaseMs + 5000);
    return this.told('on_disconnect');
  }

  /** The keys that are left. */
  async keys(): Promise<string[]> {
    return (await this.redis.query((redis) => redis.keys('*'))).sort();
  }

  async #stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
    await this.redis.stop();
    await this.backEnd.stop();
  }
}

for (const manager of ['sm.local', 'sm.redis']) {
  test(`the departures of a node that was killed are told by another one, each once: ${manager}`, {
    skip,
  }, async (t) => {
    const world = await World.start(t, 2, manager);
    const one = world.nodes[0]!;
    world.backEnd.answers.set('/on_connect', { body: [{ action: 'store', args: { nick: 'ann' } }] });
    const clients = await Promise.all(Array.from({ length: 30 }, () => SocketClient.connect('4.8 websocket', one.url)));
    const sids = new Set(world.told('on_connect').map(({ sid }) => sid));
    await one.process.stop('SIGKILL');

    const told = await world.departed(30);
    assert.deepEqual([told.length, new Set(told.map(({ sid }) => sid))], [30, sids]);
    for (const { sid, trigger, key, state, session } of told) {
      assert.deepEqual([trigger, key, session.epoch, state.nick], ['node_lost', `${sid}/end`, 1, 'ann']);
    }
    for (const client of clients) await client.disconnect();
    await eventually(
      async () => (await world.keys()).every((key) => /:(?:owners|secret|lease:.*|{.*}:gone)$|^{.*}:epoch$/.test(key)),
      'no record',
    );
  });
}

test('a node that stood still for longer than its lease does no harm, and serves on', { skip }, async (t) => {
  const world = await World.start(t, 2);
  const [one] = world.nodes as [DefaultNode];
  const client = await SocketClient.connect('4.8 websocket', one.url);
  const sid = world.told('on_connect')[0]!.sid;
  one.process.signal('SIGSTOP');
  const [told] = await world.departed(1);
  assert.deepEqual([told?.sid, told?.trigger], [sid, 'node_lost']);
  client.emit('note');
  one.process.signal('SIGCONT');
  await client.until(() => !client.connected, 'its end');
  const next = await SocketClient.connect('4.8 websocket', one.url);
  next.emit('note');
  await eventually(() => world.told('note').length > 0, 'the note of the next client');
  assert.deepEqual(
    world.told('note').map(({ sid: of }) => of === sid),
    [false],
  );
  await next.disconnect();
  assert.deepEqual(
    (await world.departed(2)).map(({ trigger }) => trigger),
    ['node_lost', 'client_disconnect'],
  );
});

test('all nodes are killed: one that starts later tells of everybody', { skip }, async (t) => {
  const world = await World.start(t, 2);
  for (const node of world.nodes) await SocketClient.connect('4.8 websocket', node.url);
  await Promise.all(world.nodes.map((node) => node.process.stop('SIGKILL')));
  await world.startNode();
  const told = await world.departed(2);
  assert.deepEqual(new Set(told.map(({ sid }) => sid)), new Set(world.told('on_connect').map(({ sid }) => sid)));
});

test('Redis is away: the node serves on, and stores its sessions when Redis is back, also if that has lost them', {
  skip,
}, async (t) => {
  const world = await World.start(t, 2);
  const [one] = world.nodes as [DefaultNode];
  await SocketClient.connect('4.8 websocket', one.url);
  await world.redis.stop('SIGKILL');
  const late = await SocketClient.connect('4.8 websocket', one.url);
  late.emit('note');
  await eventually(() => world.told('note').length === 1, 'a note without Redis');
  assert.match(await (await one.monitor('GET', 'health')).text(), /not durable/);
  await world.redis.start();
  await eventually(
    async () => (await world.redis.query((redis) => redis.keys('*'))).some((key) => key.endsWith(':sessions')),
    'records',
  );
  await eventually(async () => !/not durable/.test(await (await one.monitor('GET', 'health')).text()), 'health');
  assert.deepEqual(world.told('on_disconnect'), []);
  await one.process.stop('SIGKILL');
  const told = await world.departed(2);
  assert.deepEqual(new Set(told.map(({ sid }) => sid)), new Set(world.told('on_connect').map(({ sid }) => sid)));
});

test('departures that no back end answers while the node stops are told by another one', { skip }, async (t) => {
  const world = await World.start(t, 2);
  const [one] = world.nodes as [DefaultNode];
  await SocketClient.connect('4.8 websocket', one.url);
  world.backEnd.answers.set('/on_disconnect', { status: 503 });
  await one.process.stop();
  world.backEnd.answers.delete('/on_disconnect');
  const tries = world.told('on_disconnect').length;
  assert.ok(tries > 0);
  const told = await world.departed(tries + 1);
  const [first, last] = [told[0]!, told.at(-1)!];
  assert.deepEqual([last.key, last.trigger, last.session], [first.key, first.trigger, first.session]);
});

test('nothing is left behind by nodes that stop', { skip }, async (t) => {
  const world = await World.start(t, 2);
  for (const node of world.nodes) await SocketClient.connect('4.8 websocket', node.url);
  assert.ok((await world.keys()).length > 0);
  for (const node of world.nodes) await node.process.stop();
  // But for the secret of the cluster, which signs pids.
  assert.deepEqual([world.told('on_disconnect').length, await world.keys()], [2, ['hive:hive_cluster:secret']]);
});
