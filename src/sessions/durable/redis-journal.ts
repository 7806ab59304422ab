/**
 * The journal of a node in Redis, in the order of its numbers. What is shown to clients that may return is a part of what is stored: so
 * whatever follows an entry waits in the release queue until Redis has it. One batch is under way at a time, and the next one
 * gathers meanwhile.
 *
 *   append 7 ─▶ batch [7]      ─▶ Redis ─▶ stored up to 7 ─▶ show 7
 *   append 8, 9 ─▶ batch [8 9] waits …                    ─▶ Redis ─▶ show 8, 9
 *
 * A batch is one command with one value. What else Redis must know goes with one batch in many: what it may forget, and the last number
 * of each scope whose entries that may be (those of the others can be read from what is there).
 *
 * While Redis is away everything is shown at once. What could not be stored makes a new beginning: `#first`.
 *
 * It begins with the lease, before there is an entry: a journal that is not there is one that was lost.
 */
import type { ServerPacket } from '../../protocol/packet.ts';
import { batchHead, entryText, type ScopeField } from './batch-text.ts';
import { BusyFields } from './busy-fields.ts';
import type { RedisCommand, RunCommands } from './commands.ts';
import type { JournalMetrics } from './durable-metrics.ts';
import type { OwnerKeys } from './keys.ts';
import { StoredBatches } from './stored-batches.ts';

export interface JournalSetup {
  /** Of this boot. */
  readonly tag: string;
  /** `id@host#creation`. */
  readonly boot: string;
  readonly run: RunCommands;
  /** Those of the present lease; undefined while there is none. */
  readonly keys: () => OwnerKeys | undefined;
  /** Resolves when it is certain whose sessions these are; undefined if it is now. */
  readonly certainty: () => Promise<void> | undefined;
  readonly failed: (error: unknown) => void;
  /** Number of the oldest entry that is kept at present. */
  readonly oldest: () => number;
  readonly metrics: JournalMetrics;
}

/** The field for the number of the first entry of the unbroken part. */
export const firstField = '#first';
/** The field for the tag of the positions. */
export const tagField = '#tag';
/** The field for the node that has written it. */
export const bootField = '#boot';
/** The field for the number of the last entry that was trimmed. */
export const trimmedField = '#trimmed';
/** With what the field of a session begins that had something to do when its last events were confirmed. */
export const busyPrefix = 'b:';
/** The field of a batch. */
export const batchField = 'b';

