/**
 * What this node has of what others publish for it, and the acknowledgements: one message per turn of the event loop and node, for
 * everything that has come in it.
 */
import type { LinkSettings } from './link-settings.ts';
import { nodeIn, type PeerTable } from './peers.ts';
import { PublishReceipts } from './publish-receipts.ts';
import type { GapMessage, PublishMessage } from './wire-messages.ts';

/** Boots of other nodes whose publications are remembered. */
const maxOrigins = 1024;

export class Receipts {
  /** The boot of this node. */
  readonly #boot: string;
  readonly #peers: PeerTable;
  readonly #stored: LinkSettings['stored'];
  readonly #byOrigin = new Map<string, PublishReceipts>();
  /** Those that have an acknowledgement to send at the end of this turn. */
  readonly #owing = new Set<PublishReceipts>();

  /** @param stored as of `LinkSettings` */
  constructor(boot: string, peers: PeerTable, stored: LinkSettings['stored']) {
    this.#boot = boot;
    this.#peers = peers;
    this.#stored = stored;
  }

  /** @returns whether it is new, and to be passed on */
  take({ origin, number, after }: PublishMessage | GapMessage): boolean {
    const receipts = this.#of(origin);
    const isNew = receipts.take(number, after);
    if (receipts.isOwed) this.#owe(receipts);
    return isNew;
  }

  /** Resolves when what is here outlives this node; undefined if it does already, or need not. */
  get stored(): Promise<void> | undefined {
    return this.#stored?.();
  }

  /** The number up to which everything of that boot is here. */
  upTo(origin: string): number {
    return this.#byOrigin.get(origin)?.upTo ?? 0;
  }

  /** That boot is connected, perhaps once more: then it is told what is here. */
  connected(origin: string): void {
    const receipts = this.#byOrigin.get(origin);
    if (!receipts) return;
    receipts.resume();
    this.#owe(receipts);
  }

  /** What that boot has sent may be lost here: it is asked to send it again. */
  ask(origin: string): void {
    const receipts = this.#of(origin);
    receipts.ask();
    this.#owe(receipts);
  }

  #of(origin: string): PublishReceipts {
    const known = this.#byOrigin.get(origin);
    if (known) return known;
    if (this.#byOrigin.size >= maxOrigins) this.#forgetOne();
    const receipts = new PublishReceipts(origin);
    this.#byOrigin.set(origin, receipts);
    return receipts;
  }

  #forgetOne(): void {
    for (const origin of this.#byOrigin.keys()) {
      if (this.#peers.get(nodeIn(origin))?.boot === origin) continue;
      this.#byOrigin.delete(origin);
      return;
    }
  }

  #owe(receipts: PublishReceipts): void {
    if (this.#owing.size === 0) setImmediate(() => this.#acknowledge());
    this.#owing.add(receipts);
  }

  #acknowledge(): void {
    for (const receipts of this.#owing) {
      const { origin } = receipts;
      const peer = this.#peers.get(nodeIn(origin));
      // One that is not connected is told when it is back.
      if (!peer?.interest || peer.boot !== origin) continue;
      const taken = { type: 'taken', by: this.#boot, origin, ...receipts.acknowledge() } as const;
      const stored = this.#stored?.();
      if (stored) void stored.then(() => peer.manager.tell(taken));
      else peer.manager.tell(taken);
    }
    this.#owing.clear();
  }
}
