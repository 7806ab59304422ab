/**
 * A client that comes back whenever it is let go, as socket.io-client does by default: after a second, the second time after two, at most
 * after five, each half as much earlier or later. Behind the URL is a balancer that takes turns, and asks the other server if one refuses the
 * connection or answers 503.
 */
import { RecoveringClient } from './recovering-client.mjs';

const firstMs = 1000;
const longestMs = 5000;
const jitter = 0.5;

export class LoyalClient extends RecoveringClient {
  /** It has lost its connection. */
  onLost = () => {};
  #balancer;
  #attempts = 0;
  #refusals = 0;
  #isLeaving = false;

  /** @param balancer `next`: gives the server whose turn it is */
  constructor(balancer, room) {
    super(undefined, room);
    this.#balancer = balancer;
  }

  connect() {
    this.target = this.#balancer.next();
    super.connect();
  }

  lost(error) {
    if (this.#isLeaving) return;
    if (this.isReady) this.onLost();
    this.isReady = false;
    const isRefused = error.cause?.code === 'ECONNREFUSED' || error.message.includes('HTTP/1.1 503 ');
    if (isRefused && this.#refusals < this.#balancer.count - 1) {
      this.#refusals += 1;
      this.connect();
      return;
    }
    this.#refusals = 0;
    const ms = Math.min(longestMs, firstMs * 2 ** this.#attempts);
    this.#attempts += 1;
    setTimeout(() => this.#isLeaving || this.connect(), ms * (1 - jitter + 2 * jitter * Math.random()));
  }

  ready() {
    this.#attempts = 0;
    this.#refusals = 0;
    super.ready();
  }

  leave() {
    this.#isLeaving = true;
    if (this.isReady) this.cut(false);
  }
}

/** Gives servers in turn. */
export class Balancer {
  #servers;
  #turn = 0;

  constructor(servers) {
    this.#servers = servers;
  }

  get count() {
    return this.#servers.length;
  }

  next() {
    const server = this.#servers[this.#turn % this.#servers.length];
    this.#turn += 1;
    return server;
  }
}
