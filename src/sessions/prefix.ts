/**
 * What a session was sent by nodes that are gone, under the positions that it had there. It stands before what the session is sent here.
 * A session may have had several such lives: each node that goes on with it may be lost in its turn.
 *
 *   by one node: 3  7  9 │ kept by others for it │ by the next: 4  6 │ kept │ here: 12  15
 */
import type { ServerPacket } from '../protocol/packet.ts';
import type { MissedEvent } from './missed-event.ts';
import { Positions } from './positions.ts';

export interface PrefixEntry {
  readonly number: number;
  readonly packet: ServerPacket;
}

/** A life of a session at a node that is gone. */
export interface PastLife {
  /** Of the boot that gave the numbers. */
  readonly tag: string;
  /** Number before its first event. */
  readonly began: number;
  /** The last number that is known of that node. */
  readonly end: number;
  /** What it was sent behind that number, in order; undefined if not all of that is there. */
  since(number: number): readonly PrefixEntry[] | undefined;
  /** As the record of the session has it. */
  readonly record: unknown;
  /** Whether others had kept a publication of that id for it. */
  hasKept(channel: string, id: string): boolean;
}

/** The lives of a session at nodes that are gone. */
export interface FormerLives {
  /** Those in which its client may still be, oldest first. */
  readonly records: readonly unknown[];
  /**
   * What of it a client has missed; undefined if not all of that is there. Lives before that of the position are over.
   * @param position as its last event had it; undefined if it has received none
   */
  missed(position: unknown): readonly MissedEvent[] | undefined;
  /** A publication is about to be sent at this node, apart from its channel. Returns false if the session has it from others already. */
  take(channel: string, id: string): boolean;
  /** Whether it was taken. */
  wasSent(channel: string, id: string): boolean;
  /** Whether any was. */
  readonly hasSent: boolean;
}

/** Lives of which only the records are known yet. */
export class UnreadLives implements FormerLives {
  readonly records: readonly unknown[];
  readonly #sent = new Set<string>();

  constructor(records: readonly unknown[]) {
    this.records = records;
  }

  missed(): undefined {}

  take(channel: string, id: string): boolean {
    this.#sent.add(`${channel} ${id}`);
    return true;
  }

  wasSent(channel: string, id: string): boolean {
    return this.#sent.has(`${channel} ${id}`);
  }

  get hasSent(): boolean {
    return this.#sent.size > 0;
  }
}

/** What others had kept for a node has numbers from here on, which no node gives. */
export const keptFrom = 2 ** 50;

export class Prefix implements FormerLives {
  #lives: readonly PastLife[];

  /** @param lives oldest first */
  constructor(lives: readonly PastLife[]) {
    this.#lives = lives;
  }

  get records(): readonly unknown[] {
    return this.#lives.map(({ record }) => record);
  }

  take(channel: string, id: string): boolean {
    return !this.#lives.some((life) => life.hasKept(channel, id));
  }

  wasSent(): boolean {
    return false;
  }

  readonly hasSent = false;

  missed(position: unknown): readonly MissedEvent[] | undefined {
    let from: number | undefined;
    for (let at = this.#lives.length - 1; at >= 0 && from === undefined; at -= 1) {
      const { tag, began, end } = this.#lives[at]!;
      const received = new Positions(tag).parse(position) ?? 0;
      // Numbers of a former session of that boot, or of a life before, are not of this one.
      if (received <= began) continue;
      // It was shown, and could not be stored.
      if (received > end && received < keptFrom) return undefined;
      from = received;
      this.#lives = this.#lives.slice(at);
    }
    const missed: MissedEvent[] = [];
    for (const life of this.#lives) {
      const entries = life.since(from ?? life.began);
      if (!entries) return undefined;
      const positions = new Positions(life.tag);
      for (const { number, packet } of entries) missed.push({ packet, tail: positions.tail(number) });
      from = undefined;
    }
    return missed;
  }
}
