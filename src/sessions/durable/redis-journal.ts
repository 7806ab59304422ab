/**
 * The journal of a node in Redis, in the order of its numbers. What is shown to clients that may return is a part of what is stored: so
 * whatever follows an entry waits in the release queue until Redis has it. One batch is under way at a time, and the next one
 * gathers meanwhile.
 *
 *   append 7 ─▶ batch [7]      ─▶ Redis ─▶ stored up to 7 ─▶ show 7
 *   append 8, 9 ─▶ batch [8 9] waits …                    ─▶ Redis ─▶ show 8, 9
 *
 * While Redis is away everything is shown at once. What could not be stored makes a new beginning: `#first`.
 */
import type { ServerPacket } from '../../protocol/packet.ts';
import type { RedisCommand, RunCommands } from './commands.ts';
import type { JournalMetrics } from './durable-metrics.ts';
import type { OwnerKeys } from './keys.ts';
import { packetToText } from './packet-text.ts';

export interface JournalSetup {
  /** Of this boot. */
  readonly tag: string;
  readonly run: RunCommands;
  /** Those of the present lease; undefined while there is none. */
  readonly keys: () => OwnerKeys | undefined;
  /** Resolves when it is certain whose sessions these are; undefined if it is now. */
  readonly certainty: () => Promise<void> | undefined;
  readonly failed: (error: unknown) => void;
  /** How many entries are kept at present. */
  readonly kept: () => number;
  readonly metrics: JournalMetrics;
}

/** A scope of the journal, as Redis has it. */
export type ScopeField = `c:${string}` | `s:${string}`;

/** The field for the number of the first entry of the unbroken part. */
export const firstField = '#first';
/** The field for the tag of the positions. */
export const tagField = '#tag';

export class RedisJournal {
  readonly #setup: JournalSetup;
  #entries: RedisCommand[] = [];
  #lasts = new Map<ScopeField, number>();
  /** When the first of the entries came, by the clock of `performance.now()`. */
  #since = 0;
  /** Entries under way, and when the first of them came. */
  #storing = 0;
  #storingSince = 0;
  #waiting: (() => void)[] = [];
  #shown = 0;
  #last = 0;
  #underWay = false;
  /** Under these keys it has begun; others are those of another lease. */
  #begunAt: OwnerKeys | undefined;

  constructor(setup: JournalSetup) {
    this.#setup = setup;
  }

  /** The last number that was shown. */
  get shown(): number {
    return this.#shown;
  }

  /** Entries that Redis does not have yet. */
  get waiting(): number {
    return this.#entries.length + this.#storing;
  }

  /** How long the first of those has waited, ms; 0 if there are none. */
  get waitingMs(): number {
    if (this.waiting === 0) return 0;
    return performance.now() - (this.#storing > 0 ? this.#storingSince : this.#since);
  }

  append(number: number, scope: ScopeField, packet: ServerPacket, id = ''): void {
    this.#last = number;
    if (!this.#setup.keys()) {
      this.#setup.metrics.unstored.value += 1;
      return;
    }
    if (this.#entries.length === 0) this.#since = performance.now();
    this.#entries.push(['xadd', '', `${number}-0`, 's', scope, 'p', packetToText(packet), 'i', id]);
    this.#lasts.set(scope, number);
    this.#begin();
  }

  /** Runs `show` when everything is stored that was appended before. */
  release(show: () => void): void {
    if (!this.#underWay && this.#entries.length === 0) {
      this.#shown = this.#last;
      show();
    } else {
      this.#waiting.push(show);
    }
  }

  /** The scope has ended. */
  forget(scope: ScopeField): void {
    const keys = this.#begunAt;
    this.#lasts.delete(scope);
    if (keys) this.#setup.run([['hdel', keys.last, scope]]).catch((error: unknown) => this.#setup.failed(error));
  }

  #begin(): void {
    if (this.#underWay) return;
    this.#underWay = true;
    // Everything of this turn is in one batch.
    setImmediate(() => void this.#storeAll());
  }

  async #storeAll(): Promise<void> {
    const { metrics } = this.#setup;
    while (this.#entries.length > 0) {
      const entries = this.#entries;
      const lasts = this.#lasts;
      const last = this.#last;
      const releasing = this.#waiting.length;
      this.#entries = [];
      this.#lasts = new Map();
      this.#storing = entries.length;
      this.#storingSince = this.#since;
      if (await this.#store(entries, lasts)) metrics.latency.record(performance.now() - this.#storingSince);
      else metrics.unstored.value += entries.length;
      this.#storing = 0;
      this.#shown = last;
      for (const show of this.#waiting.splice(0, releasing)) show();
    }
    this.#underWay = false;
    this.#shown = this.#last;
    for (const show of this.#waiting.splice(0)) show();
  }

  /** Resolves to whether Redis has them. */
  async #store(entries: RedisCommand[], lasts: ReadonlyMap<ScopeField, number>): Promise<boolean> {
    await this.#setup.certainty();
    const keys = this.#setup.keys();
    if (!keys) {
      this.#begunAt = undefined;
      return false;
    }
    const commands: RedisCommand[] = [['multi']];
    if (this.#begunAt !== keys) {
      const first = (entries[0]![2] as string).split('-')[0]!;
      commands.push(
        ['del', keys.journal, keys.last],
        ['hset', keys.last, firstField, first, tagField, this.#setup.tag],
      );
    }
    for (const entry of entries) {
      entry[1] = keys.journal;
      commands.push(entry);
    }
    const fields: (string | number)[] = [];
    for (const [scope, number] of lasts) fields.push(scope, number);
    commands.push(
      ['hset', keys.last, ...fields],
      ['xtrim', keys.journal, 'maxlen', this.#setup.kept() + entries.length],
    );
    commands.push(['exec']);
    try {
      await this.#setup.run(commands);
      this.#begunAt = keys;
      return true;
    } catch (error) {
      // Nobody knows what Redis has of it.
      this.#begunAt = undefined;
      this.#setup.failed(error);
      return false;
    }
  }
}