export class RedisJournal {
  readonly #setup: JournalSetup;
  /** The batch that gathers. */
  #text = '';
  #first = 0;
  /** Number of the last entry before it. */
  #previous = 0;
  #count = 0;
  /** When the first of its entries came, by the clock of `performance.now()`. */
  #since = 0;
  /** Entries under way, and when the first of them came. */
  #storing = 0;
  #storingSince = 0;
  /** Scopes with entries that Redis has not been told the last of. */
  readonly #lasts = new Map<ScopeField, number>();
  /** Scopes that have ended since the journal was trimmed for its age, and before. */
  #forgotten = new Set<ScopeField>();
  #longForgotten = new Set<ScopeField>();
  readonly #stored = new StoredBatches();
  /** What is to be shown when the batch under way is stored, and what when that is stored which gathers. */
  #showing: (() => void)[] = [];
  readonly #busy = new BusyFields();
  #waiting: (() => void)[] = [];
  #shown = 0;
  /** The last number before the batch that gathers. */
  #before = 0;
  /** The last number, and the last one that has an entry. */
  #last = 0;
  #lastEntry = 0;
  #underWay = false;
  #isOld = false;
  #isDue = false;
  /** Something was shown that is not stored: the journal is to begin anew. */
  #isBroken = true;
  #isClosed = false;
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
    return this.#count + this.#storing;
  }

  /** How long the first of those has waited, ms; 0 if there are none. */
  get waitingMs(): number {
    if (this.waiting === 0) return 0;
    return performance.now() - (this.#storing > 0 ? this.#storingSince : this.#since);
  }

  /** Begins under the present keys, if it has not, or is to begin anew. */
  begin(): void {
    const keys = this.#setup.keys();
    // Others go on with what is closed.
    if (!keys || this.#isClosed || (!this.#isBroken && this.#begunAt === keys)) return;
    this.#isDue = true;
    this.#gather();
  }

  append(number: number, scope: ScopeField, packet: ServerPacket, id = ''): void {
    const previous = this.#lastEntry;
    const before = this.#last;
    this.#last = number;
    if (this.#isClosed) {
      this.#isBroken = true;
      return;
    }
    this.#lastEntry = number;
    if (!this.#setup.keys()) {
      this.#isBroken = true;
      this.#setup.metrics.unstored.value += 1;
      return;
    }
    if (this.#count === 0) {
      this.#since = performance.now();
      this.#first = number;
      this.#previous = previous;
      this.#before = before;
      this.#text = batchHead(previous);
    }
    this.#count += 1;
    this.#text += entryText(number, scope, packet, id);
    this.#lasts.set(scope, number);
    this.#gather();
  }

  /** A number that has no entry: nobody need wait for it. */
  skip(number: number): void {
    this.#last = number;
    if (!this.#underWay && this.#count === 0) this.#shown = number;
  }

  /**
   * Somebody else goes on with the sessions. Resolves when everything is stored. What comes afterwards is not shown, and nobody hears
   * that it is stored: who has published it keeps it.
   */
  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => {
      this.confirm(() => {
        this.#isClosed = true;
        resolve();
      });
    });
  }

  /** Somebody has gone on with them. */
  reopen(): void {
    this.#isClosed = false;
    if (!this.#underWay) this.#showAll();
  }

  /** The last number of what is stored when a batch is; nothing that came to a closed journal is. */
  get #lastStored(): number {
    if (this.#count > 0) return this.#before;
    return this.#isClosed ? this.#lastEntry : this.#last;
  }

  #showAll(): void {
    this.#shown = this.#last;
    for (const show of [...this.#showing.splice(0), ...this.#waiting.splice(0)]) show();
  }

  /** Runs `show` when everything is stored that was appended before. */
  release(show: () => void): void {
    if (this.#isClosed || this.#count > 0) this.#waiting.push(show);
    else if (this.#underWay) this.#showing.push(show);
    else {
      this.#shown = this.#last;
      show();
    }
  }

  /** The same when it is stored, too, which sessions are busy. */
  confirm(show: () => void): void {
    if (!this.#busy.isBehind || !this.#noteBusy()) return this.release(show);
    // Not the batch that is under way, but the next one tells Redis.
    this.#waiting.push(show);
  }

  /** What a session was told waits for its actor still, or does not any more. */
  setBusy(sid: string, isBusy: boolean): void {
    const field = busyPrefix + sid;
    if (isBusy) this.#busy.add(field);
    else if (this.#busy.delete(field)) this.#noteBusy();
  }

  /** Returns whether Redis is told. */
  #noteBusy(): boolean {
    if (this.#isClosed || !this.#setup.keys()) return false;
    this.#isDue = true;
    this.#gather();
    return true;
  }

  /** The scope has ended. */
  forget(scope: ScopeField): void {
    this.#lasts.delete(scope);
    if (this.#stored.count > 0) this.#forgotten.add(scope);
  }

  /** Time has passed: Redis is to forget what is not kept any more, though nothing new comes. */
  trim(): void {
    if (this.#stored.count === 0) return;
    this.#isOld = true;
    this.#gather();
  }

  #gather(): void {
    if (this.#underWay) return;
    this.#underWay = true;
    // Everything of the actors that run now is in one batch.
    queueMicrotask(() => void this.#storeAll());
  }

  async #storeAll(): Promise<void> {
    const { metrics } = this.#setup;
    while (this.#count > 0 || this.#isOld || this.#isDue) {
      const uncertain = this.#setup.certainty();
      if (uncertain) await uncertain;
      for (const show of this.#waiting.splice(0)) this.#showing.push(show);
      const isStored = await this.#store();
      // The node may have stood still until the answer.
      const unsure = this.#setup.certainty();
      if (unsure) await unsure;
      if (!isStored) metrics.unstored.value += this.#storing;
      else if (this.#storing > 0) metrics.latency.record(performance.now() - this.#storingSince);
      this.#storing = 0;
      this.#shown = this.#lastStored;
      for (const show of this.#showing.splice(0)) show();
    }
    this.#underWay = false;
    if (!this.#isClosed) this.#showAll();
  }

  /** Stores what has gathered. Resolves to whether Redis has it. */
  async #store(): Promise<boolean> {
    const keys = this.#setup.keys();
    const commands = keys ? this.#commands(keys) : [];
    this.#storing = this.#count;
    this.#storingSince = this.#since;
    this.#text = '';
    this.#count = 0;
    this.#isOld = false;
    this.#isDue = false;
    if (!keys) {
      this.#isBroken = true;
      return false;
    }
    if (commands.length === 0) return true;
    try {
      await this.#setup.run(commands.length > 1 ? [['multi'], ...commands, ['exec']] : commands);
      return true;
    } catch (error) {
      // Nobody knows what Redis has of it.
      this.#isBroken = true;
      this.#setup.failed(error);
      return false;
    }
  }

  #commands(keys: OwnerKeys): RedisCommand[] {
    const last = this.#lastEntry;
    const commands: RedisCommand[] = [];
    if (this.#isBroken || this.#begunAt !== keys) {
      if (this.#count === 0) {
        this.#previous = last;
        this.#first = last + 1;
      }
      this.#forgetAll();
      this.#isBroken = false;
      this.#begunAt = keys;
      const { tag, boot } = this.#setup;
      commands.push(
        ['del', keys.journal, keys.last, keys.kept],
        ['hset', keys.last, firstField, this.#previous + 1, tagField, tag, bootField, boot],
      );
    }
    commands.push(...this.#busy.take(keys.last));
    if (this.#count > 0) {
      commands.push(['xadd', keys.journal, `${last}-0`, batchField, this.#text]);
      this.#stored.add(last);
    }
    const oldest = this.#setup.oldest();
    if (this.#isOld || this.#stored.isWorth(oldest)) this.#trimTo(oldest, keys, commands);
    return commands;
  }

  /** Redis is told of scopes all of whose entries are dropped when their last ones were. */
  #trimTo(oldest: number, keys: OwnerKeys, commands: RedisCommand[]): void {
    if (this.#isOld) {
      if (this.#longForgotten.size > 0) commands.push(['hdel', keys.last, ...this.#longForgotten]);
      this.#longForgotten = this.#forgotten;
      this.#forgotten = new Set();
    }
    const trimmed = this.#stored.drop(oldest);
    if (trimmed === undefined) return;
    const fields: (string | number)[] = [trimmedField, trimmed];
    for (const [scope, number] of this.#lasts) {
      if (number > trimmed) continue;
      fields.push(scope, number);
      this.#lasts.delete(scope);
      this.#forgotten.delete(scope);
      this.#longForgotten.delete(scope);
    }
    commands.push(['hset', keys.last, ...fields], ['xtrim', keys.journal, 'maxlen', this.#stored.count]);
  }

  #forgetAll(): void {
    this.#busy.forgetStored();
    this.#stored.clear();
    this.#forgotten.clear();
    this.#longForgotten.clear();
    for (const [scope, number] of this.#lasts) if (number < this.#first) this.#lasts.delete(scope);
  }
}
