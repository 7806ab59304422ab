/**
 * What concerns one recoverable session in the journal: what it was sent alone, and what was published to its channels while it was
 * in them.
 *
 *   news   ────────[began 3 … ended 9)──────────▶      a span: entries of that channel with numbers between
 *   chat   ──────────────────[began 7 …───────────▶
 *   alone  [began 2 …─────────────────────────────▶
 */
import { type Entry, type Journal, Scope } from './journal.ts';

/** The entries of one channel, and how many sessions are in it now. */
export class ChannelLog extends Scope {
  readonly id: string;
  sessions = 0;

  constructor(id: string) {
    super();
    this.id = id;
  }
}

/** A time that a session was in a channel. */
class Span {
  readonly channel: ChannelLog;
  /** Entries with higher numbers belong to it. */
  readonly began: number;
  /** Number of the channel's last entry before the session left it; undefined while it is in it. */
  last: number | undefined = undefined;
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
  /** Number before its first event. */
  readonly began: number;
  /** Something up to this number is lost for it. */
  lostUpTo = 0;
  #spans: Span | undefined;
  #ended = 0;

  constructor(began: number) {
    super();
    this.began = began;
  }

  join(channel: ChannelLog, number: number): void {
    channel.sessions += 1;
    this.#spans = new Span(channel, number, this.#spans);
  }

  leave(channel: ChannelLog): void {
    for (let span = this.#spans; span; span = span.next) {
      if (span.channel !== channel || span.last !== undefined) continue;
      channel.sessions -= 1;
      span.last = channel.last;
      this.#ended += 1;
      if (this.#ended > maxEndedSpans) this.#dropEnded();
      return;
    }
  }

  /** The channels that it is in. */
  *channels(): Iterable<ChannelLog> {
    for (let span = this.#spans; span; span = span.next) if (span.last === undefined) yield span.channel;
  }

  /**
   * What its client has missed, in order; undefined if not all of that is there.
   * @param received number of the last event that it has received; one of a former session if it has received none of this one
   */
  missed(received: number, journal: Journal): readonly Entry[] | undefined {
    const position = Math.max(received, this.began);
    if (position > journal.last || position < this.lostUpTo) return undefined;
    const missed: Entry[] = [];
    if (!collect(this, position, Number.POSITIVE_INFINITY, missed)) return undefined;
    for (let span = this.#spans; span; span = span.next) {
      const from = Math.max(position, span.began);
      if (!collect(span.channel, from, span.last ?? Number.POSITIVE_INFINITY, missed)) return undefined;
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

/** Adds the entries of a scope with numbers above `from`, up to `to`. False if one of them may be forgotten. */
function collect(scope: Scope, from: number, to: number, entries: Entry[]): boolean {
  // Nothing has come since: it does not matter what is forgotten.
  if (Math.min(scope.last, to) <= from) return true;
  if (scope.forgotten > from) return false;
  for (let entry = scope.newest; entry && entry.number > from; entry = entry.previous) {
    if (entry.number <= to) entries.push(entry);
  }
  return true;
}
