/**
 * Histories in Redis: for each channel a stream, whose ids are the offsets, and a hash with the epoch, the last offset and what every
 * origin has given. A script numbers, so any node may append. One batch is under way at a time, and what comes meanwhile forms the next
 * one: what this node appends is numbered in that order.
 */
import { readFileSync } from 'node:fs';
import type { RedisCommand } from '../../connectors/redis/refusal.ts';
import type {
  Append,
  HistoryBounds,
  HistoryEntry,
  HistoryPart,
  HistoryQuery,
  HistoryStore,
} from '../../history-store.ts';
import type { Position } from '../../types.ts';
import { epochAfter } from '../epochs.ts';

export interface RedisHistorySetup {
  /** Resolves to the replies; rejects if Redis is away, or refuses one of the commands. */
  readonly run: (commands: readonly RedisCommand[]) => Promise<readonly unknown[]>;
  /** What stands before the channels in keys. */
  readonly keyPrefix: string;
  /** Of this boot. */
  readonly creation: number;
}

const scripts = { append: script('append'), read: script('read') };

function script(name: string): string {
  return readFileSync(new URL(`./${name}.lua`, import.meta.url), 'utf8');
}

/** How long the numbers of a channel go on without anything being published or read, beyond the time that an entry is kept. */
const rememberedMs = 24 * 3_600_000;
/** Channels of which is known how far they were. */
const maxSeen = 10_000;

interface Waiting {
  readonly items: readonly Append[];
  readonly resolve: (positions: readonly (Position | undefined)[]) => void;
  readonly reject: (error: unknown) => void;
}

export class RedisHistories implements HistoryStore {
  readonly #setup: RedisHistorySetup;
  #waiting: Waiting[] = [];
  #isBusy = false;
  /** How far each was, the last one that was used last: Redis may come back with less. */
  readonly #seen = new Map<string, Position>();

  constructor(setup: RedisHistorySetup) {
    this.#setup = setup;
  }

  append(items: readonly Append[]): Promise<readonly (Position | undefined)[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ items, resolve, reject });
      if (!this.#isBusy) void this.#appendAll();
    });
  }

  async #appendAll(): Promise<void> {
    this.#isBusy = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        const positions = await this.#appendBatch(batch.flatMap(({ items }) => items));
        let at = 0;
        for (const { items, resolve } of batch) {
          resolve(positions.slice(at, at + items.length));
          at += items.length;
        }
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#isBusy = false;
  }

  async #appendBatch(items: readonly Append[]): Promise<(Position | undefined)[]> {
    const byChannel = new Map<string, number[]>();
    for (const [at, { channel }] of items.entries()) {
      const places = byChannel.get(channel);
      if (places) places.push(at);
      else byChannel.set(channel, [at]);
    }
    const commands = [...byChannel].map(([channel, places]): RedisCommand => {
      const { size, ttlMs } = items[places[0]!]!.bounds;
      const given = places.flatMap((at) => {
        const { origin, number, content } = items[at]!;
        return [origin, number, JSON.stringify(content)];
      });
      const head = [size, ttlMs, ttlMs + rememberedMs, ...this.#known(channel)];
      return ['eval', scripts.append, 2, ...this.#keys(channel), ...head, ...given];
    });
    const replies = await this.#setup.run(commands);
    const positions: (Position | undefined)[] = items.map(() => undefined);
    for (const [i, [channel, places]] of [...byChannel].entries()) {
      const [epoch, ...offsets] = replies[i] as [string, ...number[]];
      for (const [n, at] of places.entries()) {
        const offset = offsets[n]!;
        if (offset > 0) positions[at] = [epoch, offset];
      }
      this.#see(channel, [epoch, Math.max(...offsets)]);
    }
    return positions;
  }

  async read(channel: string, { ttlMs }: HistoryBounds, query: HistoryQuery): Promise<HistoryPart> {
    const { epoch: wanted = '', since = '', before = '', limit } = query;
    const head = [wanted, since, before, limit, ttlMs, ttlMs + rememberedMs, ...this.#known(channel)];
    const [reply] = await this.#setup.run([['eval', scripts.read, 2, ...this.#keys(channel), ...head]]);
    const [epoch, offset, isSame, oldest, ...rest] = reply as [string, number, number, number, ...(number | string)[]];
    this.#see(channel, [epoch, offset]);
    const entries: HistoryEntry[] = [];
    for (let at = 0; at < rest.length; at += 3) {
      const [place, time, content] = rest.slice(at) as [number, string, string];
      entries.push({ offset: place, at: Number(time), content: JSON.parse(content) });
    }
    const from = (query.since ?? 0) + 1;
    const first = oldest === 0 ? offset + 1 : oldest;
    return { epoch, offset, entries, complete: isSame === 1 && from - 1 <= offset && first <= from };
  }

  async clear(channel: string): Promise<void> {
    const [, stream] = this.#keys(channel);
    await this.#setup.run([['del', stream]]);
  }

  /** One slot of a Redis Cluster. */
  #keys(channel: string): [hash: string, stream: string] {
    const key = `${this.#setup.keyPrefix}{${channel}}`;
    return [`${key}:numbers`, `${key}:entries`];
  }

  #known(channel: string): [epoch: string, offset: number, next: string] {
    const [epoch, offset] = this.#seen.get(channel) ?? ['', 0];
    return [epoch, offset, epochAfter(epoch || undefined, this.#setup.creation)];
  }

  #see(channel: string, position: Position): void {
    const seen = this.#seen.get(channel);
    const isLater = !seen || position[0] > seen[0] || (position[0] === seen[0] && position[1] > seen[1]);
    this.#seen.delete(channel);
    this.#seen.set(channel, isLater ? position : seen);
    if (this.#seen.size > maxSeen) this.#seen.delete(this.#seen.keys().next().value!);
  }
}
