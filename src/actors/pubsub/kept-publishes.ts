/**
 * What was published for a boot that is gone, or that sessions have left, and which it is not known to have got: whoever goes on with
 * its sessions asks all nodes. An answer says, too, what that node has published for the one that asks, who waits for it: it may be sent
 * again after a loss, or wait for room, and come behind the answer. Then a session would get it twice, as kept and as published.
 *
 *   adopter ──kept_wanted──▶ node:  kept: 7 9 10; for you: up to 10
 *           ◀─── 9 ── 10 ──          (published)
 *           has 10 ──▶ what was kept and has not come: 7
 */
import type { Kernel } from '../../kernel/kernel.ts';
import { isGone } from '../../kernel/types.ts';
import type { Log } from '../../observe/logger.ts';
import { nodeIn, type Peer, type PeerTable } from './peers.ts';
import type { Receipts } from './receipts.ts';
import { fromPublishTerm, isKeptAnswer, type KeptAnswer, type PublishMessage, toPublishTerm } from './wire-messages.ts';

export interface KeptSetup {
  readonly kernel: Kernel;
  /** This one. */
  readonly boot: string;
  readonly peers: PeerTable;
  readonly receipts: Receipts;
  readonly log: Log;
}

/** How long a node may take to say what it has kept, and then to send what is on its way: clients wait for it. */
const timeoutMs = 3000;
const pauseMs = 100;

export class KeptPublishes {
  readonly #setup: KeptSetup;
  /** What this node publishes itself while sessions leave it. */
  #own: PublishMessage[] | undefined;

  constructor(setup: KeptSetup) {
    this.#setup = setup;
  }

  /** What this node publishes is kept, as others keep what they publish for it. */
  keepOwn(isKept: boolean): void {
    this.#own = isKept ? [] : undefined;
  }

  /** Whether it is. */
  get keepsOwn(): boolean {
    return this.#own !== undefined;
  }

  add(message: PublishMessage): void {
    this.#own?.push(message);
  }

  /** Undefined if that is not all, or nothing is known any more of what was kept. */
  here(boot: string): readonly PublishMessage[] | undefined {
    return boot === this.#setup.boot ? (this.#own ?? []) : this.#setup.peers.logOf(boot)?.kept;
  }

  /** Whether there is something; undefined if nothing is known any more. */
  holds(boot: string): boolean | undefined {
    if (boot === this.#setup.boot) return this.#own !== undefined && this.#own.length > 0;
    const log = this.#setup.peers.logOf(boot);
    return log && log.kept?.length !== 0;
  }

  /** Whether there is something for any boot. */
  get isHolding(): boolean {
    const { boot, peers } = this.#setup;
    const logs = [...peers.all(), ...(peers.former ?? [])].map(({ log }) => log);
    return this.holds(boot) === true || logs.some((log) => log.kept?.length !== 0);
  }

  /** For a node that asks. */
  answer(boot: string, by: string): KeptAnswer {
    const asker = this.#setup.peers.get(nodeIn(by));
    return { upTo: asker?.boot === by ? asker.log.last : 0, kept: this.here(boot)?.map(toPublishTerm) ?? null };
  }

  /**
   * What this node and all connected ones have kept, by node. Undefined if that is not all. When it resolves, this node has everything of
   * it that they have published for it, too.
   * @param hasLeft whether that boot has left its sessions as planned, and may be there still
   */
  async everywhere(boot: string, hasLeft: boolean): Promise<readonly PublishMessage[] | undefined> {
    const asked = [...this.#setup.peers.all()]
      // That boot may be there still, and stand still.
      .filter((peer) => peer.interest && (peer.boot !== boot || hasLeft))
      .map((peer) => this.#of(peer, boot));
    const own = this.here(boot);
    try {
      const answers = await Promise.all(asked);
      return own && answers.every((kept) => kept !== undefined) ? own.concat(...answers) : undefined;
    } catch (error) {
      this.#setup.log.warning(`Not all that was kept for ${boot} can be had`, { error });
      return undefined;
    }
  }

  async #of(peer: Peer, boot: string): Promise<readonly PublishMessage[] | undefined> {
    const answer = await this.#ask(peer, boot);
    if (!isKeptAnswer(answer) || answer.kept === null) return undefined;
    const kept = answer.kept.map(fromPublishTerm);
    for (const until = performance.now() + timeoutMs; this.#isOnItsWay(peer, answer.upTo); ) {
      if (performance.now() > until) throw new Error(`${peer.node} has not sent what it has published`);
      await this.#pause();
    }
    return kept;
  }

  /** A boot that was replaced sends nothing any more. */
  #isOnItsWay(peer: Peer, upTo: number): boolean {
    const { peers, receipts } = this.#setup;
    return receipts.upTo(peer.boot) < upTo && peers.get(peer.node) === peer;
  }

  /** A node that has just connected may be starting still. */
  async #ask(peer: Peer, boot: string): Promise<unknown> {
    const { kernel, boot: by } = this.#setup;
    for (const until = performance.now() + timeoutMs; ; ) {
      try {
        return await kernel.ask(peer.manager, { type: 'kept_wanted', boot, by }, timeoutMs);
      } catch (error) {
        // It has ended meanwhile, and published nothing since it left them.
        if (peer.boot === boot && !peer.interest) return { upTo: 0, kept: [] };
        if (!isGone(error) || !peer.interest || performance.now() > until) throw error;
        await this.#pause();
      }
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#setup.kernel.wheel.schedule(pauseMs, resolve));
  }
}
