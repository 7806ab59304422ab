/** A node whose clients may return, with a back end that hears of them, and visitors whose way to it can be cut. */
import assert from 'node:assert/strict';
import { BackEnd } from './back-end.ts';
import { CutProxy } from './cut-proxy.ts';
import { DefaultNode, type Sections } from './default-node.ts';
import { eventually } from './eventually.ts';
import { metric } from './operator.ts';
import { ReturningClient, type ReturningOptions } from './returning-client.ts';

const lifeHooks = ['on_connect', 'on_disconnect', 'on_suspend', 'on_recover'];

/** What back ends are told, as far as these tests look at it. */
export interface Told {
  readonly sid: string;
  readonly trigger: unknown;
  readonly auth?: unknown;
}

/**
 * Pings for clients that are cut while they change their transport: if the socket breaks between the last poll and its answer, the
 * library has stopped polling, and notices nothing but missing pings.
 */
export const soonPings = { ping_interval: 2000, ping_timeout: 5000 };

export class RecoveryNode {
  readonly node: DefaultNode;
  readonly backEnd: BackEnd;
  readonly #visitors: Visitor[] = [];

  private constructor(node: DefaultNode, backEnd: BackEnd) {
    this.node = node;
    this.backEnd = backEnd;
  }

  /** The event `ask` is answered by the back end, `echo` by the node. */
  static async start(
    change: (config: Sections) => void = () => {},
    env: NodeJS.ProcessEnv = {},
  ): Promise<RecoveryNode> {
    const backEnd = await BackEnd.start();
    const node = await DefaultNode.start((config) => {
      Object.assign(config.socketio!, { namespaces: ['/', '/side'] });
      Object.assign(config.clients!, { recovery: { window: 60_000 } });
      const args = { base_url: backEnd.url, max_connection_timeout: 5000 };
      config.connectors = { pools: { web: { connector: 'connector.http', size: 4, overflow: 4, args } } };
      for (const name of [...lifeHooks, 'ask']) {
        config.clients!.hooks = {
          ...(config.clients!.hooks as object),
          [name]: [{ hook: 'hp.post', args: { connector: 'web', endpoint: `/${name}` } }],
        };
      }
      Object.assign(config.clients!.hooks!, { echo: [{ hook: 'utils.echo', args: null }] });
      Object.assign(config.clients!.actions!, {
        send: [{ action: 'action.send_event', args: null }],
        message: [{ action: 'action.send_message', args: null }],
        ack: [{ action: 'action.send_ack', args: null }],
        stop: [{ action: 'action.stop', args: null }],
      });
      config.pubsub = { channels: { room: { privilege: 'public', timeout: 0 } } };
      change(config);
    }, env);
    return new RecoveryNode(node, backEnd);
  }

  get port(): number {
    return Number(new URL(this.node.url).port);
  }

  /** A client that is subscribed to a room of its own. */
  async visit(options: ReturningOptions = {}): Promise<Visitor> {
    const proxy = await CutProxy.start(this.port);
    const visitor = new Visitor(this, proxy, new ReturningClient(proxy.url, options), this.#visitors.length);
    this.#visitors.push(visitor);
    await visitor.client.connected();
    await visitor.join();
    return visitor;
  }

  /** What the back end was told of a session, oldest first: `on_disconnect "ping_timeout"`. */
  told(sid: string): string[] {
    return this.backEnd.asked.flatMap(({ path, body }) => {
      if (!path.startsWith('/on_')) return [];
      const told = JSON.parse(body) as Told;
      return told.sid === sid ? [`${path.slice(1)} ${JSON.stringify(told.trigger)}`] : [];
    });
  }

  async call(path: string, body: unknown): Promise<void> {
    const answer = await this.node.api('POST', path, JSON.stringify(body));
    assert.equal(answer.status, 200, await answer.text());
  }

  /** One of the counters of recovery. */
  async count(name: string): Promise<number> {
    return (await metric(this.node, `clients.recovery.${name}`)) ?? 0;
  }

  async stop(): Promise<void> {
    for (const { client } of this.#visitors) client.stop();
    await this.node.stop();
    for (const { proxy } of this.#visitors) await proxy.stop();
    await this.backEnd.stop();
  }
}

export class Visitor {
  readonly proxy: CutProxy;
  readonly client: ReturningClient;
  readonly room: string;
  readonly #at: RecoveryNode;

  constructor(at: RecoveryNode, proxy: CutProxy, client: ReturningClient, number: number) {
    this.#at = at;
    this.proxy = proxy;
    this.client = client;
    this.room = `room.${number}`;
  }

  /** Of the first session. */
  get sid(): string {
    return this.client.sids[0]!;
  }

  /** What the back end was told of the first session. */
  get told(): string[] {
    return this.#at.told(this.sid);
  }

  /** Subscribes its present session. */
  async join(): Promise<void> {
    await this.#at.call(`pubsub/subscribe/${this.client.sids.at(-1)}`, [this.room]);
  }

  async publish(...numbers: unknown[]): Promise<void> {
    for (const number of numbers) {
      await this.#at.call(`pubsub/publish/${this.room}`, { name: 'news', args: [number] });
    }
  }

  /** To this client's present session alone. */
  async send(...numbers: unknown[]): Promise<void> {
    const actions = numbers.map((number) => ({ action: 'send', args: { name: 'news', args: [number] } }));
    await this.act(...actions);
  }

  async act(...actions: { action: string; args: unknown; trigger_id?: string }[]): Promise<void> {
    await this.#at.call(`clients/action/${this.client.sids.at(-1)}`, actions);
  }

  /** Its way is cut, and it knows; the node of one that polls may not. */
  async lose(): Promise<void> {
    this.proxy.cut();
    await eventually(() => !this.client.socket.connected, 'the loss');
  }

  /** Its way is there again, and it has come back over it. */
  async comeBack(): Promise<void> {
    const { connects } = this.client;
    const next = connects.length + 1;
    this.proxy.mend();
    await this.client.connected(next);
  }

  /** The first arguments of all `news`, once there are so many. */
  async heard(count: number): Promise<unknown[]> {
    await eventually(() => this.client.firsts('news').length >= count, `${count} news`);
    return this.client.firsts('news');
  }
}
