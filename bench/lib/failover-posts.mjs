/**
 * Posts at a pace to servers that come and go, one request at a time: as a back end does behind a balancer. What a server refuses goes to the
 * other one. What was sent and not answered may have been done, and is not sent again.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { HttpClient } from './http-client.mjs';

const retryMs = 20;

export class FailoverPosts {
  /** Numbers that were posted. */
  sent = 0;
  /** Those of them that nobody has answered. */
  unanswered = new Set();
  #due = 0;
  #balancer;
  #request;
  #http;
  #isWaiting = false;

  /** @param request number, from 1 on → encoded request */
  constructor(balancer, request) {
    this.#balancer = balancer;
    this.#request = request;
  }

  sendUpTo(due) {
    this.#due = due;
    this.#send();
  }

  /** Once the last request is answered. */
  async close() {
    this.#due = 0;
    while (this.#isWaiting) await pause(retryMs);
    this.#http?.close();
  }

  #send() {
    if (this.#isWaiting || this.sent >= this.#due) return;
    this.#isWaiting = true;
    this.#http ??= this.#connect();
    this.#http.send(this.#request(this.sent + 1));
  }

  #connect() {
    const http = new HttpClient(this.#balancer.next());
    http.accepts = /^HTTP/;
    http.onFault = (error) => this.#lost(error);
    // 404: to a session that is no more: the message is lost, and will be missing.
    http.onAnswer = (_, head) => (/^HTTP\/1\.1 (2|404)/.test(head) ? this.#done() : this.#elsewhere());
    return http;
  }

  #done() {
    this.sent += 1;
    this.#isWaiting = false;
    this.#send();
  }

  #elsewhere() {
    this.#http.close();
    this.#again();
  }

  #lost(error) {
    const isRefused = error.cause?.code === 'ECONNREFUSED';
    if (this.#isWaiting && !isRefused) this.unanswered.add(this.sent + 1);
    if (!this.#isWaiting || isRefused) this.#again();
    else {
      this.#http = undefined;
      this.#done();
    }
  }

  #again() {
    this.#http = undefined;
    if (!this.#isWaiting) return;
    setTimeout(() => {
      this.#isWaiting = false;
      this.#send();
    }, retryMs);
  }
}
