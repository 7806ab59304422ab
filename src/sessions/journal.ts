/**
 * What recoverable sessions of a node were sent, for those that return: numbered, in one order, bounded by age and size. Entries are
 * in a ring of bytes outside the heap of JavaScript, as so many objects that live for seconds would cost its garbage collector more
 * than all else. Each names the one before it of its scope (one channel, or one session), so that a return walks back from the newest to
 * what its client has seen: it costs what was missed, however much else was sent.
 *
 *   ring:      … 3 │ 4 │ 5 │ 6 │ (free) │ 1 │ 2 …      oldest: 1, next to be overwritten
 *   news:      1 ◀───── 3 ◀─ 4                         last: 4
 *   session:       2 ◀───────── 5                      last: 5
 *
 * A scope knows the number of its last entry: who has seen everything up to that one misses nothing, though its position be long out
 * of the journal.
 */
import { EventPacket, MessagePacket, type ServerPacket } from '../protocol/packet.ts';

/** Whose entries belong together. */
export class Scope {
  /** Number of its last entry; 0: it never had one. */
  last = 0;
  /** Where that is in the ring; -1: nowhere. @internal */
  at = -1;
}

export interface Entry {
  readonly number: number;
  readonly packet: ServerPacket;
  /** Length of its text. */
  readonly size: number;
}

export interface JournalBounds {
  /** How long an entry is kept, ms. */
  readonly windowMs: number;
  /** Memory that all entries may take. */
  readonly maxBytes: number;
}

/**
 * A record begins with these numbers of eight bytes each: its own, when it was written, that of the one before it in its scope and where
 * that is; then four of four bytes: its length, that of its text (bytes), that of the name in front of the text, and that of the id at its
 * end with the kind of packet. The text follows.
 */
const field = { number: 0, writtenAt: 1, previous: 2, previousAt: 3, lengths: 4, more: 5 } as const;
const headBytes = 48;
const kinds = { event: 0, text: 1, json: 2 } as const;

export class Journal {
  readonly #bounds: JournalBounds;
  readonly #now: () => number;
  readonly #capacity: number;
  #bytes: Buffer | undefined;
  #floats = new Float64Array(0);
  #words = new Uint32Array(0);
  /** Where the oldest record is. */
  #head = 0;
  /** Where the next one is written. */
  #tail = 0;
  /** Behind the last record before the end of the ring, where writing has gone on at its beginning. */
  #wrap: number;
  #last = 0;
  #used = 0;
  #count = 0;

  /** @param now ms; monotonic */
  constructor(bounds: JournalBounds, now: () => number) {
    this.#bounds = bounds;
    this.#now = now;
    this.#capacity = Math.floor(bounds.maxBytes / 8) * 8;
    this.#wrap = this.#capacity;
  }

  /** The number that was given last. */
  get last(): number {
    return this.#last;
  }

  /** Of all entries. */
  get bytes(): number {
    return this.#used;
  }

  get count(): number {
    return this.#count;
  }

  /** Age of the oldest entry, ms. */
  get ageMs(): number {
    return this.#count > 0 ? this.#now() - this.#floats[this.#head / 8 + field.writtenAt]! : 0;
  }

  /** Number of the oldest entry; above all that were given if there is none. */
  get oldest(): number {
    return this.#count > 0 ? this.#floats[this.#head / 8]! : this.#last + 1;
  }

  /** A number without an entry. */
  skip(): number {
    this.#last += 1;
    return this.#last;
  }

  /**
   * Returns its number.
   * @param id of the publication, where sessions outlive their node
   */
  append(scope: Scope, packet: ServerPacket, id = ''): number {
    const now = this.#now();
    this.#forgetOld(now);
    const isEvent = packet.type === 'event';
    const name = isEvent ? packet.name : '';
    const whole = name + (isEvent ? packet.argsJson : textOf(packet)) + id;
    const size = Buffer.byteLength(whole);
    const length = headBytes + 8 * Math.ceil(size / 8);
    const at = this.#reserve(length);
    const number = this.skip();
    if (at >= 0) {
      const floats = this.#floats;
      const words = this.#words;
      const first = at / 8;
      floats[first] = number;
      floats[first + field.writtenAt] = now;
      floats[first + field.previous] = scope.last;
      floats[first + field.previousAt] = scope.at;
      words[2 * (first + field.lengths)] = length;
      words[2 * (first + field.lengths) + 1] = size;
      words[2 * (first + field.more)] = name.length;
      words[2 * (first + field.more) + 1] = (id.length << 2) | kindOf(packet);
      this.#bytes!.write(whole, at + headBytes, size === whole.length ? 'latin1' : 'utf8');
      this.#used += length;
      this.#count += 1;
    }
    scope.last = number;
    scope.at = at;
    return number;
  }

