/** Clients of one node of a cluster whose sessions are in Redis: what they hear, and what becomes of them when nodes are killed. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { SessionRecord } from '../../src/actors/client/session-record.ts';
import { CutProxy } from './cut-proxy.ts';
import { eventually } from './eventually.ts';
import { RedisServer } from './redis.ts';
import type { RelayNode } from './relay-cluster.ts';
import { type Durability, ReturnCluster } from './return-cluster.ts';
import { ReturningClient } from './returning-client.ts';

const channel = 'room.all';
/** Clients that connect at the same time. */
const atOnce = 50;
/** Between two publishes. */
const paceMs = 50;

interface Told {
  readonly sid: string;
  readonly trigger: unknown;
  readonly node: string;
  readonly state: { readonly nick?: string };
  readonly session: { readonly epoch: number };
  readonly key: unknown;
}

interface StoredRecord {
  readonly owner: string;
  readonly epoch: number;
  /** Its owner has stored all that there is to know of it. */
  readonly isSettled: boolean;
}

export class DurableCrowd {
  readonly scene: ReturnCluster;
  readonly redis: RedisServer;
  /** The way of all of them. */
  readonly proxy: CutProxy;
  readonly clients: ReturningClient[] = [];
  #published = 0;

  private constructor(scene: ReturnCluster, redis: RedisServer, proxy: CutProxy) {
    this.scene = scene;
    this.redis = redis;
    this.proxy = proxy;
  }

