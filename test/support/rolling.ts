/**
 * A cluster whose nodes are replaced one after the other while numbers are published to a crowd of clients, which come to it through one
 * address, as through a load balancer that asks for health.
 */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { CutProxy } from './cut-proxy.ts';
import { eventually } from './eventually.ts';
import type { RelayNode } from './relay-cluster.ts';
import type { ReturnCluster } from './return-cluster.ts';
import { ReturningClient } from './returning-client.ts';

const ways = [['websocket'], ['polling'], ['polling', 'websocket']] as const;
const channel = 'room.crowd';

/** One step: a node that was stopped and started again. */
export interface Step {
  /** When each connection that was closed was open elsewhere, ms after the node was told to stop. */
  readonly openedMs: readonly number[];
  /** Until the node had ended, and until the last client was back. */
  readonly endedMs: number;
  readonly backMs: number;
}

export class Rolling {
  readonly clients: ReturningClient[] = [];
  /** Numbers that were published. */
  published = 0;
  readonly #scene: ReturnCluster;
  readonly #proxy: CutProxy;
  readonly #opened: number[] = [];
  /** Where to publish, and where the last publish went. */
  #wanted = 0;
  #at = 0;
  #isOver = false;
  #talk: Promise<void> | undefined;

  private constructor(scene: ReturnCluster, proxy: CutProxy) {
    this.#scene = scene;
    this.#proxy = proxy;
  }

  static async start(scene: ReturnCluster): Promise<Rolling> {
    return new Rolling(scene, await CutProxy.start(...scene.nodes.map(({ port }) => port)));
  }

  get url(): string {
    return this.#proxy.url;
  }

  /** @param query of their URLs */
  async enter(count: number, query?: Record<string, string>): Promise<void> {
    for (let at = 0; at < count; at += 1) {
      const client = new ReturningClient(this.url, { transports: ways[at % ways.length]!, ...(query && { query }) });
      client.socket.io.on('open', () => this.#opened.push(performance.now()));
      this.clients.push(client);
      await client.connected(1, 60_000);
      await this.subscribe(client);
    }
  }

  /** Subscribes the client's present session. */
  async subscribe(client: ReturningClient): Promise<void> {
    const path = `pubsub/subscribe/${client.sids.at(-1)}`;
    const answer = await this.#scene.nodes[this.#wanted]!.api('POST', path, JSON.stringify([channel]));
    assert.equal(answer.status, 200, await answer.text());
  }

  /** Publishes 50 numbers a second until `hush`. */
  talk(): void {
    this.#talk = (async () => {
      for (; !this.#isOver; await delay(20)) {
        const body = JSON.stringify({ name: 'news', args: [this.published] });
        const answer = await this.#scene.nodes[this.#at]!.api('POST', `pubsub/publish/${channel}`, body);
        const text = await answer.text();
        assert.equal(answer.status, 200, text);
        this.published += 1;
        // What some node has not confirmed may be overtaken by what is published through another one.
        if (text === '') this.#at = this.#wanted;
      }
    })();
  }

  async hush(): Promise<void> {
    this.#isOver = true;
    await this.#talk;
  }

  /**
   * Stops a node as planned and starts it again; resolves when all clients are connected again.
   * @param stop how; resolves when it has ended
   */
  async replace(index: number, stop = (node: RelayNode) => node.process.stop()): Promise<Step> {
    const { nodes, cluster } = this.#scene;
    const node = nodes[index]!;
    this.#wanted = (index + 1) % nodes.length;
    await eventually(() => this.#at === this.#wanted, 'publishing through another node');
    this.#proxy.mend(...nodes.filter((one) => one !== node).map(({ port }) => port));
    const opened = this.#opened.length;
    const began = performance.now();
    const { code } = await stop(node);
    const endedMs = performance.now() - began;
    assert.equal(code, 0, node.process.stderr);
    await eventually(() => this.clients.every(({ socket }) => socket.connected), 'all clients', 30_000).catch(
      (error) => {
        const away = this.clients.filter(({ socket }) => !socket.connected);
        const states = away.map(
          ({ socket: { io } }) => `${io.engine?.transport?.name} ${io.engine?.readyState} ${io._readyState}`,
        );
        throw new Error(`${error.message}: ${states.join(', ')}`);
      },
    );
    const backMs = performance.now() - began;
    await cluster.restart(index);
    await cluster.meshed(nodes.length);
    this.#proxy.mend(...nodes.map(({ port }) => port));
    return { openedMs: this.#opened.slice(opened).map((at) => at - began), endedMs, backMs };
  }

  /** What back ends were told, by hook: the session ids; of requests with one key, once. */
  told(hook: 'on_connect' | 'on_disconnect'): string[] {
    const told = this.#scene.backEnd.asked.filter(({ path }) => path === `/${hook}`);
    const byKey = new Map(told.map(({ body, headers }) => [headers['idempotency-key'], body]));
    return [...byKey.values()].map((body) => (JSON.parse(body) as { sid: string }).sid);
  }

  async stop(): Promise<void> {
    await this.hush();
    for (const client of this.clients) client.stop();
    await this.#proxy.stop();
  }
}
