/**
 * How far a channel of this node has come in its history. What comes next is passed on; what is missing is asked for, and what comes
 * meanwhile waits; what was here before is dropped.
 *
 *   next number           passed on
 *   one behind a hole     waits, until what is in between has been read
 *   a later epoch         the former history is lost: its subscribers may miss something. Then from its beginning
 *   any other             dropped
 */
import type { HistoryEntry, HistoryPart, HistoryQuery, Later } from '../../../plugins/history-store.ts';
import type { Position } from '../../../plugins/types.ts';
import type { ChannelEntry } from '../channel-index.ts';
import type { ChannelPublish } from '../channel-messages.ts';

/** What the channel does for it. */
export interface Following {
  /** Where it is kept how far it has come (undefined: not known yet): it outlives the actor of the channel. */
  readonly entry: Pick<ChannelEntry, 'followed' | 'members'>;
  deliver(publish: ChannelPublish): void;
  /** Its subscribers miss something. */
  missed(): void;
  read(query: HistoryQuery): Later<HistoryPart>;
  publishOf(entry: HistoryEntry, epoch: string): ChannelPublish;
  /** So many entries are not missed after all. */
  repaired(entries: number): void;
  /** Has `fetched` called in the channel's turn; undefined: it cannot be read. */
  fetched(part: HistoryPart | undefined): void;
}

/** Read at once. */
const pageSize = 1000;
/** That wait for a hole. */
const maxHeld = 10_000;

export class Follower {
  readonly #channel: Following;
  #isReading = false;
  /** Something more may be missing than what is being read. */
  #isDoubtful = false;
  #held: ChannelPublish[] = [];
  #waiting: (() => void)[] = [];

  constructor(channel: Following) {
    this.#channel = channel;
  }

  /** Calls back when it is known how far the history has come, at once if it is; a channel that is open misses nothing from then on. */
  open(opened: () => void): void {
    if (this.#channel.entry.followed) return opened();
    this.#waiting.push(opened);
    if (!this.#isReading) this.#read({ limit: 0 });
  }

  take(publish: ChannelPublish): void {
    if (this.#isReading) return this.#hold(publish);
    const channel = this.#channel;
    const { followed } = channel.entry;
    const [epoch, offset] = publish.position!;
    if (!followed) {
      if (channel.entry.members.size > 0) channel.entry.followed = publish.position;
      return channel.deliver(publish);
    }
    const [present, last] = followed;
    if (epoch < present) return channel.missed();
    if (epoch > present) {
      channel.missed();
      channel.entry.followed = [epoch, 0];
    } else if (offset <= last) {
      return;
    }
    if (offset === channel.entry.followed![1] + 1) {
      channel.entry.followed = publish.position;
      return channel.deliver(publish);
    }
    this.#hold(publish);
    this.#readOn();
  }

  /** Something may be missing. */
  doubt(): void {
    if (this.#isReading) this.#isDoubtful = true;
    else if (this.#channel.entry.followed) this.#readOn();
    else this.#channel.missed();
  }

  /** What was asked for has come, or cannot be had. */
  fetched(part: HistoryPart | undefined): void {
    const channel = this.#channel;
    const { followed } = channel.entry;
    this.#isReading = false;
    if (!part) {
      if (followed) channel.missed();
    } else if (!followed) {
      channel.entry.followed = [part.epoch, part.offset];
    } else if (this.#catchUp(part, followed)) {
      return this.#readOn();
    }
    for (const opened of this.#waiting.splice(0)) opened();
    const held = this.#held.sort(byPosition);
    this.#held = [];
    this.#jump(held[0]?.position);
    for (const publish of held) this.take(publish);
    if (!this.#isDoubtful || this.#isReading) return;
    this.#isDoubtful = false;
    this.#readOn();
  }

  /** @returns whether there is more to be read */
  #catchUp({ epoch, offset, entries, complete }: HistoryPart, [present, last]: Position): boolean {
    const channel = this.#channel;
    if (epoch < present) return false;
    if (epoch > present || !complete) channel.missed();
    let upTo = epoch > present ? 0 : last;
    let count = 0;
    for (const entry of entries) {
      if (entry.offset <= upTo) continue;
      upTo = entry.offset;
      channel.entry.followed = [epoch, upTo];
      channel.deliver(channel.publishOf(entry, epoch));
      count += 1;
    }
    channel.repaired(count);
    if (count > 0 && upTo < offset) return true;
    // What is not there any more was said to be missed.
    channel.entry.followed = [epoch, Math.max(upTo, offset)];
    return false;
  }

  /** What is still missing before that cannot be had. */
  #jump(next: Position | undefined): void {
    const { followed } = this.#channel.entry;
    if (!next || !followed || next[0] < followed[0] || (next[0] === followed[0] && next[1] <= followed[1] + 1)) return;
    this.#channel.missed();
    this.#channel.entry.followed = [next[0], next[1] - 1];
  }

  #hold(publish: ChannelPublish): void {
    this.#held.push(publish);
    if (this.#held.length <= maxHeld) return;
    this.#held.shift();
    this.#isDoubtful = true;
  }

  #readOn(): void {
    const [epoch, since] = this.#channel.entry.followed!;
    this.#read({ epoch, since, limit: pageSize });
  }

  #read(query: HistoryQuery): void {
    this.#isReading = true;
    const channel = this.#channel;
    let part: Later<HistoryPart>;
    try {
      part = channel.read(query);
    } catch {
      return channel.fetched(undefined);
    }
    if (!(part instanceof Promise)) return this.fetched(part);
    part.then(
      (read) => channel.fetched(read),
      () => channel.fetched(undefined),
    );
  }
}

function byPosition({ position: a }: ChannelPublish, { position: b }: ChannelPublish): number {
  if (a![0] !== b![0]) return a![0] < b![0] ? -1 : 1;
  return a![1] - b![1];
}
