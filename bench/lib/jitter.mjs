/**
 * Clients whose connections are cut again and again, while messages are published to the room that all of them are in, and others sent to
 * one of them each. What they miss is no error here, but counted.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { encodeRequest, HttpClient } from './http-client.mjs';
import { newsEvent, numberedRequest } from './messages.mjs';
import { Receipts } from './receipts.mjs';

/** How often is looked for what is due, ms. */
const tickMs = 2;
/** Time without an arrival after which nothing more is expected, ms. */
const usualQuietMs = 2000;
/** Time after the last arrival for anything that was sent twice to turn up, ms. */
const echoMs = 100;
/** Two series of messages, each with its publisher. */
const [toRoom, toOne] = [0, 1];

export class Jitter {
  #participants;
  #options;
  #room;
  #single;
  #startedAt;
  #cuts = 0;
  #reconnects = 0;
  #isEnding = false;
  /** Of the returns: ms from CONNECT until the client had everything that was published before it. */
  #replaysMs = [];
  #returns = 0;
  #strangers = 0;
  /** When returns were counted from, and what had been published by then. */
  #countedAt;
  #publishedBefore = 0;

  /**
   * @param clients connected, and in the room
   * @param options `{ api, publishing, room, perSecond, singlesPerSecond, everyMs, awayMs, silently, quietMs?, fail }`
   */
  constructor(clients, options) {
    const { api, publishing, room, fail } = options;
    this.#options = options;
    this.#participants = clients.map((client, index) => this.#participant(client, index));
    const news = encode(api, publishing.publish(room, newsEvent), toRoom);
    this.#room = new Paced(api, fail, (number) => news(number));
    this.#single = new Paced(api, fail, (number) => {
      const { sid } = clients[(number - 1) % clients.length];
      return encode(api, publishing.one(sid, newsEvent), toOne)(Math.ceil(number / clients.length));
    });
  }

  start() {
    this.#startedAt = performance.now();
    this.#tick();
  }

  /** Counts from now on, except for what arrives: that must be complete from the start. */
  count() {
    this.#countedAt = performance.now();
    this.#publishedBefore = this.#published;
    this.#replaysMs = [];
    this.#returns = 0;
    this.#strangers = 0;
  }

  /** What has been published since then, as a part of what was to be: less if the server or the generator had no time for more. */
  get pace() {
    const { perSecond, singlesPerSecond } = this.#options;
    const seconds = (performance.now() - this.#countedAt) / 1000;
    return (this.#published - this.#publishedBefore) / (seconds * (perSecond + singlesPerSecond));
  }

  /** No more cuts and messages; resolves when everybody is back, and has whatever will come. */
  async end() {
    const { quietMs = usualQuietMs } = this.#options;
    this.#isEnding = true;
    // Servers close connections that nobody uses.
    await Promise.all([this.#room.close(), this.#single.close()]);
    let missing = this.#missing;
    let quietSince = performance.now();
    while (this.#isUnderWay || missing > 0) {
      await pause(tickMs);
      if (this.#isUnderWay || this.#missing !== missing) quietSince = performance.now();
      else if (performance.now() - quietSince > quietMs) break;
      missing = this.#missing;
    }
    await pause(echoMs);
  }

  /** Parts of all messages and of the counted returns, and the times that the latter took. */
  get figures() {
    const expected = this.#expected;
    return {
      delivered: this.#sum('exact') / expected,
      doubled: this.#sum('doubled') / expected,
      unrecovered: this.#strangers / this.#returns,
      replaysMs: this.#replaysMs,
    };
  }

  get #published() {
    return this.#room.sent + this.#single.sent;
  }

  get #expected() {
    return this.#room.sent * this.#participants.length + this.#single.sent;
  }

  get #missing() {
    return this.#expected - this.#sum('different');
  }

  get #isUnderWay() {
    return this.#reconnects < this.#cuts || this.#participants.some(({ client }) => !client.isReady);
  }

  #sum(figure) {
    return this.#participants.reduce((sum, { room, single }) => sum + room[figure] + single[figure], 0);
  }

  #participant(client, index) {
    const participant = { client, room: new Receipts(), single: new Receipts(), isCut: false };
    const series = [participant.room, participant.single];
    /** What was published before CONNECT. */
    let due;
    const checkReplay = () => {
      if (due === undefined || participant.room.last < due.room || participant.single.last < due.single) return;
      this.#replaysMs.push(performance.now() - due.since);
      due = undefined;
    };
    let asked;
    client.onConnecting = () => {
      asked = {
        since: performance.now(),
        room: this.#room.answered,
        single: Math.ceil((this.#single.answered - index) / this.#participants.length),
      };
    };
    client.onConnected = (recovered) => {
      this.#returns += 1;
      if (!recovered) this.#strangers += 1;
      due = recovered ? asked : undefined;
      checkReplay();
    };
    client.onNews = (publisher, number) => {
      series[publisher].take(number);
      checkReplay();
    };
    return participant;
  }

  #tick() {
    const { perSecond, singlesPerSecond, everyMs, awayMs, silently } = this.#options;
    const ms = performance.now() - this.#startedAt;
    const between = everyMs / this.#participants.length;
    if (!this.#isEnding) {
      this.#room.sendUpTo(Math.floor((ms * perSecond) / 1000));
      this.#single.sendUpTo(Math.floor((ms * singlesPerSecond) / 1000));
      for (; this.#cuts * between <= ms; this.#cuts += 1) {
        const participant = this.#turn(this.#cuts);
        participant.isCut = participant.client.isReady;
        if (participant.isCut) participant.client.cut(silently);
      }
    }
    for (; this.#reconnects < this.#cuts && this.#reconnects * between + awayMs <= ms; this.#reconnects += 1) {
      const participant = this.#turn(this.#reconnects);
      if (participant.isCut) participant.client.connect();
    }
    if (!this.#isEnding || this.#reconnects < this.#cuts) setTimeout(() => this.#tick(), tickMs);
  }

  /** Whose turn a cut is. They are spread evenly. */
  #turn(cut) {
    return this.#participants[cut % this.#participants.length];
  }
}

/** Posts at a pace, one request at a time: what is late goes as soon as the answer is there. */
class Paced {
  sent = 0;
  answered = 0;
  #due = 0;
  #isClosing = false;
  #http;
  #request;

  /** @param request number, from 1 on → encoded request */
  constructor(api, fail, request) {
    this.#request = request;
    this.#http = new HttpClient(api);
    // To a session that is no more: the message is lost, and will be missing.
    this.#http.accepts = /^HTTP\/1\.1 (2|404)/;
    this.#http.onFault = fail;
    this.#http.onAnswer = () => {
      this.answered += 1;
      this.#send();
    };
  }

  sendUpTo(due) {
    this.#due = due;
    this.#send();
  }

  /** Once the last request is answered. */
  async close() {
    this.#isClosing = true;
    while (this.#isWaiting) await pause(tickMs);
    this.#http.close();
  }

  get #isWaiting() {
    return this.answered < this.sent;
  }

  #send() {
    if (this.#isWaiting || this.#isClosing || this.sent >= this.#due) return;
    this.sent += 1;
    this.#http.send(this.#request(this.sent));
  }
}

/** A request that publishes, to be given numbers. */
function encode(api, { path, body }, publisher) {
  const request = encodeRequest(api, 'POST', path, body);
  const setNumber = numberedRequest(request, publisher);
  return (number) => {
    setNumber(number);
    return request;
  };
}
