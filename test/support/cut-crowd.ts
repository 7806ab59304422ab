/**
 * Clients whose ways are cut at random bytes while numbers are published to all of them and sent to each. Whatever the cuts: every
 * client has heard every number once and in order, in one session.
 */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { Random } from '../fuzz/random.ts';
import { CutProxy } from './cut-proxy.ts';
import { eventually } from './eventually.ts';
import { ReturningClient } from './returning-client.ts';

/** Posts to the API of some node. */
export type Call = (path: string, body: unknown) => Promise<void>;

const ways = [['websocket'], ['polling'], ['polling', 'websocket']] as const;
const channel = 'room.crowd';
const binary = { _binary: Buffer.from([0, 1, 254, 255]).toString('base64') };
/** What comes with the numbers: short and long texts, and bytes, which are frames of their own. */
const luggage = [[], ['x'], [binary], ['y'.repeat(3000)], [binary, 'z', binary]];

class CutClient {
  readonly proxy: CutProxy;
  readonly client: ReturningClient;
  /** How many numbers were sent to it alone. */
  sent = 0;

  constructor(proxy: CutProxy, client: ReturningClient) {
    this.proxy = proxy;
    this.client = client;
  }

  /** Cuts at a random byte of a random direction; now and then the node does not notice. The way is there again at once. */
  async cut(random: Random): Promise<void> {
    const isUp = random.chance(1 / 3);
    // Mostly near the beginning: handshake, answer, what was missed.
    const bytes = random.int(random.int(isUp ? 1200 : 6000) + 1);
    await this.proxy.cutAfter(bytes, isUp ? 'server' : 'client', random.chance(1 / 4));
    this.proxy.mend();
  }

  count(name: string): number {
    return this.client.heard.reduce((sum, [heard]) => (heard === name ? sum + 1 : sum), 0);
  }

  check(published: number): void {
    const { connects, sids, positions } = this.client;
    assert.equal(connects.lastIndexOf(false), 0, 'recovered at every return');
    assert.equal(new Set(sids).size, 1);
    assert.deepEqual(this.client.firsts('news'), numbers(published));
    assert.deepEqual(this.client.firsts('own'), numbers(this.sent));
    let last = 0;
    for (const position of positions) {
      const number = Number.parseInt(String(position).slice(8), 36);
      assert(number > last, `position ${number} behind ${last}`);
      last = number;
    }
  }
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at);
}

export class CutCrowd {
  readonly #call: Call;
  readonly #clients: CutClient[] = [];
  readonly #random: Random;
  /** How many numbers were published. */
  #published = 0;
  #isOver = false;
  readonly #paceMs: number;

  /** @param paceMs between two publishes */
  constructor(call: Call, seed: string, paceMs: number) {
    this.#call = call;
    this.#paceMs = paceMs;
    this.#random = new Random(seed);
  }

  /** @param ports where the clients go, in turn with every connection */
  async enter(count: number, ...ports: readonly number[]): Promise<void> {
    for (let at = 0; at < count; at += 1) {
      const proxy = await CutProxy.start(...ports);
      const client = new ReturningClient(proxy.url, { transports: ways[at % ways.length]! });
      this.#clients.push(new CutClient(proxy, client));
      // One after the other: hooks of `on_connect` that have to wait too long would refuse some.
      await client.connected(1, 60_000);
      await this.#call(`pubsub/subscribe/${client.sids[0]}`, [channel]);
    }
  }

  /** Cuts each of them as often as that, or for as long; meanwhile there is much to hear. Returns how many cuts there were. */
  async cut(until: { readonly times: number } | { readonly ms: number }): Promise<number> {
    const end = 'ms' in until ? performance.now() + until.ms : Number.POSITIVE_INFINITY;
    const times = 'times' in until ? until.times : Number.POSITIVE_INFINITY;
    const talk = this.#talk();
    let cuts = 0;
    await Promise.all(
      this.#clients.map(async (client) => {
        for (let at = 0; at < times && performance.now() < end; at += 1) {
          await client.cut(this.#random);
          cuts += 1;
        }
      }),
    );
    this.#isOver = true;
    await talk;
    return cuts;
  }

  /** Publishes and sends until there are no more cuts. Clients speak too, so that there is something to cut. */
  async #talk(): Promise<void> {
    for (let at = 0; !this.#isOver; at += 1) {
      const luck = this.#random;
      await this.#call(`pubsub/publish/${channel}`, { name: 'news', args: [this.#published, ...luck.pick(luggage)] });
      this.#published += 1;
      const one = luck.pick(this.#clients);
      const args = { name: 'own', args: [one.sent, ...luck.pick(luggage)] };
      await this.#call(`clients/action/${one.client.sids[0]}`, [{ action: 'send', args }]);
      one.sent += 1;
      for (const { client } of this.#clients) client.socket.volatile.emit('echo', at);
      await delay(this.#paceMs);
    }
  }

  /** Waits until everybody has everything. */
  async check(): Promise<void> {
    const hasAll = (one: CutClient): boolean => one.count('news') >= this.#published && one.count('own') >= one.sent;
    for (const one of this.#clients) {
      await eventually(() => hasAll(one), 'the last numbers', 30_000).catch(() => {});
      one.check(this.#published);
    }
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    for (const { client } of this.#clients) client.stop();
    for (const { proxy } of this.#clients) await proxy.stop();
  }
}