  /**
   * @param isAway whether Redis is not there yet
   * @param options of Redis, as of `RedisServer.start`
   */
  static async start(
    t: TestContext,
    durability: Durability = {},
    isAway = false,
    options?: Parameters<typeof RedisServer.start>[0],
  ): Promise<DurableCrowd> {
    const redis = await RedisServer.start(options);
    if (isAway) await redis.stop();
    const scene = await ReturnCluster.start({}, undefined, redis.port, undefined, durability);
    const crowd = new DurableCrowd(scene, redis, await CutProxy.start(scene.nodes[0]!.port));
    t.after(() => crowd.#stop());
    // Each has a state of its own and is in a channel with all others.
    scene.backEnd.answers.set('/on_connect', ({ body }) => {
      const { sid } = JSON.parse(body) as Told;
      return {
        body: [
          { action: 'store', args: { nick: `nick of ${sid}` } },
          { action: 'join', args: [channel] },
        ],
      };
    });
    return crowd;
  }

  get nodes(): readonly RelayNode[] {
    return this.scene.nodes;
  }

  get sids(): string[] {
    return this.clients.map(({ sids }) => sids[0]!);
  }

  /** @param query of their URLs */
  async enter(count: number, query?: Record<string, string>): Promise<ReturningClient[]> {
    const entered: ReturningClient[] = [];
    for (let left = count; left > 0; left -= atOnce) {
      const connect = () => new ReturningClient(this.proxy.url, query && { query });
      const some = Array.from({ length: Math.min(atOnce, left) }, connect);
      entered.push(...some);
      this.clients.push(...some);
      await Promise.all(some.map((client) => client.connected(1, 60_000)));
    }
    return entered;
  }

  /** Clients that cannot return, and do not come back. Resolves to their session ids. */
  async enterOnce(count: number): Promise<string[]> {
    const entered = await this.enter(count, { recovery: '0' });
    for (const { socket } of entered) socket.io.reconnection(false);
    return entered.map(({ sids }) => sids[0]!);
  }

  /** Publishes that many numbers to all of them, through these nodes in turn; each is confirmed before the next. */
  async publish(count: number, ...through: readonly number[]): Promise<void> {
    for (let at = 0; at < count; at += 1) {
      const node = this.nodes[through[at % through.length]!]!;
      const body = JSON.stringify({ name: 'news', args: [this.#published] });
      const answer = await node.api('POST', `pubsub/publish/${channel}`, body);
      assert.equal(answer.status, 200, await answer.text());
      this.#published += 1;
    }
  }

  /** Publishes until its end. */
  talk(...through: readonly number[]): { end(): Promise<void> } {
    let isOver = false;
    const talking = (async () => {
      while (!isOver) {
        await this.publish(1, ...through);
        await delay(paceMs);
      }
    })();
    return {
      end: () => {
        isOver = true;
        return talking;
      },
    };
  }

  async kill(...at: readonly number[]): Promise<void> {
    await Promise.all(at.map((index) => this.nodes[index]!.process.stop('SIGKILL')));
  }

  /** Their way leads to these nodes from now on. */
  lead(...at: readonly number[]): void {
    this.proxy.mend(...at.map((index) => this.nodes[index]!.port));
  }

  /** Waits until all of them have come back that often, and checks that each was recovered and has heard everything once, in order. */
  async back(times: number, clients: readonly ReturningClient[] = this.clients): Promise<void> {
    for (const client of clients) await client.connected(1 + times, 60_000);
    for (const client of clients) {
      const { connects, sids } = client;
      assert.deepEqual(connects, [false, ...Array<boolean>(times).fill(true)]);
      assert.equal(new Set(sids).size, 1);
    }
    await this.haveAll(clients);
  }

  async haveAll(clients: readonly ReturningClient[] = this.clients): Promise<void> {
    const all = Array.from({ length: this.#published }, (_, number) => number);
    for (const client of clients) {
      await eventually(() => client.firsts('news').length >= all.length, `${all.length} numbers`, 30_000);
      assert.deepEqual(client.firsts('news'), all);
    }
  }

  /** What back ends were told, oldest first. */
  told(hook: string): Told[] {
    return this.scene.backEnd.asked
      .filter(({ path }) => path === `/${hook}`)
      .map(({ body, headers }) => ({ ...(JSON.parse(body) as Omit<Told, 'key'>), key: headers['idempotency-key'] }));
  }

  /** Waits until back ends have heard of the departures of these sessions: of each of them once. */
  async departed(sids: readonly string[], limitMs: number): Promise<Told[]> {
    await eventually(() => this.told('on_disconnect').length >= sids.length, `${sids.length} departures`, limitMs);
    const told = this.told('on_disconnect');
    assert.deepEqual(told.map(({ sid }) => sid).sort(), [...sids].sort());
    return told;
  }

  /** The records of sessions, by session id. */
  async records(): Promise<Map<string, StoredRecord>> {
    return this.redis.query(async (redis) => {
      const records = new Map<string, StoredRecord>();
      for (const key of await redis.keys('*:sessions')) {
        for (const [sid, record] of Object.entries(await redis.hgetall(key))) {
          const [, owner, epoch, text] = /^([^|]*)\|(\d+)\|(.*)$/.exec(record)!;
          const { r, x = [] } = JSON.parse(text!) as SessionRecord;
          const isSettled = r?.owner === owner && x.every(({ last }) => last !== undefined);
          records.set(sid, { owner: owner!, epoch: Number(epoch), isSettled });
        }
      }
      return records;
    });
  }

  /** Waits until other nodes go on with all sessions of these nodes. */
  async adopted(...from: readonly number[]): Promise<void> {
    const isAdopted = async ({ owner, isSettled }: StoredRecord) =>
      isSettled && !from.includes(await this.nodeOf(owner));
    await eventually(
      async () => {
        const records = [...(await this.records()).values()];
        return (await Promise.all(records.map(isAdopted))).every(Boolean);
      },
      'adoptions',
      30_000,
    );
  }

  /** Waits until other nodes go on with these sessions. */
  async settled(sids: readonly string[]): Promise<void> {
    const isSettled = (record?: StoredRecord) => record?.isSettled && record.epoch > 0;
    const areAll = async () => {
      const records = await this.records();
      return sids.every((sid) => isSettled(records.get(sid)));
    };
    await eventually(areAll, 'adoptions', 30_000);
  }

  /** The index of the node behind an owner. */
  async nodeOf(owner: string): Promise<number> {
    const ownership = await this.redis.query(async (redis) => {
      const [key] = await redis.keys('*:owners');
      return redis.hget(key!, owner);
    });
    return this.nodes.findIndex(({ index }) => ownership?.startsWith(`relay${index}@`));
  }

  async #stop(): Promise<void> {
    for (const client of this.clients) client.stop();
    await this.proxy.stop();
    await this.scene.stop();
    await this.redis.stop();
  }
}
