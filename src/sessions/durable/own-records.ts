/**
 * The records of a node's own sessions, where Redis may not have what it should: the lease was lost, or Redis was away.
 *
 *   lease lost ──▶ claimed anew, as anybody would ──▶ written anew
 *                            └──▶ somebody else's: ends here
 *   Redis away ──▶ what failed is written, or deleted
 */
import type { Log } from '../../observe/logger.ts';
import type { Counter } from '../../observe/metrics.ts';
import type { RunCommands } from './commands.ts';
import type { DurableSession } from './durable-session.ts';
import type { Lease } from './lease.ts';
import { claimCommand } from './scripts.ts';

export interface OwnRecordsSetup {
  readonly sessions: Map<string, DurableSession>;
  readonly lease: Lease;
  /** What others must know of the owner. */
  readonly ownership: () => string;
  readonly run: RunCommands;
  readonly log: Log;
  readonly counters: Readonly<Record<'leases_lost' | 'claims_lost', Counter>>;
}

/** Records that are looked at, or claimed, with one round trip. */
export const batchSize = 100;

/** How long it takes at most to find out what adopted sessions have missed, beyond a lease, ms. */
const adoptionMs = 6000;

export function forget(session: DurableSession, sessions: Map<string, DurableSession>): void {
  if (sessions.get(session.sid) === session) sessions.delete(session.sid);
}

export class OwnRecords {
  readonly #setup: OwnRecordsSetup;
  #adoption: Promise<void> | undefined;

  constructor(setup: OwnRecordsSetup) {
    this.#setup = setup;
  }

  /** There is another lease than before. */
  lostLease(): void {
    this.#setup.counters.leases_lost.value += 1;
    const sessions = this.#stale.length;
    if (sessions > 0) this.#setup.log.warning('The lease was lost; the sessions are claimed anew', { sessions });
  }

  /** Those of a lease before the present one, or that could not be stored. */
  get #stale(): DurableSession[] {
    const { sessions, lease } = this.#setup;
    return [...sessions.values()].filter((session) => session.owner !== lease.owner);
  }

  /** Claims sessions of a lease before the present one, and those that could not be stored: most are this node's still. */
  async claim(): Promise<void> {
    const owner = this.#setup.lease.owner!;
    await this.#inBatches(this.#stale, async (batch) => {
      const resumes = await Promise.all(batch.map((session) => session.pause()));
      try {
        await this.#claimAnew(batch, owner);
      } finally {
        for (const resume of resumes) resume();
      }
      await Promise.all(batch.map((session) => this.#store(session)));
    });
  }

  async #claimAnew(batch: readonly DurableSession[], owner: string): Promise<void> {
    const commands = batch.map(({ sid, keys, owner: before }) => claimCommand(keys, sid, before ?? '', owner));
    const answers = await this.#setup.run(commands);
    for (const [i, session] of batch.entries()) {
      const answer = answers[i];
      if (answer === 0) {
        if (session.isOver) forget(session, this.#setup.sessions);
        else this.lost(session);
        session.fence();
      } else {
        session.owner = owner;
        session.epoch = Array.isArray(answer) ? Number(answer[0]) : session.epoch;
      }
    }
  }

  /** A session of this node is somebody else's. */
  lost(session: DurableSession): void {
    const { sessions, counters, lease } = this.#setup;
    counters.claims_lost.value += 1;
    forget(session, sessions);
    const over = new Promise<void>((resolve) => setTimeout(resolve, lease.ms + adoptionMs).unref());
    this.#adoption = over;
    void over.then(() => {
      if (this.#adoption === over) this.#adoption = undefined;
    });
  }

  /**
   * Resolves when whoever has claimed sessions of this node has found out what they have missed; undefined if nobody is about to. He asks
   * others what they have kept for this node, and they forget what it acknowledges.
   */
  get adoption(): Promise<void> | undefined {
    return this.#adoption;
  }

  /** What failed while Redis was away for less than a lease. */
  async makeUp(): Promise<void> {
    const behind = [...this.#setup.sessions.values()].filter((session) => session.isBehind);
    await this.#inBatches(behind, (batch) => Promise.all(batch.map((session) => this.#store(session))));
  }

  /** Its record, or its end. */
  async #store(session: DurableSession): Promise<void> {
    if (this.#setup.sessions.get(session.sid) !== session) return;
    if (!session.isOver) {
      await session.write();
      return;
    }
    await session.erase();
    if (!session.isBehind) forget(session, this.#setup.sessions);
  }

  /** Many sessions take longer than a lease lasts. */
  async #inBatches(
    sessions: readonly DurableSession[],
    work: (batch: readonly DurableSession[]) => Promise<unknown>,
  ): Promise<void> {
    for (let at = 0; at < sessions.length; at += batchSize) {
      await work(sessions.slice(at, at + batchSize));
      if (this.#setup.lease.leftMs > this.#setup.lease.ms / 2) continue;
      // Those that were stored in its name are claimed with the others by the next attempt.
      if ((await this.#setup.lease.renew(this.#setup.ownership())) !== undefined)
        throw new Error('The lease was lost again.');
    }
  }

  /** Whether Redis has everything, as far as is known. */
  get isComplete(): boolean {
    for (const { isBehind } of this.#setup.sessions.values()) if (isBehind) return false;
    return true;
  }
}
