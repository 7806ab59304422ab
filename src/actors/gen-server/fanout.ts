/** The fan-out of the web layer, with the Erlang processes that listen to topics as well. */
import type { Tuple } from '../../distribution/codec/terms.ts';
import type { ServerPacket } from '../../protocol/packet.ts';
import type { Fanout } from '../contracts.ts';
import { contentOf } from './content.ts';

/** Who stands for an Erlang process. */
export interface TopicListener {
  /** Sends what `contentOf` made. */
  deliver(content: Tuple): void;
}

export class ErlangFanout implements Fanout {
  readonly #clients: Fanout;
  readonly #topics = new Map<string, Set<TopicListener>>();

  constructor(clients: Fanout) {
    this.#clients = clients;
  }

  add(topic: string, subscriber: TopicListener): void {
    const subscribers = this.#topics.get(topic);
    if (subscribers) subscribers.add(subscriber);
    else this.#topics.set(topic, new Set([subscriber]));
  }

  remove(topic: string, subscriber: TopicListener): void {
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
