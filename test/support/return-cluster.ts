/** Three nodes, a back end that hears of all that happens to their clients, and a client whose way can be cut and led to another node. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { BackEnd } from './back-end.ts';
import { CutProxy } from './cut-proxy.ts';
import { eventually } from './eventually.ts';
import { RelayCluster, type RelayNode } from './relay-cluster.ts';
import { ReturningClient, type ReturningOptions } from './returning-client.ts';

const hooks = ['on_connect', 'on_disconnect', 'on_suspend', 'on_recover', 'ask'];

/** Where sessions outlive their nodes. */
export interface Durability {
  /** ms. */
  readonly lease?: number;
  /** How long sessions wait for their clients, ms; 0: not at all. */
  readonly window?: number;
  readonly nodes?: number;
  /** How long Redis may take to answer, ms; a second at least. */
  readonly maxReconnect?: number;
  /** Of the pool that leads to Redis. */
  readonly workers?: number;
  /** `clients.user` */
  readonly user?: string;
  /** Of the template of its channels. */
  readonly presence?: object;
}

export class ReturnCluster {
  readonly cluster: RelayCluster;
  readonly backEnd: BackEnd;

  private constructor(cluster: RelayCluster, backEnd: BackEnd) {
    this.cluster = cluster;
    this.backEnd = backEnd;
  }

  /**
   * @param hive as of `RelayCluster`
   * @param redis the Redis in which sessions outlive their nodes: its port, or what args of the connector say where it is; the ports where
   *   each node finds it, if they differ
   * @param state settings of `clients.state`
   */
  static async start(
    socketio: Record<string, unknown> = {},
    hive?: Parameters<typeof RelayCluster.start>[2],
    redis?: number | object,
    state: object = { state_manager: 'sm.local', initial_value: {}, args: null },
    { lease = 3000, window = 600_000, nodes = 3, maxReconnect = 300, workers = 2, user, presence }: Durability = {},
  ): Promise<ReturnCluster> {
    const backEnd = await BackEnd.start();
    // It acknowledges with what it is asked, and says which node asks.
    backEnd.answers.set('/ask', ({ body }) => {
      const { trigger, trigger_id, node } = JSON.parse(body) as {
        trigger: { args: unknown[] };
        trigger_id: string;
        node: string;
      };
      return {
        body: [
          { action: 'send', args: { name: 'asked', args: [node, ...trigger.args] } },
          { action: 'ack', args: trigger.args, trigger_id },
        ],
      };
    });
    const pool = (index: number) => {
      const place = Array.isArray(redis) ? (redis[index] as number) : redis;
      const at = typeof place === 'number' ? { host: '127.0.0.1', port: place } : place;
      const args = { ...at, reconnect_timeout: 100, max_reconnect_timeout: maxReconnect };
      return place !== undefined && { redis: { connector: 'connector.redis', size: workers, overflow: 2, args } };
    };
    const args = { base_url: backEnd.url, max_connection_timeout: 5000 };
    const sections = (index: number) => ({
      clients: {
        state,
        ...(user !== undefined && { user }),
        ...(window > 0 && { recovery: { window } }),
        ...(redis !== undefined && { durable: { connector: 'redis', lease } }),
        actions: {
          send: [{ action: 'action.send_event', args: null }],
          ack: [{ action: 'action.send_ack', args: null }],
          store: [{ action: 'action.update_state', args: null }],
          stop: [{ action: 'action.stop', args: null }],
          join: [{ action: 'action.pubsub.subscribe', args: 'private' }],
          leave: [{ action: 'action.pubsub.unsubscribe', args: 'private' }],
        },
        hooks: Object.fromEntries(
          hooks.map((name) => [name, [{ hook: 'hp.post', args: { connector: 'web', endpoint: `/${name}` } }]]),
        ),
      },
      ...(presence && { pubsub: { channels: { room: { privilege: 'public', timeout: 60_000, presence } } } }),
      connectors: {
        rent_timeout: 5000,
        pools: { web: { connector: 'connector.http', size: 4, overflow: 8, args }, ...pool(index) },
      },
    });
    return new ReturnCluster(await RelayCluster.start(nodes, socketio, hive, [], sections), backEnd);
  }

  get nodes(): readonly RelayNode[] {
    return this.cluster.nodes;
  }

  async stop(): Promise<void> {
    await this.cluster.stop();
    await this.backEnd.stop();
  }

