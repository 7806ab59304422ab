/** The HTTP API of Hive: one method for each of its calls. What they mean is said in index.d.ts. */
import { Calls, HiveError } from './calls.js';

export { HiveError };

/** The client's own patience beyond the time that a question may take, ms. */
const extraMs = 5000;

export class HiveClient {
  #calls;

  constructor(settings) {
    this.#calls = new Calls(settings);
  }

  // --- publishing

  async publish(channel, event, { confirm, ...options } = {}) {
    const call = { query: { confirm }, body: event, options };
    return unconfirmedIn(await this.#post(['pubsub', 'publish', channel], call));
  }

  async publishMany(publications, { confirm, ...options } = {}) {
    const call = { query: { confirm }, body: publications, options };
    return unconfirmedIn(await this.#post(['pubsub', 'publish'], call));
  }

  async askChannel(channel, event, { timeout, ...options } = {}) {
    return this.#ask(['pubsub', 'ask', channel], event, timeout, options);
  }

  async actOnChannel(channel, actions, { confirm, ...options } = {}) {
    const call = { query: { confirm }, body: actions, options };
    return unconfirmedIn(await this.#post(['pubsub', 'action', channel], call));
  }

  // --- channels

  async *channels({ prefix } = {}) {
    yield* this.#rows(['pubsub', 'channels'], 'channels', { prefix });
  }

  async subscribers(channel, { cluster = true } = {}) {
    const { subscribed_clients: count } = await this.#get(['pubsub', 'subscribe', channel], { cluster });
    return count;
  }

  async subscribe(sid, channels, options = {}) {
    await this.#post(['pubsub', 'subscribe', sid], { body: channels, isRepeatable: true, options });
  }

  async history(channel, { since, epoch, limit, reverse } = {}) {
    return this.#get(['pubsub', 'history', channel], { since, epoch, limit, reverse });
  }

  async clearHistory(channel, options = {}) {
    await this.#calls.call('DELETE', ['pubsub', 'history', channel], { isRepeatable: true, options });
  }

  async unsubscribe(sid, channels, options = {}) {
    await this.#calls.call('DELETE', ['pubsub', 'subscribe', sid], { body: channels, isRepeatable: true, options });
  }

  async *presence(channel) {
    yield* this.#rows(['pubsub', 'presence', channel], 'members', {});
  }

  async presenceCount(channel) {
    const { sessions, users } = await this.#get(['pubsub', 'presence', channel], { count: true });
    return { sessions, users };
  }

  // --- clients

  async *clients({ channel, user } = {}) {
    yield* this.#rows(['clients'], 'clients', { channel, user });
  }

  async act(sid, actions, options = {}) {
    await this.#post(['clients', 'action', sid], { body: actions, options });
  }

  async ask(sid, event, { timeout, ...options } = {}) {
    const { args } = await this.#ask(['clients', 'ask', sid], event, timeout, options);
    return args;
  }

  async send(sid, event, options = {}) {
    await this.#post(['clients', 'event', sid], { body: event, options });
  }

  async disconnect(sid, options = {}) {
    await this.#post(['clients', 'disconnect', sid], { isRepeatable: true, options });
  }

  // --- users

  async *sessionsOf(user) {
    yield* this.#rows(['users', 'sessions', user], 'clients', {});
  }

  async sendToUser(user, event, options = {}) {
    return this.#post(['users', 'event', user], { body: event, options });
  }

  async actOnUser(user, actions, options = {}) {
    return this.#post(['users', 'action', user], { body: actions, options });
  }

  async disconnectUser(user, options = {}) {
    return this.#post(['users', 'disconnect', user], { isRepeatable: true, options });
  }

  // --- several calls

  async batch(calls, options = {}) {
    return this.#post(['batch'], { body: calls, options });
  }

  // --- operation

  async version() {
    return this.#ofOneNode('GET', ['hive', 'version'], {});
  }

  async stop({ cluster = false, ...options } = {}) {
    return this.#operate(['hive', 'stop'], { query: { cluster }, options });
  }

  async enable({ cluster = false, ...options } = {}) {
    return this.#operate(['router', 'enable'], { query: { cluster }, options });
  }

  async disable({ cluster = false, ...options } = {}) {
    return this.#operate(['router', 'disable'], { query: { cluster }, options });
  }

  async drain(options = {}) {
    return this.#operate(['router', 'drain'], { options });
  }

  async drainage() {
    return this.#ofOneNode('GET', ['router', 'drain'], {});
  }

  async terminate(reason, { cluster = false, ...options } = {}) {
    return this.#operate(['router', 'terminate'], { query: { cluster }, text: reason, options });
  }

  // --- how they are made

  /** Of the first node, or of all. */
  #operate(segments, call) {
    return this.#ofOneNode('POST', segments, { ...call, isRepeatable: true });
  }

  #ofOneNode(method, segments, call) {
    return this.#calls.call(method, segments, { ...call, isOfOneNode: !call.query?.cluster });
  }

  #get(segments, query) {
    return this.#calls.call('GET', segments, { query });
  }

  #post(segments, call) {
    return this.#calls.call('POST', segments, call);
  }

  /** A question that is repeated asks again. */
  #ask(segments, event, timeout, options) {
    const patience = timeout === undefined ? undefined : timeout + extraMs;
    return this.#post(segments, { query: { timeout }, body: event, timeout: patience ?? 2 * extraMs, options });
  }

  /** All rows of a list, page by page. */
  async *#rows(segments, name, query) {
    for (let cursor; cursor !== null; ) {
      const page = await this.#get(segments, { ...query, limit: 1000, cursor });
      yield* page[name];
      cursor = page.cursor;
    }
  }
}

function unconfirmedIn(answer) {
  return answer?.unconfirmed ?? [];
}
