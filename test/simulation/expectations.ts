/**
 * What the sessions of a simulation must hear. It knows when a session was surely subscribed, and to what; it does not know how the
 * server gets there. Whatever is published is, for each session and channel,
 *
 *   must    surely subscribed
 *   may     the subscription was just being made or ended
 *   lossy   its actor crashed, or a mailbox was full: it may be missing, but then the session must not go on
 *
 * A stream is right if its events can be dealt out to the channels so that each channel's are in order, without doubles, and skip
 * nothing that they must not skip.
 */
import { keptFrom } from '../../src/sessions/prefix.ts';
import type { Stream } from './client.ts';

/** How long it takes until Redis knows that a session is not busy any more, at most. */
const storedMs = 100;

export type Level = 'must' | 'may' | 'lossy';

export interface Item {
  readonly number: number;
  readonly at: number;
  level: Level;
}

/** Something published. */
export interface Late {
  readonly node: string;
  readonly channels: readonly string[];
  readonly number: number;
  readonly at: number;
}

/** What comes of one channel through one node. */
class Strand {
  readonly items: Item[] = [];
  readonly #index = new Map<number, number>();

  constructor(items: readonly Item[] = []) {
    for (const { number, at, level } of items) this.add(number, at, level);
  }

  add(number: number, at: number, level: Level): Item {
    const item = { number, at, level };
    this.#index.set(number, this.items.push(item) - 1);
    return item;
  }

  has(number: number): boolean {
    return this.#index.has(number);
  }

  /** Where that number is, if it is not before `from`. */
  find(number: number, from: number): number | undefined {
    const at = this.#index.get(number);
    return at !== undefined && at >= from ? at : undefined;
  }
}

/** One session and one channel, or what it is sent alone. */
export class Subscription {
  /** By the node through which it comes: nothing is said of the order of two nodes' publishes. */
  readonly strands = new Map<string, Strand>();
  state: 'out' | 'in' | 'unsure' = 'out';
  /** When the last join or leave began, and when it was over. */
  changedAt = 0;
  settledAt = 0;
  /** Joins and leaves under way. */
  #pending = 0;
  #changes = 0;

  add(node: string, number: number, at: number, level: Level): Item {
    const present = this.strands.get(node);
    if (present) return present.add(number, at, level);
    const made = new Strand();
    this.strands.set(node, made);
    return made.add(number, at, level);
  }

  /** What has been published through other nodes may be on its way still when the session leaves. */
  left(ownNode: string): void {
    for (const [node, { items }] of this.strands) {
      if (node !== ownNode) for (const item of items) item.level = 'may';
    }
  }

  /** Follows a join or leave. What two of them at once lead to is not foreseen. */
  follow(change: Promise<void>, becomes: 'out' | 'in', clock: { readonly now: number }): void {
    this.changedAt = clock.now;
    const isAlone = this.#pending === 0;
    this.#pending += 1;
    this.#changes += 1;
    const number = this.#changes;
    this.state = 'unsure';
    change.then(
      () => {
        this.#pending -= 1;
        this.settledAt = clock.now;
        if (isAlone && number === this.#changes) this.state = becomes;
      },
      () => {
        this.#pending -= 1;
      },
    );
  }
}

/** That a back end was told of a departure. */
interface End {
  readonly key: string;
  readonly event: string;
  /** The boot that has told it. */
  readonly node: string;
  readonly at: number;
  /** That it is told was surely stored before. */
  readonly isStored: boolean;
}

export class Session {
  readonly sid: string;
  /** The boot of the node that has it, or had it last. */
  node: string;
  /** How often another node has gone on with it. */
  moves = 0;
  /** Another node has it, but not yet whole. */
  isMoving = false;
  /** When nodes were killed that had it. */
  readonly deaths: number[] = [];
  /** Boots that may believe to have it still. */
  readonly rivals: string[] = [];
  /** More has failed than it need outlive: it may vanish, or be as it was a while ago. */
  isAtRisk = false;
  /** Two nodes have had it while Redis could not tell them: its client may have been with both in turn. */
  isDivided = false;
  readonly ends: End[] = [];
  /** Redis may have forgotten that it has ended. */
  mayEndAgain = false;
  /** By channel; `alone` for what is sent to the session itself. */
  readonly subscriptions = new Map<string, Subscription>();
  /** The back end has ended it. */
  stopped = false;
  /** Its node is no more. */
  isGone = false;
  /** It began when its node may not have known yet with what the cluster signs: its client can return as long as that lives. */
  isEarly = false;
  /** Something of its may be lost. */
  lossy = false;
  /** When it was first sent something that is not followed. */
  echoedAt: number | undefined;
  /** Somebody else has returned to it, too. */
  hasTwin = false;
  /** Its mailbox takes nothing. */
  isFull = false;
  /** Hooks that run for it: what it is told to do waits until they are over. */
  hooks = 0;
  /** When the last one was over. */
  hookedAt = Number.NEGATIVE_INFINITY;
  /** It had something to do when its node was killed, as far as Redis knows. */
  wasBusy = false;
  /** What the back end was told of it: c(onnect) s(uspend) r(ecover) d(isconnect). */
  told = '';

