/**
 * What this node has of what others publish for it, and the acknowledgements. To send one and to read it costs as much as several
 * publishes, so each is for all that has come: at the end of the turn if somebody waits for it, a little later if more come than one at a
 * time, and much later if nobody waits.
 */
import type { LinkSettings } from './link-settings.ts';
import { nodeIn, type PeerTable } from './peers.ts';
import { PublishReceipts } from './publish-receipts.ts';
import type { GapMessage, PublishMessage } from './wire-messages.ts';

/** Boots of other nodes whose publications are remembered. */
const maxOrigins = 1024;

/** Between two acknowledgements that somebody waits for, if the last one was for several publishes. */
const pauseMs = 2;
/** Until one that nobody waits for. */
const idleMs = 20;

export class Receipts {
  /** The boot of this node. */
  readonly #boot: string;
  readonly #peers: PeerTable;
  readonly #stored: LinkSettings['stored'];
  readonly #byOrigin = new Map<string, PublishReceipts>();
  /** Those that have an acknowledgement to send at the end of this turn. */
  readonly #owing = new Set<PublishReceipts>();
  /** When the last ones were sent, on the clock of `performance.now()`, and for how many publishes. */
  #acknowledgedAt = 0;
  #lastCount = 0;
  #count = 0;
  #timer: NodeJS.Timeout | undefined;
  /** The next ones are sent as soon as may be. */
  #isSoon = false;

  /** @param stored as of `LinkSettings` */
  constructor(boot: string, peers: PeerTable, stored: LinkSettings['stored']) {
    this.#boot = boot;
    this.#peers = peers;
    this.#stored = stored;
  }

  /** @returns whether it is new, and to be passed on */
  take(message: PublishMessage | GapMessage): boolean {
    const receipts = this.#of(message.origin);
    const isNew = receipts.take(message.number, message.after);
    if (receipts.isOwed) this.#owe(receipts, !isNew || message.type === 'gap' || message.confirm);
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
    this.#count += 1;
    if (this.#isSoon) return;
    if (!isAwaited) {
      this.#timer ??= setTimeout(this.#acknowledge, idleMs);
      return;
    }
    this.#isSoon = true;
    clearTimeout(this.#timer);
    if (this.#lastCount > 1 && performance.now() - this.#acknowledgedAt < pauseMs) {
      this.#timer = setTimeout(this.#acknowledge, pauseMs);
    } else {
      setImmediate(this.#acknowledge);
    }
  }

  readonly #acknowledge = (): void => {
    this.#acknowledgedAt = performance.now();
    this.#lastCount = this.#count;
    this.#count = 0;
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
