/**
 * Two servers are replaced, one after the other, while clients listen and publishers publish. What the clients miss is no error here, but
 * counted, and so is how they come back.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { FailoverPosts } from './failover-posts.mjs';
import { encodeRequest } from './http-client.mjs';
import { newsEvent, numberedRequest } from './messages.mjs';
import { Receipts } from './receipts.mjs';
import { quantile } from './statistics.mjs';

const tickMs = 5;
/** Connections for messages to one client each. */
const lanes = 16;
/** So long nobody is let go before a replacement counts as over, ms. */
const calmMs = 1000;
/** Time after which whoever is not back will not come, ms. */
const patienceMs = 60_000;
const [toRoom, toOne] = [0, 1];

export class Deploy {
  #participants;
  #room;
  #singles;
  #options;
  #startedAt;
  #isEnding = false;
  #lastBackAt = 0;
  #awaysMs = [];
  #returns = 0;

  /**
   * @param clients connected, and in the room
   * @param options `{ api: balancer, publishing, host, room, perSecond, singlesPerSecond }`
   */
  constructor(clients, options) {
    const { api, host, publishing, room } = options;
    this.#options = options;
    this.#participants = clients.map((client) => this.#participant(client));
    const encode = ({ path, body }, publisher) => {
      const request = encodeRequest(host, 'POST', path, body);
      const setNumber = numberedRequest(request, publisher);
      return (number) => {
        setNumber(number);
        return request;
      };
    };
    this.#room = new FailoverPosts(api, encode(publishing.publish(room, newsEvent), toRoom));
    this.#singles = Array.from({ length: lanes }, (_, lane) => {
      const mine = this.#participants.filter((_, index) => index % lanes === lane);
      const posts = new FailoverPosts(api, (number) => {
        const { client } = mine[(number - 1) % mine.length];
        return encode(publishing.one(client.sid, newsEvent), toOne)(Math.ceil(number / mine.length));
      });
      return { posts, mine };
    });
  }

  start() {
    this.#startedAt = performance.now();
    this.#tick();
  }

  /**
   * Waits until nobody is away any more.
   * @param since when the replacement began
   * @returns time from then until the last client was back, ms
   */
  async calm(since) {
    for (let quietSince = performance.now(); performance.now() - quietSince < calmMs; await pause(tickMs)) {
      const away = this.#participants.filter(({ client }) => !client.isReady).length;
      if (away > 0) quietSince = performance.now();
      if (performance.now() - since > patienceMs)
        throw new Error(`${away} clients are still away after ${patienceMs} ms`);
    }
    return Math.max(0, this.#lastBackAt - since);
  }

  /** No more messages; resolves when everybody has whatever will come. */
  async end(quietMs) {
    this.#isEnding = true;
    await Promise.all(this.#posts.map((posts) => posts.close()));
    let before = -1;
    for (let quietSince = performance.now(); performance.now() - quietSince < quietMs; await pause(tickMs)) {
      const received = this.#sum('different');
      if (received !== before) quietSince = performance.now();
      before = received;
    }
    for (const { client } of this.#participants) client.leave();
  }

  get figures() {
    const { expected, received } = this.#answered();
    const [different, exact, doubled] = ['different', 'exact', 'doubled'].map((figure) => this.#sum(figure));
    return {
      expected,
      lost: expected - received,
      doubled,
      late: different - exact - doubled,
      returns: this.#returns,
      unrecovered: this.#participants.filter(({ strangers }) => strangers > 0).length,
      awayP50: quantile(this.#awaysMs, 0.5) ?? 0,
      awayP99: quantile(this.#awaysMs, 0.99) ?? 0,
      unanswered: this.#posts.reduce((sum, { unanswered }) => sum + unanswered.size, 0),
    };
  }

  get #posts() {
    return [this.#room, ...this.#singles.map(({ posts }) => posts)];
  }

  /** Deliveries of messages that a server has answered for, and how many of them have come. */
  #answered() {
    let expected = 0;
    let received = 0;
    const count = (receipts, number) => {
      expected += 1;
      if (receipts.has(number)) received += 1;
    };
    for (let number = 1; number <= this.#room.sent; number += 1) {
      if (this.#room.unanswered.has(number)) continue;
      for (const { room } of this.#participants) count(room, number);
    }
    for (const { posts, mine } of this.#singles) {
      for (let number = 1; number <= posts.sent; number += 1) {
        if (posts.unanswered.has(number)) continue;
        count(mine[(number - 1) % mine.length].single, Math.ceil(number / mine.length));
      }
    }
    return { expected, received };
  }

  #sum(figure) {
    return this.#participants.reduce((sum, { room, single }) => sum + room[figure] + single[figure], 0);
  }

  #participant(client) {
    const participant = { client, room: new Receipts(), single: new Receipts(), strangers: 0 };
    const series = [participant.room, participant.single];
    let lostAt;
    client.onLost = () => {
      lostAt = performance.now();
    };
    client.onConnected = (recovered) => {
      this.#returns += 1;
      if (!recovered) participant.strangers += 1;
    };
    client.onReady = () => {
      if (lostAt === undefined) return;
      this.#lastBackAt = performance.now();
      this.#awaysMs.push(this.#lastBackAt - lostAt);
      lostAt = undefined;
    };
    client.onNews = (publisher, number) => series[publisher].take(number);
    return participant;
  }

  #tick() {
    if (this.#isEnding) return;
    const { perSecond, singlesPerSecond } = this.#options;
    const seconds = (performance.now() - this.#startedAt) / 1000;
    this.#room.sendUpTo(Math.floor(seconds * perSecond));
    for (const { posts } of this.#singles) posts.sendUpTo(Math.floor((seconds * singlesPerSecond) / lanes));
    setTimeout(() => this.#tick(), tickMs);
  }
}
