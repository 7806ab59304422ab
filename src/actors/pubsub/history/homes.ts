/**
 * Which histories are at this node, and their moves. Of a history in memory there is one, at its channel's home:
 *
 *   a node comes     each other sends it the histories whose home it is now, and says when there are no more; until all have said so
 *                    it begins none of its own
 *   a node leaves    it says so, is no home from then on, and sends all that it has
 *   a node is lost   what was there is lost: the next home begins a new epoch
 *
 * For a moment nodes may see different members, and a channel have two homes. When they meet, the history of the later epoch stays.
 */
import type { Timer, TimingWheel } from '../../../kernel/timers.ts';
import type { NodeName } from '../../../kernel/types.ts';
import type { Log } from '../../../observe/logger.ts';
import type { HistoryState, MemoryHistories } from '../../../plugins/history-stores/memory.ts';
import { Rendezvous } from '../../rendezvous.ts';

export interface HomesSetup {
  readonly self: NodeName;
  readonly memory: MemoryHistories;
  readonly wheel: TimingWheel;
  /** The connected nodes, this one included. */
  readonly nodes: () => readonly NodeName[];
  /** Members that are known and not connected. */
  readonly missing: () => readonly NodeName[];
  /** Resolves when that node has taken them. `nodes`: there are no more. */
  readonly send: (node: NodeName, histories: HistoryState[], nodes: readonly NodeName[] | null) => Promise<void>;
  /** So many histories have gone to another node. */
  readonly moved: (count: number) => void;
  readonly log: Log;
}

/** Until what could not be sent is sent again, ms. */
const retryMs = 50;
/** How long a node that has come is waited for that has not said what it has; publishes wait meanwhile. */
const patienceMs = 5000;
/** The same for one that is known, and not connected. */
const absentPatienceMs = 3000;
/** Of one message, roughly. */
const maxMoveBytes = 256 * 1024;

export class Homes {
  readonly #setup: HomesSetup;
  readonly #rendezvous = new Rendezvous();
  /** Nodes that may have histories for this one, and until when they are waited for. */
  readonly #awaited = new Map<NodeName, number>();
  readonly #leaving = new Set<NodeName>();
  /** Nodes that are being sent histories, and whether to look again then. */
  readonly #sending = new Map<NodeName, boolean>();
  /** Nodes that have not been told that there are no more. */
  readonly #untold = new Set<NodeName>();
  #waiting: (() => void)[] = [];
  #expiry: Timer | undefined;

  constructor(setup: HomesSetup) {
    this.#setup = setup;
    this.#count();
  }

