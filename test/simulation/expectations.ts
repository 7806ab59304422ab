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
import type { Stream } from './client.ts';

export type Level = 'must' | 'may' | 'lossy';

interface Item {
  readonly number: number;
  readonly at: number;
  level: Level;
}

/** One session and one channel, or what it is sent alone. */
export class Subscription {
  readonly items: Item[] = [];
  readonly #index = new Map<number, number>();
  state: 'out' | 'in' | 'unsure' = 'out';
  /** Joins and leaves under way. */
  #pending = 0;
  #changes = 0;

  add(number: number, at: number, level: Level): Item {
    const item = { number, at, level };
    this.#index.set(number, this.items.push(item) - 1);
    return item;
  }

  /** Where that number is, if it is not before `from`. */
  find(number: number, from: number): number | undefined {
    const at = this.#index.get(number);
    return at !== undefined && at >= from ? at : undefined;
  }

  /** Follows a join or leave. What two of them at once lead to is not foreseen. */
  follow(change: Promise<void>, becomes: 'out' | 'in'): void {
    const isAlone = this.#pending === 0;
    this.#pending += 1;
    this.#changes += 1;
    const number = this.#changes;
    this.state = 'unsure';
    change.then(
      () => {
        this.#pending -= 1;
        if (isAlone && number === this.#changes) this.state = becomes;
      },
      () => {
        this.#pending -= 1;
      },
    );
  }
}

export class Session {
  readonly sid: string;
  /** By channel; `alone` for what is sent to the session itself. */
  readonly subscriptions = new Map<string, Subscription>();
  /** The back end has ended it. */
  stopped = false;
  /** Something of its may be lost. */
  lossy = false;
  /** When it was first sent something that is not followed. */
  echoedAt: number | undefined;
  /** Somebody else has returned to it, too. */
  hasTwin = false;
  /** Its mailbox takes nothing. */
  isFull = false;
  /** What the back end was told of it: c(onnect) s(uspend) r(ecover) d(isconnect). */
  told = '';

  constructor(sid: string) {
    this.sid = sid;
  }

  in(channel: string): Subscription {
    const present = this.subscriptions.get(channel);
    if (present) return present;
    const made = new Subscription();
    this.subscriptions.set(channel, made);
    return made;
  }

  /** Something is published to a channel. @param isLost whether its actor may not handle it */
  published(channel: string, number: number, at: number, isLost: boolean): void {
    const subscription = this.subscriptions.get(channel);
    if (!subscription || subscription.state === 'out') return;
    const isLossy = isLost || this.isFull;
    if (isLossy) this.lossy = true;
    subscription.add(number, at, subscription.state === 'unsure' ? 'may' : isLossy ? 'lossy' : 'must');
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
    for (const { items } of this.subscriptions.values()) {
      for (const { number, at } of items) {
        const times = heard.get(number) ?? 0;
        heard.set(number, times - 1);
        if (times <= 0) since = Math.min(since ?? at, at);
      }
    }
    return since;
  }

  /**
   * What is wrong with what a client has heard of this session.
   * @param isLive it still has the session, and nothing is under way: nothing may be missing at the end
   */
  mistake(stream: Stream, isLive: boolean): string | undefined {
    return positionMistake(stream) ?? this.#streamMistake(stream, isLive);
  }

  #streamMistake(stream: Stream, isLive: boolean): string | undefined {
    const channels = [...this.subscriptions.keys()];
    const subscriptions = [...this.subscriptions.values()];
    let states: State[] = [{ at: subscriptions.map(() => 0), hasSkipped: false }];
    for (const { number, at } of stream.heard) {
      const next = new Map<string, State>();
      for (const state of states) {
        for (const [which, subscription] of subscriptions.entries()) {
          const to = subscription.find(number, state.at[which]!);
          if (to === undefined) continue;
          const skipped = skip(subscription, state.at[which]!, to);
          if (skipped === 'must') continue;
          const after = { at: state.at.with(which, to + 1), hasSkipped: state.hasSkipped || skipped === 'lossy' };
          next.set(`${after.at} ${after.hasSkipped}`, after);
        }
      }
      if (next.size === 0) return `hears ${number} at ${at}, and expects ${expected(channels, subscriptions, states)}`;
      states = [...next.values()];
    }
    if (!isLive) return undefined;
    const isComplete = states.some(
      ({ at, hasSkipped }) =>
        !hasSkipped && subscriptions.every((one, which) => !skip(one, at[which]!, one.items.length)),
    );
    return isComplete ? undefined : `misses something of ${expected(channels, subscriptions, states)}`;
  }
}

interface State {
  /** The next item of each subscription. */
  readonly at: readonly number[];
  readonly hasSkipped: boolean;
}

/** The gravest of what lies between. */
function skip({ items }: Subscription, from: number, to: number): 'must' | 'lossy' | undefined {
  let gravest: 'lossy' | undefined;
  for (let at = from; at < to; at += 1) {
    const { level } = items[at]!;
    if (level === 'must') return 'must';
    if (level === 'lossy') gravest = 'lossy';
  }
  return gravest;
}

function expected(
  channels: readonly string[],
  subscriptions: readonly Subscription[],
  states: readonly State[],
): string {
  const [first] = states;
  return subscriptions
    .map(({ items }, which) => {
      const next = items.slice(first!.at[which]!, first!.at[which]! + 5);
      return `${channels[which]}: ${next.map(({ number, level }) => `${number} ${level}`).join(', ') || 'nothing'}`;
    })
    .join('; ');
}

const tagLength = 8;

function positionMistake({ heard }: Stream): string | undefined {
  let last = 0;
  for (const { position, number } of heard) {
    const at = Number.parseInt(position.slice(tagLength), 36);
    if (!(at > last)) return `hears ${number} at position ${at}, behind position ${last}`;
    last = at;
  }
  return undefined;
}
