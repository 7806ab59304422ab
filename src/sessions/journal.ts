/**
 * What recoverable sessions of a node were sent, for those that return: numbered, in one order, bounded by age and size. An entry is
 * in two lists: in that of all, whose oldest is forgotten first, and in that of its scope (one channel, or one session), from whose
 * newest a return walks back to what its client has seen. So a return costs what was missed, however much else was sent.
 *
 *   all:       1 ─▶ 2 ─▶ 3 ─▶ 4 ─▶ 5 ─▶ 6
 *   news:      1 ◀─────▶ 3 ◀─▶ 4              newest: 4
 *   session:        2 ◀─────────────▶ 5       newest: 5
 *
 * A scope knows the number of its last entry, and of the last one that was forgotten: who has seen everything up to that one misses
 * nothing, though its position be long out of the journal.
 */
import type { ServerPacket } from '../protocol/packet.ts';

/** Whose entries belong together. */
export class Scope {
  /** Number of its last entry; 0: it never had one. */
  last = 0;
  /** Number of the last of its entries that is forgotten. */
  forgotten = 0;
  /** @internal */
  newest: Entry | undefined;
}

export interface Entry {
  readonly number: number;
  readonly packet: ServerPacket;
  /** Of the publication, where sessions outlive their node. */
  readonly id: string | undefined;
  /** Of its text, roughly in bytes. */
  readonly size: number;
  readonly scope: Scope;
  /** On the journal's clock. */
  readonly at: number;
  /** In the list of all. @internal */
  later: Entry | undefined;
  /** In that of its scope. @internal */
  next: Entry | undefined;
  /** @internal */
  previous: Entry | undefined;
}

export interface JournalBounds {
  /** How long an entry is kept, ms. */
  readonly windowMs: number;
  /** Memory that all entries may take, by the measure of `memoryOf`. */
  readonly maxBytes: number;
}

/** What an entry takes besides its texts, bytes. */
const overhead = 192;

/** Of an entry: its arguments, and what they are encoded to. */
function memoryOf(size: number): number {
  return 2 * size + overhead;
}

export class Journal {
  readonly #bounds: JournalBounds;
  readonly #now: () => number;
  #oldest: Entry | undefined;
  #newest: Entry | undefined;
  #last = 0;
  #bytes = 0;
  #count = 0;

  /** @param now ms; monotonic */
  constructor(bounds: JournalBounds, now: () => number) {
    this.#bounds = bounds;
    this.#now = now;
  }

  /** The number that was given last. */
  get last(): number {
    return this.#last;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get count(): number {
    return this.#count;
  }

  /** Age of the oldest entry, ms. */
  get ageMs(): number {
    return this.#oldest ? this.#now() - this.#oldest.at : 0;
  }

  /** A number without an entry. */
  skip(): number {
    this.#last += 1;
    return this.#last;
  }

  /** Returns its number. */
  append(scope: Scope, packet: ServerPacket, id?: string): number {
    const at = this.#now();
    const number = this.skip();
    const size = sizeOf(packet);
    const previous = scope.newest;
    const entry: Entry = { number, packet, id, size, scope, at, later: undefined, next: undefined, previous };
    if (previous) previous.next = entry;
    scope.newest = entry;
    scope.last = number;
    if (this.#newest) this.#newest.later = entry;
    else this.#oldest = entry;
    this.#newest = entry;
    this.#bytes += memoryOf(size);
    this.#count += 1;
    this.#trim(at);
    return number;
  }

  /** Forgets what is too old. An idle journal has nobody else who does. */
  trim(): void {
    this.#trim(this.#now());
  }

  #trim(now: number): void {
    const { windowMs, maxBytes } = this.#bounds;
    for (let entry = this.#oldest; entry; entry = this.#oldest) {
      if (this.#bytes <= maxBytes && now - entry.at <= windowMs) return;
      this.#forget(entry);
    }
  }

  /** The oldest of all is also the oldest of its scope. */
  #forget(entry: Entry): void {
    const { scope, next, later, number, size } = entry;
    this.#oldest = later;
    if (!later) this.#newest = undefined;
    if (next) next.previous = undefined;
    else scope.newest = undefined;
    scope.forgotten = number;
    this.#bytes -= memoryOf(size);
    this.#count -= 1;
  }
}

/** The length of a packet's text, roughly. */
export function sizeOf(packet: ServerPacket): number {
  if (packet.type === 'event') return packet.name.length + packet.argsJson.length;
  if (packet.type === 'ack') return packet.argsJson.length;
  if (typeof packet.data === 'string') return packet.data.length;
  return (JSON.stringify(packet.data) ?? 'null').length;
}
