/**
 * What a session was sent by a node that is gone, under the positions that it had there. It stands before what the session is sent here.
 *
 *   by the node that is gone: 3  7  9 │ here: 12  15
 *                                     └ end
 */
import type { ServerPacket } from '../protocol/packet.ts';
import type { MissedEvent } from './missed-event.ts';
import { Positions } from './positions.ts';

export interface PrefixEntry {
  readonly number: number;
  readonly packet: ServerPacket;
}

export interface PrefixParts {
  /** Of the boot that gave the numbers. */
  readonly tag: string;
  /** Number before its first event. */
  readonly began: number;
  /** Who has received less than this misses something that is not there any more. */
  readonly completeFrom: number;
  /** The last number of that node. */
  readonly end: number;
  /** In order. */
  readonly entries: readonly PrefixEntry[];
}

/** More than a node shows while it cannot store. */
const beyond = 2 ** 40;

export class Prefix {
  readonly #parts: PrefixParts;
  readonly #positions: Positions;
  readonly #more: PrefixEntry[] = [];

  constructor(parts: PrefixParts) {
    this.#parts = parts;
    this.#positions = new Positions(parts.tag);
  }

  /** What others had kept for that node comes behind it, under numbers that it cannot have given. */
  append(packet: ServerPacket): void {
    this.#more.push({ number: this.#parts.end + beyond + this.#more.length, packet });
  }

  /**
   * What of it a client has missed; undefined if not all of that is there.
   * @param position as its last event had it; undefined if it has received none
   */
  missed(position: unknown): readonly MissedEvent[] | undefined {
    const { began, completeFrom, end, entries } = this.#parts;
    const received = position === undefined ? began : this.#positions.parse(position);
    if (received === undefined || (received > end && received < end + beyond)) return undefined;
    const from = Math.max(received, began);
    if (from < completeFrom) return undefined;
    return [...entries, ...this.#more]
      .filter(({ number }) => number > from)
      .map(({ number, packet }) => ({ packet, tail: this.#positions.tail(number) }));
  }
}
