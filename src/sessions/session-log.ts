/**
 * What concerns one recoverable session in the journal: what it was sent alone, and what was published to its channels while it was
 * in them.
 *
 *   news   ────────[began 3 … ended 9)──────────▶      a span: entries of that channel with numbers between
 *   chat   ──────────────────[began 7 …───────────▶
 *   alone  [began 2 …─────────────────────────────▶
 */
import { type Entry, type Journal, Scope } from './journal.ts';
import type { FormerLives } from './prefix.ts';

/** The entries of one channel, and how many sessions are in it now. */
export class ChannelLog extends Scope {
  readonly id: string;
  sessions = 0;

  constructor(id: string) {
    super();
    this.id = id;
  }

  /** Its name where the journal is stored. */
  get field(): `c:${string}` {
    return `c:${this.id}`;
  }
}

/** A time that a session was in a channel. */
class Span {
  readonly channel: ChannelLog;
  /** Entries with higher numbers belong to it. */
  readonly began: number;
  /** Number of the channel's last entry before the session left it; undefined while it is in it. */
  last: number | undefined = undefined;
  /** The number that had been given last when the session left it. */
  left = 0;
  readonly next: Span | undefined;

  constructor(channel: ChannelLog, began: number, next: Span | undefined) {
    this.channel = channel;
    this.began = began;
    this.next = next;
  }
}

/** Spans that have ended are kept, for a client that has not received their events; of one that comes and goes, not for ever. */
const maxEndedSpans = 64;

export class SessionLog extends Scope {
  readonly sid: string;
  /** Number before its first event. */
  readonly began: number;
  /** Something up to this number is lost for it. */
  lostUpTo = 0;
  /** What it was sent by nodes that are gone; undefined if its client has all of that. */
  prefix: FormerLives | undefined;
  #spans: Span | undefined;
  #ended = 0;

  constructor(sid: string, began: number) {
    super();
    this.sid = sid;
    this.began = began;
  }

  /** Its name where the journal is stored. */
  get field(): `s:${string}` {
    return `s:${this.sid}`;
  }

  join(channel: ChannelLog, number: number): void {
    channel.sessions += 1;
    this.#spans = new Span(channel, number, this.#spans);
  }

  leave(channel: ChannelLog, number: number): void {
    for (let span = this.#spans; span; span = span.next) {
      if (span.channel !== channel || span.last !== undefined) continue;
      channel.sessions -= 1;
      span.last = channel.last;
      span.left = number;
      this.#ended += 1;
      if (this.#ended > maxEndedSpans) this.#dropEnded();
      return;
    }
  }

  /** The channels that it is in. */
  *channels(): Iterable<ChannelLog> {
    for (let span = this.#spans; span; span = span.next) if (span.last === undefined) yield span.channel;
  }

  /** The times that it was in channels, for whoever goes on with it: channel, began, last entry if it has left. */
  get spans(): [string, number, number | null][] {
    const spans: [string, number, number | null][] = [];
    for (let span = this.#spans; span; span = span.next) spans.push([span.channel.id, span.began, span.last ?? null]);
    return spans;
  }

  /** Ids of the publications that it was sent in a channel, which it may have left since. */
  publications(channelId: string, journal: Journal): ReadonlySet<string> {
    const ids = new Set<string>();
    for (let span = this.#spans; span; span = span.next) {
      const { channel, began, last = channel.last } = span;
      if (channel.id === channelId) journal.publications(channel, began, last, ids);
    }
    return ids;
  }

  /** Whether it has been in its channels from its beginning, and left none. */
  get isSteady(): boolean {
    for (let span = this.#spans; span; span = span.next) {
      if (span.last !== undefined || span.began !== this.began) return false;
    }
    return true;
  }

  /** The channels that it was in when that number had been shown. */
  *channelsAt(shown: number): Iterable<string> {
    for (let span = this.#spans; span; span = span.next) {
      if (span.began <= shown && (span.last === undefined || span.left > shown)) yield span.channel.id;
    }
  }

  /**
   * What its client has missed, in order; undefined if not all of that is there.
   * @param received number of the last event that it has received; one of a former session if it has received none of this one
   * @param shown the last number that was shown to anybody
   */
  missed(received: number, shown: number, journal: Journal): readonly Entry[] | undefined {
    const position = Math.max(received, this.began);
    if (position > shown || position < this.lostUpTo) return undefined;
    const missed: Entry[] = [];
    if (!journal.collect(this, position, shown, missed)) return undefined;
    for (let span = this.#spans; span; span = span.next) {
      const from = Math.max(position, span.began);
      const to = Math.min(shown, span.last ?? shown);
      if (!journal.collect(span.channel, from, to, missed)) return undefined;
    }
    return missed.sort((one, other) => one.number - other.number);
  }

  /** Spans without an entry that is still there cannot be asked for; the others are given up. */
  #dropEnded(): void {
    let kept: Span | undefined;
    for (let span = this.#spans; span; span = span.next) {
      if (span.last === undefined) kept = withSpan(span, kept);
      else if (span.last > span.began) this.lostUpTo = Math.max(this.lostUpTo, span.last);
    }
    this.#spans = kept;
    this.#ended = 0;
  }
}

function withSpan({ channel, began }: Span, next: Span | undefined): Span {
  return new Span(channel, began, next);
}
