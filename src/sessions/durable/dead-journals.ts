/** The journals of nodes that are gone, as long as their sessions may want them. */
import type { ServerPacket } from '../../protocol/packet.ts';
import { batchHead, entryText } from './batch-text.ts';
import type { RunCommands } from './commands.ts';
import { actionsField, DeadJournal, lostField } from './dead-journal.ts';
import type { Keys } from './keys.ts';
import { pairsOf } from './replies.ts';
import { keepCommand } from './scripts.ts';

/** A publication that somebody had kept for a node. */
export interface KeptPackets {
  readonly channel: string;
  readonly id: string;
  readonly packets: readonly ServerPacket[];
}

interface Known {
  readonly journal: Promise<DeadJournal | undefined>;
  readonly readAt: number;
}

/** Publications that are stored with one round trip. */
const batchSize = 200;
/** The value of a field that says that something is missing: as one without packets. */
const nothing = `0|${batchHead(0)}`;

export class DeadJournals {
  readonly #run: RunCommands;
  readonly #keys: Keys;
  readonly #keepMs: number;
  readonly #now: () => number;
  readonly #journals = new Map<string, Known>();

  /**
   * @param keepMs how long somebody may return who has not seen the end of one; 0: nobody returns
   * @param now ms; monotonic
   */
  constructor(run: RunCommands, keys: Keys, keepMs: number, now: () => number) {
    this.#run = run;
    this.#keys = keys;
    this.#keepMs = keepMs;
    this.#now = now;
  }

  /**
   * What an owner that is gone has left; undefined if that is lost, or there was nothing.
   * @throws what Redis fails with
   */
  async of(owner: string): Promise<DeadJournal | undefined> {
    const known = this.#journals.get(owner);
    if (known) return known.journal;
    const journal = this.#read(owner);
    this.#journals.set(owner, { journal, readAt: this.#now() });
    // It is tried again.
    journal.catch(() => this.#journals.delete(owner));
    return journal;
  }

  async #read(owner: string): Promise<DeadJournal | undefined> {
    const journal = await DeadJournal.read(this.#run, this.#keys.ofOwner(owner));
    await this.release(owner);
    return journal;
  }

  /** Stores what others had kept for an owner that is gone, and learns what anybody has stored by now. */
  async keep(owner: string, journal: DeadJournal, kept: readonly KeptPackets[]): Promise<void> {
    await this.store(owner, kept);
    const [fields] = await this.#run([['hgetall', this.#keys.ofOwner(owner).kept]]);
    journal.addKept(pairsOf(fields));
    await this.release(owner);
  }

  /** Stores that something is missing among what others had kept. @param of channels and publications; all if it is not known of which */
  async miss(
    owner: string,
    of: readonly { readonly channel: string; readonly id: string }[] | undefined,
  ): Promise<void> {
    const fields = of ? of.map(({ channel, id }) => `${actionsField}${channel} ${id}`) : [lostField];
    const { kept } = this.#keys.ofOwner(owner);
    for (let at = 0; at < fields.length; at += batchSize) {
      const pairs = fields.slice(at, at + batchSize).flatMap((field) => [field, nothing]);
      await this.#run([['hset', kept, ...pairs]]);
    }
    await this.release(owner);
  }

  /** Stores what this node has kept for an owner that is gone. */
  async store(owner: string, kept: readonly KeptPackets[]): Promise<void> {
    const keys = this.#keys.ofOwner(owner);
    for (let at = 0; at < kept.length; at += batchSize) {
      const args = kept
        .slice(at, at + batchSize)
        .flatMap(({ channel, id, packets }) => [
          `c:${channel} ${id}`,
          packets.length,
          batchHead(0) + packets.map((packet, i) => entryText(i + 1, `c:${channel}`, packet, id)).join(''),
        ]);
      await this.#run([keepCommand(keys, args)]);
    }
    if (kept.length > 0) await this.release(owner);
  }

  /** What it has left is there for as long as anybody may return to it. */
  async release(owner: string): Promise<void> {
    const { journal, last, kept } = this.#keys.ofOwner(owner);
    const keepMs = this.#keepMs;
    if (keepMs === 0) await this.#run([['del', journal, last, kept]]);
    else
      await this.#run([
        ['pexpire', journal, keepMs],
        ['pexpire', last, keepMs],
        ['pexpire', kept, keepMs],
      ]);
  }

  /** Forgets those to which nobody returns any more. */
  forgetOld(): void {
    const oldest = this.#now() - this.#keepMs;
    for (const [owner, { journal, readAt }] of this.#journals) {
      if (readAt > oldest) continue;
      this.#journals.delete(owner);
      // Sessions that are here still have it.
      void journal.then((read) => read?.forget());
    }
  }
}
