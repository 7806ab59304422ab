/**
 * What this node has of what others publish for it, and the acknowledgements. To send one and to read it costs as much as several
 * publishes, so each is for all that has come: at the end of the turn if somebody waits for it, and much later if nobody does.
 */
import type { LinkSettings } from './link-settings.ts';
import { nodeIn, type PeerTable } from './peers.ts';
import { PublishReceipts } from './publish-receipts.ts';

/** Boots of other nodes whose publications are remembered. */
const maxOrigins = 1024;

/** Until one that nobody waits for. */
const idleMs = 20;

export class Receipts {
  /** The boot of this node. */
  readonly #boot: string;
  readonly #peers: PeerTable;
  readonly #stored: LinkSettings['stored'];
  readonly #byOrigin = new Map<string, PublishReceipts>();
  /** Those that have an acknowledgement to send. */
  readonly #owing = new Set<PublishReceipts>();
  #timer: NodeJS.Timeout | undefined;
  /** The next ones are sent as soon as may be. */
  #isSoon = false;

  /** @param stored as of `LinkSettings` */
  constructor(boot: string, peers: PeerTable, stored: LinkSettings['stored']) {
    this.#boot = boot;
    this.#peers = peers;
    this.#stored = stored;
  }

  /**
   * @param isAwaited whether somebody waits for the acknowledgement
   * @returns whether it is new, and to be passed on
   */
  take(origin: string, number: number, after: number, isAwaited: boolean): boolean {
    const receipts = this.#of(origin);
    const isNew = receipts.take(number, after);
    if (receipts.isOwed) this.#owe(receipts, !isNew || isAwaited);
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
    this.#owe(receipts, true);
  }

  /** What that boot has sent may be lost here: it is asked to send it again. */
  ask(origin: string): void {
    const receipts = this.#of(origin);
    receipts.ask();
    this.#owe(receipts, true);
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

  #owe(receipts: PublishReceipts, isAwaited: boolean): void {
    this.#owing.add(receipts);
    if (this.#isSoon) return;
    if (!isAwaited) {
      this.#timer ??= setTimeout(this.#acknowledge, idleMs);
      return;
    }
    this.#isSoon = true;
    clearTimeout(this.#timer);
    setImmediate(this.#acknowledge);
  }

  readonly #acknowledge = (): void => {
    this.#timer = undefined;
    this.#isSoon = false;
    for (const receipts of this.#owing) {
      const { origin } = receipts;
      const peer = this.#peers.get(nodeIn(origin));
      // One that is not connected is told when it is back.
      if (!peer?.interest || peer.boot !== origin) continue;
      const { manager } = peer;
      const taken = { type: 'taken', by: this.#boot, origin, ...receipts.acknowledge() } as const;
      const stored = this.#stored?.();
      if (stored) {
        void stored.then(() => manager.tell(taken));
        continue;
      }
      manager.tell(taken);
      manager.flush();
    }
    this.#owing.clear();
  };
}
