/**
 * Publishers that wait until other nodes have what they published. A state machine without I/O or timers; the time is handed in.
 *
 *   open ──every node has it, or is not waited for──▶ settled with the names of those that have not confirmed
 *     └───── after `boundMs`, and those that let it come to that are behind
 */
import type { NodeName } from '../../kernel/types.ts';
import type { Unconfirmed } from '../../web/api/api-host.ts';

/** How long a publisher waits, ms. */
export const confirmBoundMs = 1000;

/** Who is waited for: one boot of a node. */
export interface Confirming {
  readonly node: NodeName;
}

export interface ConfirmationEvents {
  /** All nodes have it. */
  confirmed(ms: number): void;
  /** Some have not. */
  unconfirmed(): void;
}

/** What one publisher waits for. No promise: there are many, and each would cost more than the rest of it. */
export class Confirmation implements Unconfirmed {
  readonly number: number;
  readonly begunAt: number;
  /** Nodes that have not answered yet. */
  pending = 0;
  /** Those that are not waited for. */
  missing: NodeName[] | undefined;
  #listener: ((unconfirmed: readonly NodeName[]) => void) | undefined;

  constructor(number: number, begunAt: number) {
    this.number = number;
    this.begunAt = begunAt;
  }

  whenKnown(listener: (unconfirmed: readonly NodeName[]) => void): void {
    this.#listener = listener;
    if (this.pending === 0) this.settle();
  }

  /** Nobody is waited for any more. */
  settle(): void {
    this.#listener?.(this.missing ?? nobody);
  }
}

const nobody: readonly NodeName[] = [];

export class Confirmations<Peer extends Confirming> {
  readonly #events: ConfirmationEvents;
  readonly #boundMs: number;
  /** In the order of their numbers. */
  readonly #byPeer = new Map<Peer, Confirmation[]>();
  /** In the order of their beginning; settled ones leave when those before them have. */
  #open: Confirmation[] = [];
  #first = 0;

  constructor(events: ConfirmationEvents, boundMs = confirmBoundMs) {
    this.#events = events;
    this.#boundMs = boundMs;
  }

  /** When `expire` has to be called next; undefined while nobody waits. */
  get dueAt(): number | undefined {
    const first = this.#open[this.#first];
    return first && first.begunAt + this.#boundMs;
  }

  /** It has to be confirmed by this node. */
  await(confirmation: Confirmation, peer: Peer): void {
    const waiting = this.#byPeer.get(peer);
    if (waiting) waiting.push(confirmation);
    else this.#byPeer.set(peer, [confirmation]);
    confirmation.pending += 1;
  }

  /** This node cannot confirm it, or not in time. */
  miss(confirmation: Confirmation, peer: Peer): void {
    confirmation.missing ??= [];
    confirmation.missing.push(peer.node);
  }

  /** All nodes that have to confirm it are named. To be called before any answers. */
  begin(confirmation: Confirmation): void {
    if (confirmation.pending === 0) this.#events.unconfirmed();
    else this.#open.push(confirmation);
  }

  /** A node has everything up to this number. */
  taken(peer: Peer, upTo: number, now: number): void {
    const waiting = this.#byPeer.get(peer);
    if (!waiting) return;
    let count = 0;
    while (count < waiting.length && waiting[count]!.number <= upTo) {
      this.#answered(waiting[count]!, now);
      count += 1;
    }
    if (count === waiting.length) this.#byPeer.delete(peer);
    else if (count > 0) waiting.splice(0, count);
  }

  /** A node is not waited for any more. */
  release(peer: Peer, now: number): void {
    const waiting = this.#byPeer.get(peer);
    this.#byPeer.delete(peer);
    for (const confirmation of waiting ?? []) {
      this.miss(confirmation, peer);
      this.#answered(confirmation, now);
    }
  }

  /** @returns the nodes that have let somebody wait for too long: they are not waited for any more */
  expire(now: number): Peer[] {
    const due = now - this.#boundMs;
    const late: Peer[] = [];
    for (const [peer, waiting] of this.#byPeer) if (waiting[0]!.begunAt <= due) late.push(peer);
    for (const peer of late) this.release(peer, now);
    return late;
  }

  #answered(confirmation: Confirmation, now: number): void {
    confirmation.pending -= 1;
    if (confirmation.pending > 0) return;
    const { missing, begunAt } = confirmation;
    if (missing) this.#events.unconfirmed();
    else this.#events.confirmed(now - begunAt);
    confirmation.settle();
    this.#close();
  }

  #close(): void {
    const open = this.#open;
    let first = this.#first;
    while (first < open.length && open[first]!.pending === 0) first += 1;
    this.#first = first;
    if (first === open.length) open.length = 0;
    else if (first >= 1024) open.splice(0, first);
    else return;
    this.#first = 0;
  }
}
