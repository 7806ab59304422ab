/** The fan-out of the web layer, with the Erlang processes that listen to channels as well. */
import type { Tuple } from '../../distribution/codec/terms.ts';
import type { ServerPacket } from '../../protocol/packet.ts';
import type { Fanout } from '../contracts.ts';
import { contentOf } from './content.ts';

/** Who stands for an Erlang process. */
export interface ChannelListener {
  /** Sends what `contentOf` made. */
  deliver(content: Tuple): void;
}

export class ErlangFanout implements Fanout {
  readonly #clients: Fanout;
  readonly #listeners = new Map<string, Set<ChannelListener>>();

  constructor(clients: Fanout) {
    this.#clients = clients;
  }

  add(channel: string, listener: ChannelListener): void {
    const listeners = this.#listeners.get(channel);
    if (listeners) listeners.add(listener);
    else this.#listeners.set(channel, new Set([listener]));
  }

  remove(channel: string, listener: ChannelListener): void {
    const listeners = this.#listeners.get(channel);
    if (listeners?.delete(listener) && listeners.size === 0) this.#listeners.delete(channel);
  }

  publish(channel: string, packet: ServerPacket, id?: string): number {
    const receivers = this.#clients.publish(channel, packet, id);
    const listeners = this.#listeners.get(channel);
    if (!listeners) return receivers;
    const content = contentOf(packet);
    for (const listener of listeners) listener.deliver(content);
    return receivers + listeners.size;
  }
}
