/** The lives that a session had at nodes that are gone, as its record has them. */
import type { PastLife, PrefixEntry } from '../prefix.ts';
import { keptFrom } from '../prefix.ts';
import { type DeadJournal, firstAbove, type LogRecord } from './dead-journal.ts';

/** A life in a record. The last three are there once everything is stored that others had kept for that node. */
export interface PastRecord extends LogRecord {
  /** Whose journal has it. */
  readonly owner: string;
  /** The channels that it was in, with those whose publishes came by way of its actor because it had actions to run. */
  readonly members?: readonly string[];
  /** Of its positions. */
  readonly tag?: string;
  /** The number of the last entry that concerns the session; 0 if there was none. */
  readonly last?: number;
  /** How many numbers had been given by then to what others had kept. */
  readonly kept?: number;
}

export class RecordedLife implements PastLife {
  readonly tag: string;
  readonly end: number;
  readonly #sid: string;
  readonly #journal: DeadJournal | undefined;
  readonly #kept: readonly PrefixEntry[];
  readonly record: PastRecord & Required<Pick<PastRecord, 'tag' | 'last' | 'kept'>>;

  /** @param journal undefined if that is gone already, and it is only known where it ended */
  constructor(sid: string, record: PastRecord, journal: DeadJournal | undefined, kept: readonly PrefixEntry[]) {
    const { tag = journal?.tag ?? '', last, kept: count = journal?.keptCount ?? 0 } = record;
    this.#sid = sid;
    this.#journal = journal;
    this.#kept = kept;
    this.tag = tag;
    this.end = journal?.end ?? keptFrom - 1;
    this.record = {
      ...record,
      tag,
      last: last ?? kept.at(-1)?.number ?? journal?.lastOf(sid, record) ?? 0,
      kept: count,
    };
  }

  get began(): number {
    return this.record.began;
  }

  hasKept(channel: string, id: string): boolean {
    const number = this.#journal?.keptNumber(channel, id);
    return number !== undefined && this.#kept[firstAbove(this.#kept, number - 1)]?.number === number;
  }

  since(number: number): readonly PrefixEntry[] | undefined {
    if (number >= this.record.last) return [];
    if (!this.#journal) return undefined;
    const kept = this.#kept.slice(firstAbove(this.#kept, number));
    if (number >= keptFrom) return kept;
    const entries = this.#journal.since(this.#sid, this.record, number);
    return entries && [...entries, ...kept];
  }
}

/** What a session was sent where it is now. */
export interface Here {
  /** Sessions in the same channels that have the same one were sent the same publications; undefined: no other is known to be. */
  readonly likeness: string | undefined;
  wasSent(channel: string, id: string): boolean;
}

/** What others had kept, by for whom it is: many sessions have the same channels. */
export type SharedKept = Map<string, readonly PrefixEntry[]>;

/**
 * The lives of a session, oldest first. Undefined if it cannot be told what it was sent.
 * @param journals what their owners have left
 * @param shared of sessions whose journals are the same, and unchanged
 */
export function livesOf(
  sid: string,
  past: readonly PastRecord[],
  journals: ReadonlyMap<string, DeadJournal | undefined>,
  here: Here,
  shared: SharedKept = new Map(),
): RecordedLife[] | undefined {
  const lives: RecordedLife[] = [];
  for (const [at, record] of past.entries()) {
    const journal = journals.get(record.owner);
    if (!journal && record.last === undefined) return undefined;
    const later = past.slice(at + 1);
    const after = later.map((next) => ({ next, journal: journals.get(next.owner), channels: channelsAtEnd(next) }));
    const channels = channelsAtEnd(record);
    const alike = here.likeness && likenessOf(here.likeness, record, channels, later);
    const known = alike === undefined ? undefined : shared.get(alike);
    // Nodes that go on with sessions of others hear of publications, too, that were kept for those.
    const order = new PublishOrder();
    const isWanted = (channel: string, id: string): boolean => {
      if (journal!.has(channel, id)) return false;
      const wasSentHere = here.wasSent(channel, id);
      if (wasSentHere) order.sentHere(channel, id);
      const isThere =
        wasSentHere ||
        after.some(
          ({ next, journal: its, channels: itsChannels }) =>
            its &&
            (its.wasSent(next, channel, id) ||
              (itsChannels.includes(channel) && its.keptNumber(channel, id) !== undefined)),
        );
      if (!isThere) order.kept(channel, id);
      return !isThere;
    };
    const limit = keptFrom + (record.kept ?? journal?.keptCount ?? 0);
    const kept = known ?? journal?.keptIn(channels, isWanted).filter(({ number }) => number <= limit) ?? [];
    if (order.isBroken) return undefined;
    if (alike !== undefined) shared.set(alike, kept);
    // Also one in which it was sent nothing: something may have been shown there that could not be stored.
    lives.push(new RecordedLife(sid, record, journal, kept));
  }
  return lives;
}

/**
 * What a node has published to a channel, some of it kept and some sent here: what was kept comes first. It must have been published first,
 * too; something that was sent here may have been sent again after a loss.
 */
class PublishOrder {
  isBroken = false;
  readonly #firstHere = new Map<string, number>();
  readonly #lastKept = new Map<string, number>();

  sentHere(channel: string, id: string): void {
    const [stream, number] = streamOf(channel, id);
    this.#firstHere.set(stream, Math.min(number, this.#firstHere.get(stream) ?? number));
    if (number < (this.#lastKept.get(stream) ?? 0)) this.isBroken = true;
  }

  kept(channel: string, id: string): void {
    const [stream, number] = streamOf(channel, id);
    this.#lastKept.set(stream, Math.max(number, this.#lastKept.get(stream) ?? number));
    if (number > (this.#firstHere.get(stream) ?? number)) this.isBroken = true;
  }
}

/** Channel and boot that has published, and the number that it has given. */
function streamOf(channel: string, id: string): [stream: string, number: number] {
  const slash = id.lastIndexOf('/');
  return [`${channel} ${id.slice(0, slash)}`, Number(id.slice(slash + 1))];
}

/** For whom others had kept the same: who was in the same channels then, and was sent the same since. */
function likenessOf(
  here: string,
  record: PastRecord,
  channels: readonly string[],
  later: readonly PastRecord[],
): string {
  const after = later.map(({ owner, spans, members }) => [owner, spans, members]);
  return JSON.stringify([here, record.owner, record.kept, channels, record.members, after]);
}

/** The channels that a session was in when its node was lost. */
export function channelsAtEnd({ spans, members = [] }: PastRecord): string[] {
  const open = spans.filter(([, , last]) => last === null).map(([channel]) => channel);
  return [...new Set([...open, ...members])];
}