  constructor(sid: string, node: string) {
    this.sid = sid;
    this.node = node;
  }

  /** Its node is killed, perhaps before anybody was told of what is lost. */
  orphan(at: number): void {
    this.deaths.push(at);
    this.wasBusy ||= this.hooks > 0 || at - this.hookedAt < storedMs;
    for (const item of this.#items()) if (item.level === 'lossy') item.level = 'may';
  }

  /** What was published through that boot may be lost for it. */
  loseOf(boot: string): void {
    for (const { strands } of this.subscriptions.values()) {
      for (const item of strands.get(boot)?.items ?? []) item.level = 'may';
    }
  }

  putAtRisk(): void {
    this.isAtRisk = true;
    for (const item of this.#items()) item.level = 'may';
  }

  in(channel: string): Subscription {
    const present = this.subscriptions.get(channel);
    if (present) return present;
    const made = new Subscription();
    this.subscriptions.set(channel, made);
    return made;
  }

  /**
   * Something is published to a channel.
   * @param level what holds for those who are surely subscribed
   */
  published(channel: string, node: string, number: number, at: number, level: Level): Item | undefined {
    const subscription = this.subscriptions.get(channel);
    if (!subscription || subscription.state === 'out') return undefined;
    if (this.isFull || level === 'lossy') this.lossy = true;
    const certain = this.isAtRisk ? 'may' : this.isFull && level === 'must' ? 'lossy' : level;
    return subscription.add(node, number, at, subscription.state === 'unsure' ? 'may' : certain);
  }

  /** Whoever is behind may be overtaken by what is published from now on. */
  crashed(channel: string): void {
    if (this.subscriptions.has(channel)) this.lossy = true;
  }

  /** Since when a client that has heard that may miss something; undefined if it misses nothing. */
  lacksSince(stream: Stream): number | undefined {
    const heard = new Map<number, number>();
    for (const { number } of stream.heard) heard.set(number, (heard.get(number) ?? 0) + 1);
    let since = this.echoedAt;
    for (const { number, at } of this.#items()) {
      const times = heard.get(number) ?? 0;
      heard.set(number, times - 1);
      if (times <= 0) since = Math.min(since ?? at, at);
    }
    return since;
  }

  *#items(): Iterable<Item> {
    for (const { strands } of this.subscriptions.values()) for (const { items } of strands.values()) yield* items;
  }

  /**
   * What is wrong with what a client has heard of this session.
   * @param late publishes that may have been on their way between nodes when it joined, or after it had left
   * @param isLive it still has the session, and nothing is under way: nothing may be missing at the end
   */
  mistake(stream: Stream, isLive: boolean, late: readonly Late[]): string | undefined {
    if (this.isDivided) return undefined;
    return positionMistake(stream) ?? this.#streamMistake(stream, isLive, late);
  }

  /** What it must or may hear, by channel and node. */
  #strands(late: readonly Late[]): Map<string, Strand> {
    const strands = new Map<string, Strand>();
    for (const [channel, subscription] of this.subscriptions) {
      for (const [node, strand] of subscription.strands) strands.set(`${channel} through ${node}`, strand);
      const added = new Map<string, Item[]>();
      for (const { node, channels, number, at } of late) {
        if (
          (node === this.node && this.moves === 0) ||
          !channels.includes(channel) ||
          subscription.strands.get(node)?.has(number)
        )
          continue;
        const items = added.get(node) ?? [];
        added.set(node, items);
        items.push({ number, at, level: 'may' });
      }
      for (const [node, items] of added) {
        const all = [...items, ...(subscription.strands.get(node)?.items ?? [])];
        strands.set(`${channel} through ${node}`, new Strand(all.sort((one, other) => one.number - other.number)));
      }
    }
    return strands;
  }

