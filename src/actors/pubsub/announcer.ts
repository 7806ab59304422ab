/**
 * Tells the other nodes which channels are here. Changes are collected until the manager comes round to tell them, so that a
 * burst of new channels costs one message per node.
 *
 * A node that did not take note in time, or did not confirm a publish in time, is behind: nobody waits for it, and no more is sent to it than the question whether
 * it is there. The question makes it forget what it was told, so that it publishes everything to this node until it has
 * answered and been told everything.
 *
 *   up to date ──no answer in time──▶ behind ──answers──▶ told everything, up to date
 *                                      └─ asked again and again
 */
import type { Actor } from '../../kernel/actor.ts';
import type { NodeName } from '../../kernel/types.ts';
import type { PeerInterest } from './interest.ts';
import type { PubSubMessage } from './messages.ts';
import type { InterestMessage } from './wire-messages.ts';

/** How long a node may take to take note of changes; joining clients wait for it. */
const changesTimeoutMs = 2000;
/** The same for what nobody waits for: all channels at once, and the question to one that is behind. */
const patientTimeoutMs = 30_000;

export interface AnnouncerEvents {
  /** A node has just fallen behind, or is so still: `catchUp` is to be called some time later. */
  fellBehind(peer: PeerInterest, error: unknown, isNew: boolean): void;
  /** A node that was behind has answered: it is to be told everything, at once. */
  answered(peer: PeerInterest): void;
}

/** What is between this node and another for the time of one connection. */
class Recipient {
  readonly peer: PeerInterest;
  isBehind = false;
  /** Whoever waits for it and need not wait any longer, should it fall behind. */
  readonly #waiting = new Set<() => void>();

  constructor(peer: PeerInterest) {
    this.peer = peer;
  }

  /** Resolves with `told`, or when it falls behind. */
  upTo(told: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#waiting.delete(done);
        resolve();
      };
      this.#waiting.add(done);
      void told.then(done);
    });
  }

  fallBehind(): void {
    this.isBehind = true;
    for (const done of this.#waiting) done();
  }
}

export class Announcer {
  readonly #manager: Actor<PubSubMessage>;
  readonly #events: AnnouncerEvents;
  readonly #recipients = new Map<NodeName, Recipient>();
  /** Whether each of these channels is here. */
  #changes = new Map<string, boolean>();

  constructor(manager: Actor<PubSubMessage>, events: AnnouncerEvents) {
    this.#manager = manager;
    this.#events = events;
  }

  /** No node is connected. */
  get alone(): boolean {
    return this.#recipients.size === 0;
  }

  /** The connection that this is about: undefined for a node that is not connected (any more). */
  peer(node: NodeName): PeerInterest | undefined {
    return this.#recipients.get(node)?.peer;
  }

  isBehind(peer: PeerInterest): boolean {
    return this.#find(peer)?.isBehind === true;
  }

  add(peer: PeerInterest): void {
    this.#recipients.set(peer.node, new Recipient(peer));
  }

  remove(peer: PeerInterest): void {
    if (this.#find(peer)) this.#recipients.delete(peer.node);
  }

  /** Notes a change for the next `tellChanges`. True if it is the first one. */
  note(id: string, here: boolean): boolean {
    this.#changes.set(id, here);
    return this.#changes.size === 1;
  }

  /** Resolves when every node has taken note, is gone, or is behind. */
  async tellChanges(): Promise<void> {
    const add: string[] = [];
    const remove: string[] = [];
    for (const [id, here] of this.#changes) (here ? add : remove).push(id);
    this.#changes = new Map();
    const message = this.#message(false, add, remove);
    const told: Promise<void>[] = [];
    for (const recipient of this.#recipients.values()) {
      if (!recipient.isBehind) told.push(recipient.upTo(this.#tell(recipient, message, changesTimeoutMs)));
    }
    await Promise.all(told);
  }

  /** No effect on a node that is behind: it is told when it answers. */
  async tellAll(peer: PeerInterest, ids: readonly string[]): Promise<void> {
    const recipient = this.#find(peer);
    if (recipient && !recipient.isBehind) await this.#tell(recipient, this.#message(true, ids, []), patientTimeoutMs);
  }

  /** Nobody waits for that node any more: `catchUp` is to be called then. @returns false if it is behind, or lost, already */
  fallBehind(peer: PeerInterest): boolean {
    const recipient = this.#find(peer);
    if (!recipient || recipient.isBehind) return false;
    recipient.fallBehind();
    return true;
  }

  /** Asks a node that is behind whether it is there. */
  async catchUp(peer: PeerInterest): Promise<void> {
    const recipient = this.#find(peer);
    if (!recipient?.isBehind) return;
    try {
      const question = { type: 'interest_stale', node: this.#manager.self.node } as const;
      await this.#manager.ask(peer.manager, question, patientTimeoutMs);
    } catch (error) {
      if (this.#find(peer)) this.#events.fellBehind(peer, error, false);
      return;
    }
    if (this.#find(peer) !== recipient) return;
    // From here on it gets every change, behind everything that it is told now.
    recipient.isBehind = false;
    this.#events.answered(peer);
  }

  #find(peer: PeerInterest): Recipient | undefined {
    const recipient = this.#recipients.get(peer.node);
    return recipient?.peer === peer ? recipient : undefined;
  }

  #message(all: boolean, add: readonly string[], remove: readonly string[]): InterestMessage {
    return { type: 'interest', node: this.#manager.self.node, all, add, remove };
  }

  async #tell(recipient: Recipient, message: InterestMessage, timeoutMs: number): Promise<void> {
    const { peer } = recipient;
    try {
      await this.#manager.ask(peer.manager, message, timeoutMs);
    } catch (error) {
      if (this.fallBehind(peer)) this.#events.fellBehind(peer, error, true);
    }
  }
}