  /** Known members that are not connected yet may have histories: this node has just started. */
  start(): void {
    for (const node of this.#setup.missing()) this.#await(node, absentPatienceMs);
    for (const node of this.#setup.nodes()) if (node !== this.#setup.self) this.#untold.add(node);
    this.#rebalance();
  }

  homeOf(channel: string): NodeName {
    return this.#rendezvous.homeOf(channel);
  }

  isHome(channel: string): boolean {
    return this.#rendezvous.homeOf(channel) === this.#setup.self;
  }

  /** Whether what is published to a channel whose home this is can be stored, or another node may have its history still. */
  isReady(channel: string): boolean {
    return this.#awaited.size === 0 || this.#setup.memory.has(channel);
  }

  /** Resolves when every node has said what it has. */
  async settled(): Promise<void> {
    if (this.#awaited.size > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  nodeUp(node: NodeName): void {
    this.#leaving.delete(node);
    this.#untold.add(node);
    this.#await(node, patienceMs);
    this.#count();
    this.#rebalance();
  }

  nodeDown(node: NodeName): void {
    this.#leaving.delete(node);
    this.#untold.delete(node);
    this.#count();
    this.#release(node);
    this.#rebalance();
  }

  /** That node (or this one) is no home any more: what it has comes to the next ones, which begin nothing until it has said that there is no more. */
  leaves(node: NodeName): void {
    const { self, nodes } = this.#setup;
    this.#leaving.add(node);
    if (node !== self) this.#await(node, patienceMs);
    else for (const other of nodes()) if (other !== self) this.#untold.add(other);
    this.#count();
    this.#rebalance();
  }

  /** Whether all has been sent to the nodes that go on with it. */
  get isEmpty(): boolean {
    return this.#sending.size === 0 && this.#setup.memory.kept.channels === 0;
  }

  /** Another node sends what it had. `nodes`: there are no more, and it is connected with these. */
  take(node: NodeName, histories: readonly HistoryState[], nodes: readonly NodeName[] | null): void {
    const { self, memory } = this.#setup;
    for (const history of histories) memory.give(history);
    if (nodes) {
      const here = this.#setup.nodes();
      for (const other of nodes) if (other !== self && !here.includes(other)) this.#await(other, absentPatienceMs);
      this.#release(node);
    }
    if (histories.length > 0) this.#rebalance();
  }

  #await(node: NodeName, ms: number): void {
    this.#awaited.set(node, performance.now() + ms);
    if (!this.#expiry?.pending) this.#expiry = this.#setup.wheel.schedule(ms, () => this.#expire());
  }

  #expire(): void {
    const now = performance.now();
    let next = Number.POSITIVE_INFINITY;
    for (const [node, until] of [...this.#awaited]) {
      if (until > now) {
        next = Math.min(next, until - now);
        continue;
      }
      this.#setup.log.notice(`${node} does not say which histories of channels it has and is not waited for`);
      this.#release(node);
    }
    if (this.#awaited.size > 0) this.#expiry = this.#setup.wheel.schedule(next, () => this.#expire());
  }

  #release(node: NodeName): void {
    this.#awaited.delete(node);
    if (this.#awaited.size > 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #count(): void {
    const nodes = this.#setup.nodes();
    const staying = nodes.filter((node) => !this.#leaving.has(node));
    // All leave: each keeps its own until it ends.
    this.#rendezvous.nodes = staying.length > 0 ? staying : nodes;
  }

  /** Sends the histories away whose home is elsewhere. */
  #rebalance(): void {
    const homes = new Set<NodeName>(this.#untold);
    for (const channel of this.#setup.memory.channels()) {
      const home = this.homeOf(channel);
      if (home !== this.#setup.self) homes.add(home);
    }
    for (const node of homes) this.#sendTo(node);
  }

  #sendTo(node: NodeName): void {
    const isSending = this.#sending.has(node);
    this.#sending.set(node, isSending);
    if (isSending) return;
    this.#sendAll(node).then(
      () => {
        const isAgain = this.#sending.get(node);
        this.#sending.delete(node);
        if (isAgain) this.#rebalance();
      },
      () => {
        this.#setup.wheel.schedule(retryMs, () => {
          this.#sending.delete(node);
          this.#rebalance();
        });
      },
    );
  }

  async #sendAll(node: NodeName): Promise<void> {
    const { memory, moved, nodes } = this.#setup;
    while (nodes().includes(node)) {
      const histories = this.#nextFor(node);
      const isLast = histories.length === 0;
      if (isLast && !this.#untold.has(node)) return;
      try {
        await this.#setup.send(node, histories, isLast ? nodes() : null);
      } catch (error) {
        for (const history of histories) memory.give(history);
        throw error;
      }
      moved(histories.length);
      if (isLast) return void this.#untold.delete(node);
    }
  }

  /** What one message holds of the histories whose home that node is. */
  #nextFor(node: NodeName): HistoryState[] {
    const { memory } = this.#setup;
    const histories: HistoryState[] = [];
    let room = maxMoveBytes;
    for (const channel of memory.channels()) {
      if (room <= 0) break;
      if (this.homeOf(channel) !== node) continue;
      const history = memory.take(channel)!;
      for (const [, , bytes] of history.entries) room -= bytes;
      histories.push(history);
    }
    return histories;
  }
}