  #streamMistake(stream: Stream, isLive: boolean, late: readonly Late[]): string | undefined {
    const all = this.#strands(late);
    const names = [...all.keys()];
    const strands = [...all.values()];
    let states: State[] = [{ at: strands.map(() => 0), hasSkipped: false }];
    for (const { number, at } of stream.heard) {
      const next = new Map<string, State>();
      for (const state of states) {
        for (const [which, strand] of strands.entries()) {
          const to = strand.find(number, state.at[which]!);
          if (to === undefined) continue;
          const skipped = skip(strand, state.at[which]!, to);
          if (skipped === 'must') continue;
          const after = { at: state.at.with(which, to + 1), hasSkipped: state.hasSkipped || skipped === 'lossy' };
          next.set(`${after.at} ${after.hasSkipped}`, after);
        }
      }
      if (next.size === 0) return `hears ${number} at ${at}, and expects ${expected(names, strands, states)}`;
      states = [...next.values()];
    }
    if (!isLive) return undefined;
    const isComplete = states.some(
      ({ at, hasSkipped }) => !hasSkipped && strands.every((one, which) => !skip(one, at[which]!, one.items.length)),
    );
    return isComplete ? undefined : `misses something of ${expected(names, strands, states)}`;
  }
}

interface State {
  /** The next item of each strand. */
  readonly at: readonly number[];
  readonly hasSkipped: boolean;
}

/** The gravest of what lies between. */
function skip({ items }: Strand, from: number, to: number): 'must' | 'lossy' | undefined {
  let gravest: 'lossy' | undefined;
  for (let at = from; at < to; at += 1) {
    const { level } = items[at]!;
    if (level === 'must') return 'must';
    if (level === 'lossy') gravest = 'lossy';
  }
  return gravest;
}

function expected(names: readonly string[], strands: readonly Strand[], states: readonly State[]): string {
  const [first] = states;
  return strands
    .map(({ items }, which) => {
      const next = items.slice(first!.at[which]).filter(({ level }) => level !== 'may');
      const numbers = next.slice(0, 5).map(({ number, level }) => (level === 'must' ? number : `perhaps ${number}`));
      return `${names[which]}: ${numbers.join(', ') || 'nothing certain'}`;
    })
    .join('; ');
}

const tagLength = 8;

/** Boots that follow one another have tags and numbers of their own. One that was taken for dead may be a later one, too. */
function positionMistake({ heard }: Stream): string | undefined {
  const lasts = new Map<string, number>();
  for (const { position, number } of heard) {
    const at = Number.parseInt(position.slice(tagLength), 36);
    // What others had kept for a boot has numbers of its own.
    const strand = position.slice(0, tagLength) + (at >= keptFrom ? ', kept' : '');
    const last = lasts.get(strand) ?? 0;
    lasts.set(strand, at);
    if (!(at > last)) return `hears ${number} at position ${at}, behind position ${last}`;
  }
  return undefined;
}
