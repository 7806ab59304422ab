/**
 * One visitor of the chat: connects, enters a room, says something now and then, and goes, politely or not. What is said must
 * reach everybody who is in the room: each visitor checks that what each other says comes complete, once and in order, and that what
 * it says itself comes at all, before it says the next thing.
 */
import { clientFrame, opcodes } from '../lib/frames.mjs';
import { WsClient } from '../lib/ws-client.mjs';

/** How long an answer may take before it counts as lost. */
const patienceMs = 60_000;

const frameOf = (name, ...args) => clientFrame(opcodes.text, `42${JSON.stringify([name, ...args])}`);

export class Visitor {
  heard = 0;
  /** For the reader of a failure. */
  #label;
  /** By which the others know it, when it has entered. */
  #nick;
  #room;
  #fail;
  #client;
  /** Last number heard, by nick. */
  #last = new Map();
  /** What the next step waits for. */
  #awaited;

  constructor(label, room, fail) {
    this.#label = label;
    this.#room = room;
    this.#fail = fail;
  }

  /** @param stay `{ ms, paceMs, polite }` */
  async visit(target, { ms, paceMs, polite }) {
    await this.#step('connected', () => {
      this.#client = new WsClient(target);
      this.#client.onFault = (error) => this.#fail(new Error(`${this.#label}: ${error.message}`));
      this.#client.onReady = () => this.#reached('connected');
      this.#client.onEvent = (bytes, start, end) => this.#event(JSON.parse(bytes.utf8Slice(start + 2, end)));
      this.#client.onClosed = () => this.#reached('closed');
    });
    await this.#step('entered', () => this.#client.send(frameOf('enter', this.#room)));
    const end = performance.now() + ms;
    for (let n = 1; performance.now() < end; n += 1) {
      await new Promise((resolve) => setTimeout(resolve, paceMs * (0.5 + Math.random())));
      await this.#step(`said ${n}`, () => this.#client.send(frameOf('say', this.#room, n)));
    }
    await this.#step('closed', () => (polite ? this.#client.close() : this.#client.destroy()));
  }

  #event([name, argument]) {
    if (name === 'entered') {
      this.#nick = argument;
      return this.#reached('entered');
    }
    if (name !== 'said') return this.#fail(new Error(`${this.#label} was sent ${name} ${JSON.stringify(argument)}`));
    const { nick, n } = argument;
    const last = this.#last.get(nick);
    if (last !== undefined && n !== last + 1) {
      this.#fail(new Error(`${this.#label} heard number ${n} of ${nick} after number ${last}`));
    }
    this.#last.set(nick, n);
    this.heard += 1;
    if (nick === this.#nick) this.#reached(`said ${n}`);
  }

  /** Does something and waits for what it brings about. */
  #step(what, act) {
    return new Promise((resolve) => {
      const late = () => this.#fail(new Error(`${this.#label} waited in vain for: ${what}`));
      this.#awaited = { what, resolve, timer: setTimeout(late, patienceMs) };
      act();
    });
  }

  #reached(what) {
    const awaited = this.#awaited;
    if (awaited?.what !== what) return this.#fail(new Error(`${this.#label} did not wait for: ${what}`));
    this.#awaited = undefined;
    clearTimeout(awaited.timer);
    awaited.resolve();
  }
}
