/**
 * Where the history of channels is kept: the contract of history stores. A store numbers what it is given: within an epoch the
 * offsets of a channel are 1, 2, 3 …; a new epoch begins when what was there may be lost.
 *
 * Every store must pass test/support/history-store-suite.ts.
 */
import type { Position } from './types.ts';

export interface HistoryBounds {
  /** Entries that are kept of a channel. */
  readonly size: number;
  /** How long each is kept, ms. */
  readonly ttlMs: number;
}

export interface HistoryEntry {
  readonly offset: number;
  /** When it was stored, ms since 1970. */
  readonly at: number;
  /** A plain value, as JSON has them. */
  readonly content: unknown;
}

/** Something to be kept. */
export interface Append {
  readonly channel: string;
  readonly bounds: HistoryBounds;
  readonly content: unknown;
  /** About how much memory it takes. */
  readonly bytes: number;
  /** Who has published it, and a number that grows with each that it publishes. What comes again is not stored twice. */
  readonly origin: string;
  readonly number: number;
}

/** Entries behind `since` and before `before`; the last ones of them if there are more than `limit`, unless `since` is given. */
export interface HistoryQuery {
  /** The epoch that the offsets are of. Those of another one are left out of account. */
  readonly epoch?: string | undefined;
  readonly since?: number | undefined;
  readonly before?: number | undefined;
  readonly limit: number;
}

/** What is there, in the order of the offsets. */
export interface HistoryPart {
  readonly epoch: string;
  /** The last one that was given to anything. */
  readonly offset: number;
  readonly entries: readonly HistoryEntry[];
  /** `since` is of this epoch (absent: its beginning), and nothing that came behind it is forgotten. */
  readonly complete: boolean;
}

export type Later<Value> = Value | Promise<Value>;

export interface HistoryStore {
  /**
   * Keeps these, in this order. What its origin has given before gets the position of then, if it was the last one of that origin in
   * its channel, and undefined otherwise.
   */
  append(items: readonly Append[]): Later<readonly (Position | undefined)[]>;
  /** A channel that has nothing begins an epoch. */
  read(channel: string, bounds: HistoryBounds, query: HistoryQuery): Later<HistoryPart>;
  /** Forgets the entries; the numbers go on. */
  clear(channel: string): Later<void>;
}

/** What an answer holds at most: it is one message between nodes. */
export const maxPartBytes = 1024 * 1024;

/** Entries that a subscriber may begin with. */
export const maxReplay = 1000;
