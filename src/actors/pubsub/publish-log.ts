/**
 * What this node has published for one boot of another node, and that node has not acknowledged: sent again when a lost connection is
 * back, and sent at all when there is room. A state machine without I/O, timers or clock.
 *
 *     acknowledged │ sent            │ waits for room  │ lost
 *   ───────────────┼─────────────────┼─────────────────┼──────────▶ numbers
 *                  └ head            └ cursor          └ gap, open
 *
 * A publication has the same number for all nodes, so that the numbers of one log have holes. Each entry names the one `after`
 * which it comes: whoever receives it sees by that whether anything is missing in between.
 *
 * What cannot be kept is a gap: an entry in its place that names the channels concerned, and is sent and acknowledged like others.
 *
 *   connected ──lost──▶ absent (everything is kept) ──away for too long, or left──▶ given up (everything is one gap)
 *       ▲                 │                                                               │
 *       └─────────────────┴──────────────── the same boot is back ────────────────────────┘
 */
import type { Offered } from '../../kernel/transport.ts';
import type { Privilege, PublishOptions } from '../../plugins/types.ts';
import { Gap } from './gap.ts';
import type { WirePublication } from './publication.ts';
import type { GapMessage, PublishMessage } from './wire-messages.ts';

export interface PublishLogOptions {
  /** The boot of this node, `id@host#creation`. */
  readonly origin: string;
  /** How many bytes are kept. */
  readonly maxBytes: number;
  /** Puts a message on its way, if there is room for it. */
  readonly offer: (message: PublishMessage | GapMessage) => Offered;
  readonly events: PublishLogEvents;
}

export interface PublishLogEvents {
  /** An entry was sent a second time. */
  resent(): void;
  /** There is one gap more. */
  gap(): void;
  /** So many publications are lost. */
  lost(publications: number): void;
  /** There is no room: nothing is kept until `gapEnded`. */
  overflowed(): void;
  /** So much is lost in a gap that was open: from here on everything is kept again. */
  gapEnded(publications: number, bytes: number): void;
}

/** `bytes`: what it counts for. */
type Entry = (PublishMessage | GapMessage) & { readonly bytes: number };

/** After so many connections in a row that ended before anything was acknowledged, what each of them began with is held to be the cause. */
const maxFruitless = 5;
/** What a gap counts for: a few channels are named in it. */
const gapBytes = 1000;
/** As much is sent before others get their turn. */
const bytesPerPump = 256 * 1024;

export class PublishLog {
  readonly #options: PublishLogOptions;
  readonly #entries: (Entry | undefined)[] = [];
  /** The first one that is not acknowledged; those before it are forgotten. */
  #head = 0;
  /** The first one that was not sent on this connection. */
  #cursor = 0;
  #bytes = 0;
  /** Number of the last publication, kept or not. */
  #last = 0;
  /** The highest number that was ever sent. */
  #sentUpTo = 0;
  /** What was lost behind the last entry. */
  #gap: Gap | undefined;
  #state: 'connected' | 'absent' | 'given_up' = 'absent';
  /** Lost while it was given up. Only if it comes back has anybody missed them. */
  #uncounted = 0;
  #acknowledgedHere = false;
  #fruitless = 0;

  constructor(options: PublishLogOptions) {
    this.#options = options;
  }

  /** What that node has not acknowledged; undefined if something is lost. */
  get kept(): readonly PublishMessage[] | undefined {
    const kept: PublishMessage[] = [];
    for (let at = this.#head; at < this.#entries.length; at += 1) {
      const entry = this.#entries[at]!;
      if (entry.type !== 'publish') return undefined;
      kept.push(entry);
    }
    return this.#gap ? undefined : kept;
  }

  get connected(): boolean {
    return this.#state === 'connected';
  }

  /** It has been away for too long, or has left: nothing is kept for it. */
  get givenUp(): boolean {
    return this.#state === 'given_up';
  }

  /** Entries that are not acknowledged. */
  get length(): number {
    return this.#entries.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The first number that was sent on this connection and is not acknowledged; 0: there is none. */
  get oldest(): number {
    return this.#cursor > this.#head ? this.#entries[this.#head]!.number : 0;
  }

  /** The last one. */
  get newest(): number {
    return this.#cursor > this.#head ? this.#entries[this.#cursor - 1]!.number : 0;
  }

  /** The number of the last publication, kept or not; 0 if there was none. */
  get last(): number {
    return this.#last;
  }

  /** The number below the first one that is not acknowledged. */
  get #base(): number {
    return this.#entries[this.#head]?.after ?? this.#gap?.after ?? this.#last;
  }

