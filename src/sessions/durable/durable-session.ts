/** The record of one session in Redis, as its owner keeps it. */

import { HiveError } from '../../observe/errors.ts';
import type { RunCommands } from './commands.ts';
import type { BootKeys } from './keys.ts';
import { putCommand, removeCommand } from './scripts.ts';

/** Whose record it is. */
export interface RecordSource {
  readonly sid: string;
  /** It has a record, or will have one when Redis is there. */
  kept(session: DurableSession): void;
  /** Its contents now, as a JSON value. */
  record(): unknown;
  /** Somebody else has claimed the session, or is to: it ends here, without a word to back ends. @param hasLeft as planned */
  fenced(hasLeft: boolean): void;
}

export interface RecordSetup {
  readonly source: RecordSource;
  readonly keys: BootKeys;
  readonly run: RunCommands;
  readonly owner: string | undefined;
  readonly epoch: number;
  /** The node that had it before; undefined if it began here. */
  readonly from: string | undefined;
  /** A write has failed: Redis is away. */
  readonly failed: (error: unknown) => void;
  /** A write was refused: somebody else has claimed the session. */
  readonly refused: () => void;
}

/** What else is kept of a session. It may fail, and is tried again then. */
export interface Kept {
  /** The session has ended. */
  cleanup(): void | Promise<void>;
  /** The session is somebody else's. */
  release?(): void;
}

/** How long a session that others have ended is remembered. A node that was away for longer has lost all its connections. */
const goneMs = 3_600_000;

export class DurableSession {
  source: RecordSource;
  readonly keys: BootKeys;
  epoch: number;
  /** Under whose name it is stored; undefined if it is not. */
  owner: string | undefined;
  readonly #setup: RecordSetup;
  #writing: Promise<boolean> | undefined;
  /** What is under way. */
  #putting: Promise<unknown> | undefined;
  /** While it is claimed. */
  #pause: Promise<void> | undefined;
  #isDirty = false;
  isOver = false;
  /** The last write has failed, or the deletion: to be made up for when Redis is back. */
  isBehind = false;
  #isErased = false;
  /** What was sent to Redis and not answered may be executed late, when its record is deleted. */
  #wasBehind = false;
  /** What goes with its record. */
  #kept: Kept | undefined;

  constructor(setup: RecordSetup) {
    this.#setup = setup;
    this.source = setup.source;
    this.keys = setup.keys;
    this.epoch = setup.epoch;
    this.owner = setup.owner;
  }

  get sid(): string {
    return this.source.sid;
  }

  /** As operators see it. */
  view(): { owner: string | null; epoch: number; adoptedFrom: string | null; stored: boolean } {
    const { owner = null, epoch, isBehind } = this;
    return { owner, epoch, adoptedFrom: this.#setup.from ?? null, stored: owner !== null && !isBehind };
  }

  /**
   * Stores the present contents. Resolves to whether the session is (or may be) still this node's: also when Redis is away.
   * Writes that come while one is under way become one.
   */
  write(): Promise<boolean> {
    this.#isDirty = true;
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #writeAll(): Promise<boolean> {
    while (this.#isDirty && !this.isOver) {
      if (this.#pause) {
        await this.#pause;
        continue;
      }
      this.#isDirty = false;
      const putting = this.#put();
      this.#putting = putting;
      if (!(await putting)) return false;
    }
    return !this.isOver;
  }

  /**
   * Nothing is written until what is returned is called: a write in the name of the former owner that comes after the claim would be taken
   * for somebody else's. Resolves when no write is under way.
   */
  async pause(): Promise<() => void> {
    let resume = (): void => {};
    this.#pause = new Promise((resolve) => {
      resume = () => {
        this.#pause = undefined;
        resolve();
      };
    });
    await this.#putting;
    return resume;
  }

  async #put(): Promise<boolean> {
    const { owner, sid } = this;
    if (owner === undefined) return true;
    const contents = JSON.stringify(this.source.record());
    try {
      const [taken] = await this.#setup.run([putCommand(this.keys, sid, this.#head, contents)]);
      this.isBehind = false;
      if (taken === 1) return true;
    } catch (error) {
      this.isBehind = true;
      this.#wasBehind = true;
      this.#setup.failed(error);
      return true;
    }
    this.#setup.refused();
    this.fence();
    return false;
  }

  get #head(): string {
    return `${this.owner}|${this.epoch}|`;
  }

  /** @param hasLeft as planned */
  fence(hasLeft = false): void {
    if (this.isOver) return;
    this.isOver = true;
    this.source.fenced(hasLeft);
  }

  /** The session has ended, and back ends know it. @param kept what is deleted as well, if the session is still this node's */
  async remove(kept?: Kept): Promise<void> {
    if (this.isOver) return;
    this.isOver = true;
    this.#kept = kept;
    await this.#writing;
    await this.erase();
  }

  /** Deletes the record, and what goes with it. */
  async erase(): Promise<void> {
    try {
      if (!this.#isErased) await this.#eraseRecord();
      await this.#kept?.cleanup();
      this.#kept = undefined;
      this.isBehind = false;
    } catch (error) {
      // What fails for another reason than an outage would fail for ever.
      this.isBehind = !this.#isErased || error instanceof HiveError;
      this.#setup.failed(error);
    }
  }

  async #eraseRecord(): Promise<void> {
    if (this.owner !== undefined) {
      await this.#pause;
      const isRemembered = this.epoch > 0 || this.#wasBehind;
      const removing = this.#setup.run([removeCommand(this.keys, this.sid, this.#head, goneMs, isRemembered)]);
      this.#putting = removing.catch(() => {});
      const [removed] = await removing;
      if (removed === 0) {
        this.#kept?.release?.();
        this.#kept = undefined;
      }
    }
    this.#isErased = true;
  }
}