  /** Forgets what is too old. An idle journal has nobody else who does. */
  trim(): void {
    this.#forgetOld(this.#now());
  }

  /** Adds the entries of a scope with numbers above `from`, up to `to`. False if one of them may be forgotten. */
  collect(scope: Scope, from: number, to: number, entries: Entry[]): boolean {
    // Nothing has come since: it does not matter what is forgotten.
    if (Math.min(scope.last, to) <= from) return true;
    for (let number = scope.last, at = scope.at; number > from; ) {
      if (at < 0 || number < this.oldest) return false;
      if (number <= to) entries.push(this.#read(at));
      number = this.#floats[at / 8 + field.previous]!;
      at = this.#floats[at / 8 + field.previousAt]!;
    }
    return true;
  }

  /** Adds the ids of the publications of a scope with numbers above `from`, up to `to`, as far as they are kept. */
  publications(scope: Scope, from: number, to: number, ids: Set<string>): void {
    for (let number = scope.last, at = scope.at; number > from; ) {
      if (at < 0 || number < this.oldest) return;
      const id = number <= to ? this.#idAt(at) : '';
      if (id !== '') ids.add(id);
      number = this.#floats[at / 8 + field.previous]!;
      at = this.#floats[at / 8 + field.previousAt]!;
    }
  }

  #read(at: number): Entry {
    const first = at / 8;
    const words = this.#words;
    const name = words[2 * (first + field.more)]!;
    const last = words[2 * (first + field.more) + 1]!;
    const whole = this.#wholeAt(at);
    const text = whole.slice(name, whole.length - (last >>> 2));
    const kind = last & 3;
    const number = this.#floats[first]!;
    const size = name + text.length;
    if (kind === kinds.event) return { number, size, packet: new EventPacket(whole.slice(0, name), text) };
    const data: unknown = text === '' ? undefined : JSON.parse(text);
    return { number, size, packet: new MessagePacket(data, kind === kinds.json) };
  }

  #idAt(at: number): string {
    const length = this.#words[2 * (at / 8 + field.more) + 1]! >>> 2;
    return length === 0 ? '' : this.#wholeAt(at).slice(-length);
  }

  #wholeAt(at: number): string {
    const start = at + headBytes;
    return this.#bytes!.toString('utf8', start, start + this.#words[2 * (at / 8 + field.lengths) + 1]!);
  }

  /** Room for a record, for which old ones are forgotten; -1 if there never can be. */
  #reserve(length: number): number {
    if (length > this.#capacity) {
      this.#forgetAll();
      return -1;
    }
    if (!this.#bytes) this.#allocate();
    for (;;) {
      if (this.#count === 0) this.#forgetAll();
      const wraps = this.#count > 0 && this.#tail <= this.#head;
      if (!wraps && this.#capacity - this.#tail >= length) break;
      if (wraps && this.#head - this.#tail >= length) break;
      if (wraps) {
        this.#forgetOne();
      } else {
        this.#wrap = this.#tail;
        this.#tail = 0;
      }
    }
    const at = this.#tail;
    this.#tail += length;
    return at;
  }

  #allocate(): void {
    const memory = new ArrayBuffer(this.#capacity);
    this.#bytes = Buffer.from(memory);
    this.#floats = new Float64Array(memory);
    this.#words = new Uint32Array(memory);
  }

  #forgetOld(now: number): void {
    const { windowMs } = this.#bounds;
    while (this.#count > 0 && now - this.#floats[this.#head / 8 + field.writtenAt]! > windowMs) this.#forgetOne();
  }

  #forgetOne(): void {
    const length = this.#words[2 * (this.#head / 8 + field.lengths)]!;
    this.#used -= length;
    this.#count -= 1;
    this.#head += length;
    if (this.#head !== this.#wrap) return;
    this.#head = 0;
    this.#wrap = this.#capacity;
  }

  #forgetAll(): void {
    this.#head = 0;
    this.#tail = 0;
    this.#wrap = this.#capacity;
    this.#used = 0;
    this.#count = 0;
  }
}

function kindOf(packet: ServerPacket): number {
  if (packet.type !== 'message') return kinds.event;
  return packet.json ? kinds.json : kinds.text;
}

/** Of what is no event. */
function textOf(packet: ServerPacket): string {
  return packet.type === 'message' ? (JSON.stringify(packet.data) ?? '') : '';
}

/** The length of a packet's text, roughly. */
export function sizeOf(packet: ServerPacket): number {
  if (packet.type === 'event') return packet.name.length + packet.argsJson.length;
  if (packet.type === 'ack') return packet.argsJson.length;
  if (typeof packet.data === 'string') return packet.data.length;
  return (JSON.stringify(packet.data) ?? 'null').length;
}
