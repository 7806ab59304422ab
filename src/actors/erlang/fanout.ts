/** The fan-out of the web layer, with the Erlang processes that listen to topics as well. */
import type { ServerPacket } from '../../protocol/packet.ts';
import type { Fanout } from '../contracts.ts';
import { contentOf, type Subscriber } from './subscriber.ts';

export class ErlangFanout implements Fanout {
  readonly #clients: Fanout;
  readonly #topics = new Map<string, Set<Subscriber>>();

  constructor(clients: Fanout) {
    this.#clients = clients;
  }

  add(topic: string, subscriber: Subscriber): void {
    const subscribers = this.#topics.get(topic);
    if (subscribers) subscribers.add(subscriber);
    else this.#topics.set(topic, new Set([subscriber]));
  }

  remove(topic: string, subscriber: Subscriber): void {
    const subscribers = this.#topics.get(topic);
    if (subscribers?.delete(subscriber) && subscribers.size === 0) this.#topics.delete(topic);
  }

  publish(topic: string, packet: ServerPacket): number {
    const receivers = this.#clients.publish(topic, packet);
    const subscribers = this.#topics.get(topic);
    if (!subscribers) return receivers;
    const content = contentOf(packet);
    for (const subscriber of subscribers) subscriber.deliver(content);
    return receivers + subscribers.size;
  }
}
