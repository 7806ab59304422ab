/**
 * Histories in the memory of one node, each at its channel's home: they are moved to another node as a whole, and end with a node that
 * is lost.
 *
 *   entries  [ … 5 6 7 8 9 ]      at most `size`, none older than `ttl`; all channels together within `maxBytes`, the oldest go first
 *   taken    origin → number, offset of the last that it has given
 */
import type { Append, HistoryBounds, HistoryEntry, HistoryPart, HistoryQuery, HistoryStore } from '../history-store.ts';
import { maxPartBytes } from '../history-store.ts';
import type { Position } from '../types.ts';

export interface MemoryHistorySetup {
  readonly maxBytes: number;
  /** A text that is greater than that of any epoch before. */
  readonly newEpoch: (channel: string) => string;
  /** ms since 1970. */
  readonly now?: () => number;
}

interface Kept extends HistoryEntry {
  readonly bytes: number;
}

/** A history on its way to another node. */
export interface HistoryState {
  readonly channel: string;
  readonly epoch: string;
  readonly offset: number;
  readonly size: number;
  readonly ttlMs: number;
  readonly entries: readonly (readonly [offset: number, at: number, bytes: number, content: unknown])[];
  readonly taken: readonly (readonly [origin: string, number: number, offset: number])[];
}

/** Boots of nodes whose numbers are remembered of one channel. */
const maxOrigins = 64;

class History {
  readonly channel: string;
  readonly epoch: string;
  bounds: HistoryBounds;
  offset = 0;
  usedAt: number;
  readonly taken = new Map<string, { number: number; offset: number }>();
  /** Those before `head` are forgotten. */
  readonly entries: (Kept | undefined)[] = [];
  head = 0;
  /** Of the places in the order of all entries, those of entries that are forgotten. */
  vacant = 0;

  constructor(channel: string, epoch: string, bounds: HistoryBounds, now: number) {
    this.channel = channel;
    this.epoch = epoch;
    this.bounds = bounds;
    this.usedAt = now;
  }

  get length(): number {
    return this.entries.length - this.head;
  }

  get first(): Kept | undefined {
    return this.entries[this.head];
  }

  /** Forgets the oldest entry; returns its bytes. */
  shift(): number {
    const { bytes } = this.entries[this.head]!;
    this.entries[this.head] = undefined;
    this.head += 1;
    if (this.head >= 32 && this.head * 2 >= this.entries.length) {
      this.entries.splice(0, this.head);
      this.head = 0;
    }
    return bytes;
  }
}

export class MemoryHistories implements HistoryStore {
  readonly #maxBytes: number;
  readonly #newEpoch: (channel: string) => string;
  readonly #now: () => number;
  readonly #histories = new Map<string, History>();
  /** Whose entry is the oldest, the next one, …: one place for each that was appended. */
  #order: History[] = [];
  #orderHead = 0;
  #count = 0;
  #bytes = 0;

  constructor({ maxBytes, newEpoch, now = Date.now }: MemoryHistorySetup) {
    this.#maxBytes = maxBytes;
    this.#newEpoch = newEpoch;
    this.#now = now;
  }