  /**
   * A client, subscribed to a channel of its own.
   * @param port where its way leads
   */
  async client(t: TestContext, port = this.nodes[0]!.port, options: ReturningOptions = {}): Promise<ClientOfCluster> {
    const proxy = await CutProxy.start(port);
    const client = new ReturningClient(proxy.url, options);
    t.after(async () => {
      client.stop();
      await proxy.stop();
    });
    await client.connected();
    const one = new ClientOfCluster(this, proxy, client);
    await one.call(0, `pubsub/subscribe/${one.sid}`, [one.channel]);
    return one;
  }
}

export class ClientOfCluster {
  readonly proxy: CutProxy;
  readonly client: ReturningClient;
  /** Of the first session. */
  readonly sid: string;
  readonly channel: string;
  readonly #scene: ReturnCluster;
  #connects = 1;
  #sent = 0;

  constructor(scene: ReturnCluster, proxy: CutProxy, client: ReturningClient) {
    this.#scene = scene;
    this.proxy = proxy;
    this.client = client;
    this.sid = client.sids[0]!;
    this.channel = `room.${this.sid}`;
  }

  /** What the back end was told of the session, oldest first: `on_disconnect "ping_timeout"`. */
  get told(): string[] {
    return this.#scene.backEnd.asked.flatMap(({ path, body }) => {
      const { sid, trigger } = JSON.parse(body) as { sid: string; trigger: unknown };
      return sid === this.sid && path !== '/ask' ? [`${path.slice(1)} ${JSON.stringify(trigger)}`] : [];
    });
  }

  async call(at: number, path: string, body: unknown): Promise<void> {
    const answer = await this.#scene.nodes[at]!.api('POST', path, JSON.stringify(body));
    assert.equal(answer.status, 200, await answer.text());
  }

  /** Publishes the next number through that node. */
  publish(at: number, ...more: unknown[]): Promise<void> {
    this.#sent += 1;
    return this.call(at, `pubsub/publish/${this.channel}`, { name: 'news', args: [this.#sent, ...more] });
  }

  /** Sends the next number to this client alone, through that node. */
  send(at: number, ...more: unknown[]): Promise<void> {
    this.#sent += 1;
    const args = { name: 'news', args: [this.#sent, ...more] };
    return this.call(at, `clients/action/${this.sid}`, [{ action: 'send', args }]);
  }

  /**
   * Cuts the way, does something, and leads the way to that port.
   * @param port without, where it led before
   */
  async away(port: number | undefined, work: () => Promise<void> = async () => {}): Promise<void> {
    this.proxy.cut();
    await work();
    // Between two polls it would notice nothing.
    await eventually(() => !this.client.socket.connected, 'the client to notice');
    this.proxy.mend(...(port === undefined ? [] : [port]));
    await this.back();
  }

  /** Waits for the next connect packet, which is that of a recovery. */
  async back(): Promise<void> {
    this.#connects += 1;
    await this.client.connected(this.#connects);
    assert.equal(this.client.connects.at(-1), true);
    assert.equal(this.client.sids.at(-1), this.sid);
  }

  /** Waits until all numbers are there, and nothing else. */
  async hasAll(): Promise<void> {
    await eventually(() => this.client.firsts('news').length >= this.#sent, `${this.#sent} numbers`);
    assert.deepEqual(
      this.client.firsts('news'),
      Array.from({ length: this.#sent }, (_, i) => i + 1),
    );
  }

  /** Disconnects; waits until the back end knows. */
  async leave(): Promise<void> {
    this.client.stop();
    await eventually(() => this.told.at(-1) === 'on_disconnect "client_disconnect"', 'the departure');
  }

  /** Asks the back end, which answers twice. Returns the node that has passed it on: the owner. */
  async asks(value: unknown): Promise<unknown> {
    const { socket, heard } = this.client;
    const before = heard.length;
    assert.deepEqual(await socket.timeout(5000).emitWithAck('ask', value), value);
    const asked = await eventually(() => heard.slice(before).find(([name]) => name === 'asked'), 'an answer');
    assert.deepEqual(asked.slice(2), [value]);
    return asked[1];
  }
}

/** Waits until so many clients of a node have their sessions elsewhere, and so many of its sessions their clients. */
export async function remote(node: RelayNode, clients: number, sessions: number): Promise<void> {
  await eventually(async () => {
    const entries = await node.metric('hive.relay.returned.entries');
    return entries === clients && (await node.metric('hive.relay.returned.owned')) === sessions;
  }, `${clients} clients and ${sessions} sessions whose other half is elsewhere`);
}
