/**
 * Publishers and their subscribers. A publisher posts its next message when every subscriber has the one before, so nothing piles
 * up anywhere; several publishers keep the server busy. Subscribers see that each publisher's messages come complete, once and in order.
 */
import { encodeRequest, HttpClient } from './http-client.mjs';
import { newsEvent, numberedRequest, readNews } from './messages.mjs';

export class News {
  #subscribers;
  #publishers = [];
  /** Last number seen, by subscriber and publisher. */
  #seen;
  #delivered = 0;
  #published = 0;
  #answered = 0;
  #stopped = false;
  #fail;

  /** @param options `{ api, publishing, room, publishers, fail }` */
  constructor(subscribers, options) {
    this.#subscribers = subscribers.length;
    this.#fail = options.fail;
    this.#seen = new Uint32Array(subscribers.length * options.publishers);
    for (let index = 0; index < options.publishers; index += 1) this.#publishers.push(this.#publisher(index, options));
    subscribers.forEach((client, index) => {
      client.onEvent = this.#reader(index * options.publishers);
    });
  }

  /** Publishes the first messages; gives the load for the window. `count` are deliveries. */
  start() {
    for (const publisher of this.#publishers) publisher.send();
    return {
      count: () => this.#delivered,
      pending: () => this.#published * this.#subscribers - this.#delivered + (this.#published - this.#answered),
      stop: () => {
        this.#stopped = true;
      },
    };
  }

  /**
   * Publishes one message after the other; gives the time from each to its last arrival, ms.
   * @param onSend called before each
   */
  async time(messages, onSend = () => {}) {
    const [publisher] = this.#publishers;
    const times = [];
    this.#stopped = true;
    for (let i = 0; i < messages; i += 1) {
      onSend();
      const start = performance.now();
      await new Promise((resolve) => {
        publisher.onComplete = resolve;
        publisher.send();
      });
      times.push(publisher.arrivedAt - start);
    }
    return times;
  }

  /** Publishes no more: servers close connections that nobody uses. */
  close() {
    for (const { http } of this.#publishers) http.close();
  }

  #publisher(index, { api, publishing, room, fail }) {
    const { path, body } = publishing(room, newsEvent);
    const request = encodeRequest(api, 'POST', path, body);
    const setNumber = numberedRequest(request, index);
    const http = new HttpClient(api);
    http.onFault = fail;
    const publisher = { http, number: 0, missing: 0, answered: true };
    publisher.send = () => {
      publisher.number += 1;
      publisher.missing = this.#subscribers;
      publisher.answered = false;
      this.#published += 1;
      setNumber(publisher.number);
      http.send(request);
    };
    publisher.next = () => {
      if (publisher.missing > 0 || !publisher.answered) return;
      publisher.onComplete?.();
      if (!this.#stopped) publisher.send();
    };
    http.onAnswer = () => {
      publisher.answered = true;
      this.#answered += 1;
      publisher.next();
    };
    return publisher;
  }

  #reader(base) {
    const seen = this.#seen;
    const publishers = this.#publishers;
    return (bytes, start, end) => {
      const publisher = publishers[readNews.publisher(bytes, start)];
      const number = readNews.number(bytes, start);
      const at = base + readNews.publisher(bytes, start);
      if (
        !readNews.isNews(start, end) ||
        publisher === undefined ||
        number !== publisher.number ||
        seen[at] !== number - 1
      ) {
        this.#fail(new Error(`after number ${seen[at]} came ${bytes.latin1Slice(start, end)}`));
        return;
      }
      seen[at] = number;
      this.#delivered += 1;
      publisher.missing -= 1;
      if (publisher.missing > 0) return;
      publisher.arrivedAt = performance.now();
      publisher.next();
    };
  }
}