  get kept(): { readonly channels: number; readonly entries: number; readonly bytes: number } {
    return { channels: this.#histories.size, entries: this.#count, bytes: this.#bytes };
  }

  has(channel: string): boolean {
    return this.#histories.has(channel);
  }

  channels(): string[] {
    return [...this.#histories.keys()];
  }

  append(items: readonly Append[]): (Position | undefined)[] {
    return items.map((item) => this.appendOne(item));
  }

  appendOne({ channel, bounds, content, bytes, origin, number }: Append): Position | undefined {
    const now = this.#now();
    const history = this.#of(channel, bounds, now);
    const before = history.taken.get(origin);
    if (before && number <= before.number) {
      return number === before.number ? [history.epoch, before.offset] : undefined;
    }
    history.usedAt = now;
    history.offset += 1;
    const { offset } = history;
    if (before) {
      before.number = number;
      before.offset = offset;
    } else {
      if (history.taken.size >= maxOrigins) history.taken.delete(history.taken.keys().next().value!);
      history.taken.set(origin, { number, offset });
    }
    this.#push(history, { offset, at: now, bytes, content });
    this.#trim(history, now);
    while (this.#bytes > this.#maxBytes) this.#forgetOldest();
    return [history.epoch, offset];
  }

  read(channel: string, bounds: HistoryBounds, { epoch, since, before, limit }: HistoryQuery): HistoryPart {
    const now = this.#now();
    const history = this.#of(channel, bounds, now);
    this.#trim(history, now);
    const isSame = epoch === undefined || epoch === history.epoch;
    const from = isSame && since !== undefined ? since + 1 : 1;
    const to = isSame && before !== undefined ? before - 1 : history.offset;
    const { entries, head } = history;
    const first = history.first?.offset ?? history.offset + 1;
    let start = head + Math.max(0, from - first);
    const end = Math.min(entries.length, head + Math.max(0, to - first + 1));
    if (since === undefined) start = Math.max(start, end - limit);
    const found = entries.slice(start, Math.min(end, start + limit)) as Kept[];
    const page = within(found, since === undefined);
    return {
      epoch: history.epoch,
      offset: history.offset,
      entries: page.map(({ offset, at, content }) => ({ offset, at, content })),
      complete: isSame && from - 1 <= history.offset && first <= from,
    };
  }

  clear(channel: string): void {
    const history = this.#histories.get(channel);
    while (history && history.length > 0) this.#shift(history);
  }

  /** Takes a history out, for another node. */
  take(channel: string): HistoryState | undefined {
    const history = this.#histories.get(channel);
    if (!history) return undefined;
    const kept = history.entries.slice(history.head) as Kept[];
    const state = {
      channel,
      epoch: history.epoch,
      offset: history.offset,
      size: history.bounds.size,
      ttlMs: history.bounds.ttlMs,
      entries: kept.map(({ offset, at, bytes, content }) => [offset, at, bytes, content] as const),
      taken: [...history.taken].map(([origin, { number, offset }]) => [origin, number, offset] as const),
    };
    this.#forget(history);
    return state;
  }

  /** Goes on with another node's. Of two the one stays whose epoch is the later one. @returns whether it is this one */
  give({ channel, epoch, offset, size, ttlMs, entries, taken }: HistoryState): boolean {
    const present = this.#histories.get(channel);
    if (present && (present.epoch > epoch || (present.epoch === epoch && present.offset >= offset))) return false;
    if (present) this.#forget(present);
    const history = new History(channel, epoch, { size, ttlMs }, this.#now());
    history.offset = offset;
    for (const [origin, number, at] of taken) history.taken.set(origin, { number, offset: at });
    this.#histories.set(channel, history);
    for (const [at, time, bytes, content] of entries) this.#push(history, { offset: at, at: time, bytes, content });
    while (this.#bytes > this.#maxBytes) this.#forgetOldest();
    return true;
  }

  /**
   * Forgets what is too old, of some channels in turn.
   * @param isWanted whether somebody is subscribed to a channel: then its numbers go on though it is empty
   */
  sweep(isWanted: (channel: string) => boolean): void {
    const now = this.#now();
    for (const history of this.#histories.values()) {
      this.#trim(history, now);
      const isOver = history.length === 0 && now - history.usedAt >= history.bounds.ttlMs;
      if (isOver && !isWanted(history.channel)) this.#forget(history);
    }
  }

  #of(channel: string, bounds: HistoryBounds, now: number): History {
    const present = this.#histories.get(channel);
    if (present) {
      present.bounds = bounds;
      return present;
    }
    const history = new History(channel, this.#newEpoch(channel), bounds, now);
    this.#histories.set(channel, history);
    return history;
  }

  #push(history: History, entry: Kept): void {
    history.entries.push(entry);
    this.#order.push(history);
    this.#count += 1;
    this.#bytes += entry.bytes;
    if (this.#order.length > 4096 && this.#order.length > 4 * this.#count) this.#tidy();
  }

  #trim(history: History, now: number): void {
    const { size, ttlMs } = history.bounds;
    while (history.length > size || (history.length > 0 && now - history.first!.at >= ttlMs)) this.#shift(history);
  }

  #shift(history: History): void {
    this.#bytes -= history.shift();
    this.#count -= 1;
    history.vacant += 1;
  }

  #forgetOldest(): void {
    const history = this.#order[this.#orderHead]!;
    this.#orderHead += 1;
    if (history.vacant > 0) {
      history.vacant -= 1;
      return;
    }
    this.#shift(history);
    history.vacant -= 1;
  }

  #forget(history: History): void {
    while (history.length > 0) this.#shift(history);
    this.#histories.delete(history.channel);
  }

  /** Leaves out the places of what is forgotten. */
  #tidy(): void {
    const order: History[] = [];
    for (let at = this.#orderHead; at < this.#order.length; at += 1) {
      const history = this.#order[at]!;
      if (history.vacant > 0) history.vacant -= 1;
      else order.push(history);
    }
    this.#order = order;
    this.#orderHead = 0;
  }
}

/** As many as one answer holds, and at least one. */
function within(entries: readonly Kept[], last: boolean): readonly Kept[] {
  let bytes = 0;
  for (let count = 0; count < entries.length; count += 1) {
    bytes += entries[last ? entries.length - 1 - count : count]!.bytes;
    if (bytes > maxPartBytes && count > 0) return last ? entries.slice(-count) : entries.slice(0, count);
  }
  return entries;
}