  /**
   * Takes a publication, unless the node is given up.
   * @param number greater than that of any before
   * @param confirm whether somebody waits for the acknowledgement
   * @returns false if it is lost for that node
   */
  add(
    number: number,
    channels: readonly string[],
    privilege: Privilege,
    publication: WirePublication,
    bytes: number,
    confirm: boolean,
    options?: PublishOptions,
  ): boolean {
    this.#endGap();
    if (this.#gap || this.#bytes + bytes > this.#options.maxBytes) {
      if (!this.#gap) this.#options.events.overflowed();
      this.miss(number, channels, bytes);
      return false;
    }
    const { origin } = this.#options;
    const after = this.#last;
    this.#last = number;
    const at = this.#entries.length;
    const type = 'publish';
    this.#entries.push({ type, origin, number, after, confirm, channels, privilege, publication, options, bytes });
    this.#bytes += bytes;
    if (this.#cursor < at || this.#state !== 'connected') return true;
    this.#send();
    return this.#entries[at]!.type === 'publish';
  }

  /** A publication is lost for that node. */
  miss(number: number, channels: readonly string[], bytes = 0): void {
    const { events } = this.#options;
    if (!this.#gap) {
      this.#gap = new Gap(this.#last);
      events.gap();
    }
    this.#last = number;
    this.#gap.add(number, channels, bytes);
    if (this.#state === 'given_up') this.#uncounted += 1;
    else events.lost(1);
  }

  /** A connection begins: everything that is not acknowledged is to be sent on it. Call `pump` then. */
  connect(): void {
    const fruitless = this.#cursor > this.#head && !this.#acknowledgedHere;
    this.#fruitless = fruitless ? this.#fruitless + 1 : 0;
    if (this.#fruitless >= maxFruitless) {
      this.#fruitless = 0;
      this.#lose(this.#head);
    }
    this.#state = 'connected';
    this.#cursor = this.#head;
    this.#acknowledgedHere = false;
    if (this.#uncounted > 0) this.#options.events.lost(this.#uncounted);
    this.#uncounted = 0;
    this.#endGap();
  }

  disconnect(): void {
    if (this.#state === 'connected') this.#state = 'absent';
  }

  /**
   * It has been away for too long, or has left: all that was kept is a gap.
   * @returns the number of publications that were kept until now
   */
  giveUp(): number {
    this.#state = 'given_up';
    const gap = new Gap(this.#base);
    for (let at = this.#head; at < this.#entries.length; at += 1) {
      const { type, number, channels, bytes } = this.#entries[at]!;
      if (type === 'publish') gap.add(number, channels, bytes);
      else gap.extend(number, channels);
    }
    const { publications } = gap;
    const { events } = this.#options;
    if (publications > 0) events.lost(publications);
    if (this.#gap) gap.join(this.#gap);
    else if (publications > 0) events.gap();
    if (!gap.isEmpty) this.#gap = gap;
    this.#entries.length = 0;
    this.#head = 0;
    this.#cursor = 0;
    this.#bytes = 0;
    return publications;
  }

  /** That node has everything up to that number. */
  taken(upTo: number): void {
    const entries = this.#entries;
    let head = this.#head;
    while (head < entries.length && entries[head]!.number <= upTo) {
      this.#bytes -= entries[head]!.bytes;
      entries[head] = undefined;
      head += 1;
    }
    if (head === this.#head) return;
    this.#head = head;
    this.#acknowledgedHere = true;
    if (this.#cursor < head) this.#cursor = head;
    this.#compact();
    this.#endGap();
  }

  /** That node has everything up to that number, and nothing of what was sent behind it: which is sent again. Call `pump` then. */
  again(upTo: number): void {
    this.taken(upTo);
    const base = this.#base;
    // It had acknowledged that, and does not know it any more.
    if (upTo < base) {
      const { origin } = this.#options;
      const gap: Entry = { type: 'gap', origin, number: base, after: upTo, channels: [], bytes: gapBytes };
      this.#entries.splice(this.#head, 0, gap);
      this.#bytes += gapBytes;
      this.#options.events.gap();
    }
    this.#cursor = this.#head;
  }

  /** Sends what waits, as far as there is room. @returns whether there is more to be sent at once */
  pump(): boolean {
    let room = bytesPerPump;
    while (this.#state === 'connected' && this.#cursor < this.#entries.length) {
      if (room <= 0) return true;
      const { bytes } = this.#entries[this.#cursor]!;
      if (!this.#send()) return false;
      room -= bytes;
    }
    return false;
  }

  /** Sends what comes next. */
  #send(): boolean {
    const at = this.#cursor;
    let offered = this.#options.offer(this.#entries[at]!);
    if (offered === 'never') {
      this.#lose(at);
      offered = this.#options.offer(this.#entries[at]!);
    }
    if (offered !== 'sent') return false;
    this.#cursor += 1;
    const { number } = this.#entries[at]!;
    if (number > this.#sentUpTo) this.#sentUpTo = number;
    else this.#options.events.resent();
    return true;
  }

  /** It cannot be sent: a gap takes its place. */
  #lose(at: number): void {
    const { type, origin, number, after, channels, bytes } = this.#entries[at]!;
    if (type === 'gap') return;
    this.#entries[at] = { type: 'gap', origin, number, after, channels, bytes };
    this.#options.events.gap();
    this.#options.events.lost(1);
  }

  /** What is lost becomes an entry as soon as others are kept again: when half of the room is free, so that there are few gaps. */
  #endGap(): void {
    const gap = this.#gap;
    if (!gap || this.#state === 'given_up' || this.#bytes > this.#options.maxBytes / 2) return;
    this.#gap = undefined;
    const { origin } = this.#options;
    this.#entries.push({ ...gap.message(origin), bytes: gapBytes });
    this.#bytes += gapBytes;
    this.#options.events.gapEnded(gap.publications, gap.bytes);
  }

  #compact(): void {
    const head = this.#head;
    const entries = this.#entries;
    if (head === entries.length) {
      entries.length = 0;
    } else if (head >= 1024 && head * 2 > entries.length) {
      entries.splice(0, head);
    } else {
      return;
    }
    this.#cursor -= head;
    this.#head = 0;
  }
}
