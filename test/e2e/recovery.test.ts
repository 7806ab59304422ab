/**
 * Socket.IO's own client loses its connection and comes back. Old fault: a client that was cut for two seconds heard two of four
 * messages, and came back as a stranger.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { BackEnd } from '../support/back-end.ts';
import { CutProxy } from '../support/cut-proxy.ts';
import { DefaultNode, type Sections } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { metric } from '../support/operator.ts';
import { ReturningClient, type ReturningOptions } from '../support/returning-client.ts';

class Scene {
  readonly node: DefaultNode;
  readonly proxy: CutProxy;
  readonly client: ReturningClient;
  readonly #backEnd: BackEnd;

  private constructor(node: DefaultNode, proxy: CutProxy, client: ReturningClient, backEnd: BackEnd) {
    this.node = node;
    this.proxy = proxy;
    this.client = client;
    this.#backEnd = backEnd;
  }

  /** A node with a client that is subscribed to `room.a`. */
  static async start(
    t: TestContext,
    options: ReturningOptions = {},
    change: (config: Sections) => void = () => {},
  ): Promise<Scene> {
    const backEnd = await BackEnd.start();
    const node = await DefaultNode.start((config) => {
      Object.assign(config.socketio!, { namespaces: ['/', '/side'] });
      Object.assign(config.clients!, { recovery: { window: 60_000 } });
      const args = { base_url: backEnd.url, max_connection_timeout: 5000 };
      config.connectors = { pools: { web: { connector: 'connector.http', size: 2, overflow: 4, args } } };
      const names = ['on_connect', 'on_disconnect', 'on_suspend', 'on_recover'];
      const hooks = names.map((name) => [
        name,
        [{ hook: 'hp.post', args: { connector: 'web', endpoint: `/${name}` } }],
      ]);
      Object.assign(config.clients!.hooks!, Object.fromEntries(hooks));
      Object.assign(config.clients!.actions!, {
        send: [{ action: 'action.send_event', args: null }],
        stop: [{ action: 'action.stop', args: null }],
      });
      config.pubsub = { channels: { room: { privilege: 'public', timeout: 0 } } };
      change(config);
    });
    const proxy = await CutProxy.start(Number(new URL(node.url).port));
    const client = new ReturningClient(proxy.url, options);
    t.after(async () => {
      client.stop();
      await node.stop();
      await proxy.stop();
      await backEnd.stop();
    });
    await client.connected();
    const scene = new Scene(node, proxy, client, backEnd);
    await scene.call(`pubsub/subscribe/${scene.sid}`, ['room.a']);
    return scene;
  }

  /** Of the first session. */
  get sid(): string {
    return this.client.sids[0]!;
  }

  /** What the back end was told of the first session, oldest first: `on_disconnect "ping_timeout"`. */
  get told(): string[] {
    return this.#backEnd.asked.flatMap(({ path, body }) => {
      const { sid, trigger } = JSON.parse(body) as { sid: string; trigger: unknown };
      return sid === this.sid ? [`${path.slice(1)} ${JSON.stringify(trigger)}`] : [];
    });
  }

  async call(path: string, body: unknown): Promise<void> {
    const answer = await this.node.api('POST', path, JSON.stringify(body));
    assert.equal(answer.status, 200, await answer.text());
  }

  async publish(...numbers: number[]): Promise<void> {
    for (const number of numbers) await this.call('pubsub/publish/room.a', { name: 'news', args: [number] });
  }

  /** To this client alone. */
  send(...numbers: number[]): Promise<void> {
    const actions = numbers.map((number) => ({ action: 'send', args: { name: 'news', args: [number] } }));
    return this.call(`clients/action/${this.sid}`, actions);
  }

  /** The numbers that the client has heard, once there are so many. */
  async heard(count: number): Promise<unknown[]> {
    await eventually(() => this.client.firsts('news').length >= count, `${count} numbers`);
    return this.client.firsts('news');
  }
}

for (const [name, transports] of [
  ['a WebSocket', ['websocket']],
  ['polling', ['polling']],
  ['polling that is upgraded', ['polling', 'websocket']],
] as const) {
  test(`a client that was cut off hears all it has missed, once and in order: ${name}`, async (t) => {
    const scene = await Scene.start(t, { transports });
    const { node, proxy, client } = scene;
    await scene.publish(1);
    await scene.heard(1);

    proxy.cut();
    await scene.publish(2, 3);
    await scene.send(4);
    await scene.publish(5);
    proxy.mend();
    await client.connected(2);
    await scene.publish(6);

    assert.deepEqual(await scene.heard(6), [1, 2, 3, 4, 5, 6]);
    assert.deepEqual(client.connects, [false, true]);
    assert.equal(client.sids[1], scene.sid);
    await eventually(() => scene.told.length === 3, 'three hooks');
    const [connect, suspend, recover] = scene.told;
    assert.equal(connect, 'on_connect null');
    // A server that learns of the new connection first.
    assert.match(suspend!, /^on_suspend "(transport_closed|replaced)"$/);
    assert.match(recover!, /^on_recover {"away_ms":\d+}$/);
    assert.equal(await metric(node, 'clients.recovery.recovered'), 1);
  });
}
