/**
 * The other nodes, as pub-sub knows them: one row for the last boot of each that was ever connected. A row outlives connections,
 * because what that boot has not got yet is kept for it. The table belongs to the node and not to an actor.
 */
import type { NamedRef } from '../../kernel/remote-ref.ts';
import type { NodeName } from '../../kernel/types.ts';
import { PeerInterest } from './interest.ts';
import type { PublishLog } from './publish-log.ts';
import type { WireMessage } from './wire-messages.ts';

/** Nodes that are given up are remembered, because they may come back with a gap. Each costs every publish a little. */
const maxGone = 64;

/** The text that names one boot of a node between nodes. */
export function bootOf(node: string, creation: number): string {
  return `${node}#${creation}`;
}

export function nodeIn(boot: string): NodeName {
  return boot.slice(0, boot.lastIndexOf('#')) as NodeName;
}

export interface PeerSetup {
  readonly node: NodeName;
  /** `id@host#creation`. */
  readonly boot: string;
  /** The node's pub-sub manager. */
  readonly manager: NamedRef<WireMessage>;
}

export class Peer {
  readonly node: NodeName;
  readonly boot: string;
  readonly manager: NamedRef<WireMessage>;
  readonly log: PublishLog;
  /** What it wants, for the time of one connection. */
  interest: PeerInterest | undefined;
  /** It has let a publisher or a join wait for too long: nobody waits for it until it has answered. */
  isBehind = false;
  /** When the connection was lost, on the clock of `performance.now()`. */
  lostAt = 0;
  /** What it had to acknowledge when it was looked at last. */
  awaited = 0;
  /** It is being asked what it has. */
  isAsked = false;
  /** Something that waits for it will be sent in a later turn. */
  isPumping = false;

  constructor({ node, boot, manager }: PeerSetup, log: PublishLog) {
    this.node = node;
    this.boot = boot;
    this.manager = manager;
    this.log = log;
  }

  /** Whether something published to these ids or prefixes is for it. One that is not connected may want everything. */
  wants(prefixes: readonly string[]): boolean {
    return this.interest === undefined || this.interest.wants(prefixes);
  }
}

/** What a boot has left that is gone for good. */
interface FormerBoot {
  readonly log: PublishLog;
  readonly lostAt: number;
}

export class PeerTable {
  readonly #peers = new Map<NodeName, Peer>();
  /**
   * Boots that are gone for good: former ones of nodes that are back, and under no name those that nobody here has met. What is published
   * may be for their sessions, until others go on with those.
   */
  readonly #former = new Map<string, FormerBoot>();

  get size(): number {
    return this.#peers.size;
  }

  get(node: NodeName): Peer | undefined {
    return this.#peers.get(node);
  }

  /** What is kept for a boot, also for a former one. */
  logOf(boot: string): PublishLog | undefined {
    const peer = this.#peers.get(nodeIn(boot));
    return (peer?.boot === boot ? peer : (this.#former.get(boot) ?? this.#former.get('')))?.log;
  }

  /** A boot that was replaced, or '' for those that were never met: it is kept for them until `forgetFormer`. */
  keepFormer(boot: string, former: FormerBoot): void {
    this.#former.set(boot, former);
  }

  /** What is kept for them; undefined if there is none. */
  get former(): Iterable<FormerBoot> | undefined {
    return this.#former.size > 0 ? this.#former.values() : undefined;
  }

  /** Forgets those that were lost before that time. Returns whether some are left. */
  forgetFormer(before: number): boolean {
    for (const [boot, { lostAt }] of this.#former) if (lostAt < before) this.#former.delete(boot);
    return this.#former.size > 0;
  }

  /** The rows of all nodes, connected or not. */
  all(): IterableIterator<Peer> {
    return this.#peers.values();
  }

  /** What the connected nodes want. */
  connected(): PeerInterest[] {
    const interests: PeerInterest[] = [];
    for (const { interest } of this.#peers.values()) if (interest) interests.push(interest);
    return interests;
  }

  /** A connection begins. What the node told through a former one is forgotten; `replaced` is the row of its former boot, if any. */
  connect(setup: PeerSetup, log: () => PublishLog): { readonly peer: Peer; readonly replaced: Peer | undefined } {
    const present = this.#peers.get(setup.node);
    const isKnown = present?.boot === setup.boot;
    const peer = isKnown ? present : new Peer(setup, log());
    // Behind those that were there before: those that are gone for longest are in front.
    this.#peers.delete(setup.node);
    this.#peers.set(setup.node, peer);
    peer.interest = new PeerInterest(setup.node, setup.manager);
    peer.isBehind = false;
    if (!isKnown) this.#forgetSome();
    return { peer, replaced: isKnown ? undefined : present };
  }

  /** Nothing is known any more of what the connected nodes want. */
  forgetInterests(): void {
    for (const { interest } of this.#peers.values()) interest?.forget();
  }

  #forgetSome(): void {
    let gone = 0;
    for (const { log } of this.#peers.values()) if (log.givenUp) gone += 1;
    if (gone <= maxGone) return;
    for (const [node, { log }] of this.#peers) {
      if (!log.givenUp) continue;
      this.#peers.delete(node);
      return;
    }
  }
}
