/**
 * Tells the other nodes which channels are here. Changes are collected until the manager comes round to tell them, so that a
 * burst of new channels costs one message per node.
 */
import type { Actor } from '../../kernel/actor.ts';
import type { NodeName } from '../../kernel/types.ts';
import type { PeerInterest } from './interest.ts';
import type { InterestMessage, PubSubMessage } from './messages.ts';

/** How long a node may take to take note of changes; joining clients wait for it. */
const changesTimeoutMs = 2000;
/** The same for all channels at once, which nobody waits for. */
const allTimeoutMs = 30_000;

export class Announcer {
  readonly #manager: Actor<PubSubMessage>;
  readonly #failed: (peer: PeerInterest, error: unknown) => void;
  readonly #peers = new Map<NodeName, PeerInterest>();
  /** Whether each of these channels is here. */
  #changes = new Map<string, boolean>();

  /** @param failed a node did not take note; it must be told everything again */
  constructor(manager: Actor<PubSubMessage>, failed: (peer: PeerInterest, error: unknown) => void) {
    this.#manager = manager;
    this.#failed = failed;
  }

  /** No node is connected. */
  get alone(): boolean {
    return this.#peers.size === 0;
  }

  /** The connection that this is about: undefined for a node that is not connected (any more). */
  peer(node: NodeName): PeerInterest | undefined {
    return this.#peers.get(node);
  }

  add(peer: PeerInterest): void {
    this.#peers.set(peer.node, peer);
  }

  remove(peer: PeerInterest): void {
    if (this.#peers.get(peer.node) === peer) this.#peers.delete(peer.node);
  }

  /** Notes a change for the next `tellChanges`. True if it is the first one. */
  note(id: string, here: boolean): boolean {
    this.#changes.set(id, here);
    return this.#changes.size === 1;
  }

  /** Resolves when every node has taken note, is gone, or has failed to do so in time. */
  async tellChanges(): Promise<void> {
    const add: string[] = [];
    const remove: string[] = [];
    for (const [id, here] of this.#changes) (here ? add : remove).push(id);
    this.#changes = new Map();
    const message = this.#message(false, add, remove);
    await Promise.all(Array.from(this.#peers.values(), (peer) => this.#tell(peer, message, changesTimeoutMs)));
  }

  tellAll(peer: PeerInterest, ids: readonly string[]): Promise<void> {
    return this.#tell(peer, this.#message(true, ids, []), allTimeoutMs);
  }

  #message(all: boolean, add: readonly string[], remove: readonly string[]): InterestMessage {
    return { type: 'interest', node: this.#manager.self.node, all, add, remove };
  }

  async #tell(peer: PeerInterest, message: InterestMessage, timeoutMs: number): Promise<void> {
    try {
      await this.#manager.ask(peer.manager, message, timeoutMs);
    } catch (error) {
      if (this.#peers.get(peer.node) === peer) this.#failed(peer, error);
    }
  }
}
