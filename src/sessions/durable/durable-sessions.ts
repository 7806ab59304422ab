/**
 * The sessions of a node, kept in Redis so that somebody tells of their end if the node dies. Redis may be away: then the node
 * serves on, and stores everything when it is back.
 *
 *   open ──▶ record stored ──▶ on_connect … ──▶ on_disconnect ──▶ record deleted
 *                  │ the node dies, its lease ends
 *                  ▼
 *               claimed by another node ──▶ on_disconnect ──▶ record deleted
 */
import type { Log } from '../../observe/logger.ts';
import { textOf } from '../../observe/thrown.ts';
import type { Pids } from '../pids.ts';
import type { Adopter, Claimed } from './adopter.ts';
import type { RedisCommand, RunCommands } from './commands.ts';
import { DeadJournals } from './dead-journals.ts';
import { Durability } from './durability.ts';
import type { DurableMetrics } from './durable-metrics.ts';
import { DurableSession, type Kept, type RecordSource } from './durable-session.ts';
import { Keys, type OwnerKeys } from './keys.ts';
import { Lease } from './lease.ts';
import { locate } from './locate.ts';
import { batchSize, forget, OwnRecords } from './own-records.ts';
import { claimable, type Owner, Owners } from './owners.ts';
import { OwnOwnership } from './ownership.ts';
import { RedisJournal } from './redis-journal.ts';
import { secretIn } from './secret.ts';
import { together } from './together.ts';
import { Wakefulness } from './wakefulness.ts';
import { Witness } from './witness.ts';

export interface DurableSetup {
  readonly run: RunCommands;
  readonly cluster: string;
  /** `id@host#creation`. */
  readonly boot: string;
  /** Of this boot: see `tagOf`. */
  readonly tag: string;
  /** Signs the pids of the cluster, once Redis has told with what. */
  readonly pids: Pids;
  readonly leaseMs: number;
  /** How long a session waits for its client, ms; 0: not at all. */
  readonly windowMs?: number;
  /** ms; monotonic. */
  readonly now?: () => number;
  readonly log: Log;
  readonly metrics: DurableMetrics;
}

/** Sessions that are claimed before all of them are caught up, for which everything is read that others have kept. */
const claimedAtOnce = 2000;
/** Beyond two windows, for a client that was lost when it had just returned: how long its node may take to notice, ms. */
const noticeMs = 60_000;

export class DurableSessions {
  readonly metrics: DurableMetrics;
  readonly lease: Lease;
  readonly #setup: DurableSetup;
  /** For the records. */
  readonly #writeTogether: RunCommands;
  readonly #keys: Keys;
  readonly #durability: Durability;
  readonly #sessions = new Map<string, DurableSession>();
  readonly own: OwnRecords;
  readonly #witness: Witness;
  #isDoubtful = false;
  readonly ownership: OwnOwnership;
  #ownerKeys: OwnerKeys | undefined;
  #ownerKeysOf: string | undefined;
  /** The owner of whom it is certain which sessions are his. */
  #claimedFor: string | undefined;
  readonly owners: Owners;
  readonly #wakefulness: Wakefulness;
  /** When the last attempt to renew the lease began that has failed. */
  #failedAt = Number.NEGATIVE_INFINITY;
  readonly journals: DeadJournals;
  #admits: () => boolean = () => true;
  #journal: RedisJournal | undefined;
  #adopter: Adopter | undefined;
  #stored = { entries: 0, bytes: 0 };
  #renewing: Promise<void> | undefined;
  #sweeping: Promise<void> | undefined;
  #isSweptLast = false;
  #isClosing = false;
  /** Sessions that were left to others. */
  #left = 0;
  /** Leases that have ended, and whose sessions nobody has claimed yet, as far as is known. */
  unclaimed = 0;

  constructor(setup: DurableSetup) {
    const { run, cluster, boot, tag, leaseMs, metrics, log, now = () => performance.now() } = setup;
    this.#setup = setup;
    this.#writeTogether = together(run);
    this.metrics = metrics;
    this.#durability = new Durability({ node: nodeOf(boot), log, errors: metrics.counters.errors, now });
    this.#keys = new Keys(cluster);
    this.lease = new Lease(leaseMs, run, this.#keys, now);
    this.owners = new Owners(run, this.#keys, () => this.lease.owner);
    this.#wakefulness = new Wakefulness(leaseMs / 2, now);
    this.#witness = new Witness(run);
    this.ownership = new OwnOwnership(boot, tag);
    const { counters } = metrics;
    const ownership = () => this.ownership.text();
    this.own = new OwnRecords({ sessions: this.#sessions, lease: this.lease, ownership, run, log, counters });
    const { windowMs = 0 } = setup;
    const keepMs = windowMs === 0 ? 0 : 2 * (windowMs + leaseMs) + noticeMs;
    this.journals = new DeadJournals(run, this.#keys, keepMs, now);
  }

  /** Why sessions are not durable now; undefined if they are. */
  get problem(): string | undefined {
    const isHeld = this.#isClosing || this.lease.isHeld;
    return this.#durability.problem ?? (isHeld ? undefined : 'the lease has run out and is not renewed yet');
  }

  /** How long they have not been durable, ms; 0 while they are. */
  get downMs(): number {
    return this.problem === undefined ? 0 : this.#durability.downMs || this.lease.overMs;
  }

  /** What Redis had of the journal when it was last asked. */
  get stored(): { readonly entries: number; readonly bytes: number } {
    return this.#stored;
  }

  /** Entries of the journal that Redis does not have yet. */
  get waiting(): number {
    return this.#journal?.waiting ?? 0;
  }

  /** How long the first of those has waited, ms. */
  get waitingMs(): number {
    return this.#journal?.waitingMs ?? 0;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Whether a session is this node's, as far as it knows. */
  has(sid: string): boolean {
    return this.#sessions.has(sid);
  }

  /** Whether the node stops: records of what is still to be told are left to others. */
  get isClosing(): boolean {
    return this.#isClosing;
  }

  /**
   * @param adopter what becomes of claimed sessions
   * @param admits whether clients may come to this node: if not, sessions of nodes that have been stopped are left to others
   */
  serve(adopter: Adopter, admits: () => boolean = () => true): void {
    this.#adopter = adopter;
    this.#admits = admits;
  }

  /** Something else keeps the record of a session from now on. */
  pass(sid: string, source: RecordSource): void {
    const session = this.#sessions.get(sid);
    if (!session) return;
    session.source = source;
    source.kept(session);
  }

  /** Takes a session in, before any back end hears of it. Resolves when its record is stored, or Redis is away. */
  async open(source: RecordSource): Promise<void> {
    await this.#add(source, this.lease.owner, 0).write();
  }

  #add(source: RecordSource, owner: string | undefined, epoch: number, from?: string): DurableSession {
    const keys = this.#keys.ofSid(source.sid);
    const failed = (error: unknown) => this.#failed(error);
    const refused = () => this.#refused(session);
    const run = this.#writeTogether;
    const session: DurableSession = new DurableSession({ source, keys, run, owner, epoch, from, failed, refused });
    this.#sessions.set(source.sid, session);
    source.kept(session);
    return session;
  }

  /** The session has ended, and back ends know it. @param kept what is deleted with its record */
  async remove(session: DurableSession, kept?: Kept): Promise<void> {
    await session.remove(kept);
    // One whose record could not be deleted is kept until it is.
    if (!session.isBehind) forget(session, this.#sessions);
  }

  /**
   * Whether sessions are still this node's: at once, unless the node has stood still for longer than its lease. Then it asks; and if Redis
   * is away, nobody else can have claimed them for having seen that.
   */
  certainty(): Promise<void> | undefined {
    return this.#isCertain ? undefined : this.#makeCertain();
  }

  get #isCertain(): boolean {
    if (this.lease.isHeld && this.lease.owner === this.#claimedFor) return true;
    // That Redis was away before the node stood still says nothing of what others have done meanwhile.
    return this.#durability.problem !== undefined && this.#failedAt >= this.#wakefulness.since();
  }

  /** The attempt that is under way may have begun before the node stood still: neither its answer nor its failure is news then. */
  async #makeCertain(): Promise<void> {
    await this.renew();
    if (!this.#isCertain) await this.renew();
  }

  /** Renews the lease; with a new one, claims the node's own sessions. Never rejects. */
  renew(): Promise<void> {
    this.#wakefulness.look();
    // An attempt takes several round trips, and those may be long.
    if (this.#renewing) this.lease.extend().catch((error: unknown) => this.#failed(error));
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #renew(): Promise<void> {
    if (this.#isClosing) return;
    const beganAt = this.#wakefulness.look();
    try {
      const { run, pids } = this.#setup;
      if (this.lease.owner === undefined) pids.use(await secretIn(run, this.#keys));
      let former = await this.lease.renew(this.ownership.text());
      // What Redis had confirmed may be lost, though the lease is not: everything is stored anew.
      this.#isDoubtful ||= await this.#witness.hasChanged(this.#watchedKeys);
      if (this.#isDoubtful && former === undefined) former = await this.lease.renew(this.ownership.text(), true);
      this.#isDoubtful = false;
      if (former !== undefined) this.own.lostLease();
      const { owner } = this.lease;
      if (owner !== this.#ownerKeysOf) this.#takeKeys(owner!, this.#ownerKeysOf);
      // A Redis that is full renews leases, and stores nothing.
      if (this.#durability.problem !== undefined) await this.#tellOwnership();
      await this.own.claim();
      this.#claimedFor = owner;
      await this.own.makeUp();
      if (this.own.isComplete) this.#durability.succeeded();
      this.#journal?.begin();
    } catch (error) {
      this.#failedAt = beganAt;
      this.#failed(error);
    }
  }

  async #tellOwnership(): Promise<void> {
    await this.#setup.run([['hset', this.#keys.owners, this.lease.owner!, this.ownership.text()]]);
  }

  /** In a Cluster they may be at different servers. */
  get #watchedKeys(): string[] {
    const own = this.#keys.ofBoot(this.#setup.tag).sessions;
    return [own, this.#keys.owners, ...(this.#ownerKeys ? [this.#ownerKeys.journal] : [])];
  }

  #takeKeys(owner: string, former: string | undefined): void {
    this.#ownerKeysOf = owner;
    this.#ownerKeys = this.#keys.ofOwner(owner);
    // Somebody may have claimed a session of it.
    if (former !== undefined) this.journals.release(former).catch((error: unknown) => this.#failed(error));
  }

  /** Where what recoverable clients are sent is stored before they see it. @param oldest number of the oldest entry that is kept at present */
  journal(oldest: () => number): RedisJournal {
    const { tag, boot } = this.#setup;
    this.#journal = new RedisJournal({
      tag,
      boot,
      metrics: this.metrics.journal,
      run: (commands) => this.#runForJournal(commands),
      oldest,
      keys: () => (this.#durability.problem === undefined ? this.#ownerKeys : undefined),
      certainty: () => this.certainty(),
      failed: (error) => this.#failed(error),
    });
    return this.#journal;
  }

  /** What comes when the lease is lost, and what it has left has expired, would stay for ever. */
  async #runForJournal(commands: RedisCommand[]): Promise<unknown[]> {
    const owner = this.#ownerKeysOf!;
    try {
      return await this.#setup.run(commands);
    } finally {
      if (owner !== this.#ownerKeysOf) await this.journals.release(owner);
    }
  }

  /** Asks Redis how much it has of the journal. Never rejects. */
  async measure(): Promise<void> {
    const keys = this.#ownerKeys;
    if (!this.#journal || !keys || this.#durability.problem !== undefined || this.#isClosing) return;
    const { run, log } = this.#setup;
    try {
      const [entries, bytes] = await run([
        ['xlen', keys.journal],
        ['memory', 'usage', keys.journal],
      ]);
      this.#stored = { entries: Number(entries), bytes: Number(bytes) };
    } catch (error) {
      // Whoever needs Redis for more than this will see that it is away; not every user of it may ask for sizes.
      log.debug(`The size of the journal is unknown: ${textOf(error)}`);
    }
  }

  /**
   * Where sessions are now: as of `locate`.
   * @throws what Redis fails with
   */
  locate(sids: readonly string[]): Promise<(string | undefined)[]> {
    return locate(this.#setup.run, this.#keys, sids);
  }

  #failed(error: unknown): void {
    this.#durability.failed(error);
  }

  /** A session of this node is somebody else's. */
  #refused(session: DurableSession): void {
    this.metrics.counters.fenced.value += 1;
    this.own.lost(session);
  }

  /** Claims sessions whose nodes are gone. Never rejects. */
  async sweep(): Promise<void> {
    this.#wakefulness.look();
    if (this.#sweeping || this.#isSweptLast || this.#isClosing || !this.#adopter || !this.lease.isHeld) return;
    this.#sweeping = this.#sweep(this.#adopter);
    await this.#sweeping;
    this.#sweeping = undefined;
  }

  /** Claims nothing any more. Resolves when all is known of those that were claimed. Never rejects. */
  async endSweeps(): Promise<void> {
    this.#isSweptLast = true;
    await this.#sweeping;
  }

  async #sweep(adopter: Adopter): Promise<void> {
    this.metrics.counters.sweeps.value += 1;
    try {
      for (const dead of await this.#deadOwners()) await this.#inherit(dead, adopter);
      this.journals.forgetOld();
    } catch (error) {
      this.#failed(error);
    } finally {
      await adopter.start();
      await adopter.catchUp();
    }
    if (this.ownership.inherits.size === 0) return;
    this.ownership.inherits.clear();
    await this.#tellOwnership().catch((error: unknown) => this.#failed(error));
  }

  async #deadOwners(): Promise<Owner[]> {
    const dead = (await this.owners.others()).filter(({ isAlive }) => !isAlive);
    this.unclaimed = dead.length;
    // A lease that has ended by itself means something only to who has kept its own.
    const may = { left: this.#admits(), others: this.lease.isSettled };
    return claimable(dead, may, ({ boot, tag }) => this.#adopter!.lives(boot, tag));
  }

  async #inherit(gone: Owner, adopter: Adopter): Promise<void> {
    const { owner: dead, boot, tags, hasLeft } = gone;
    const { owner } = this.lease;
    let claimed = 0;
    let started = 0;
    this.ownership.inherit(gone);
    // Whoever inherits from this node must know where to look, before there is something; and who ends, that it is asked no more.
    await this.#tellOwnership();
    for (const tag of tags) {
      for await (const records of this.owners.recordsOf(tag, batchSize)) {
        const sids = records.filter(([sid, record]) => this.#isOrphan(sid, record, dead)).map(([sid]) => sid);
        claimed += await this.#claim(dead, tag, sids, { boot, hasLeft });
        await adopter.start();
        if (claimed - started >= claimedAtOnce) {
          await adopter.catchUp();
          started = claimed;
        }
        if (!this.lease.isHeld) return;
      }
    }
    if (claimed > 0) this.#setup.log.notice('Sessions of a node that is gone were claimed', { sessions: claimed });
    this.#isDoubtful ||= await this.#witness.hasChanged(this.#watchedKeys);
    // Redis may have lost that they were claimed: whoever looks for them next must find where.
    if (this.#isDoubtful || this.lease.owner !== owner) return;
    await this.journals.release(dead);
    await this.#setup.run([['hdel', this.#keys.owners, dead]]);
    this.unclaimed -= 1;
  }

  /** Of that owner, or claimed by this node already without its having learned of that. */
  #isOrphan(sid: string, record: string, dead: string): boolean {
    return record.startsWith(`${dead}|`) || (record.startsWith(`${this.lease.owner}|`) && !this.#sessions.has(sid));
  }

  async #claim(
    dead: string,
    tag: string,
    sids: readonly string[],
    left: Pick<Claimed, 'boot' | 'hasLeft'>,
  ): Promise<number> {
    const owner = this.lease.owner!;
    const { claimed: counter, contended } = this.metrics.counters;
    let claimed = 0;
    for (const one of await this.owners.claim(tag, sids, dead, owner)) {
      if (!one) {
        contended.value += 1;
        continue;
      }
      claimed += 1;
      const source = this.#adopter!.adopt({ ...one, ...left });
      this.#add(source, owner, one.epoch, nodeOf(left.boot));
    }
    counter.value += claimed;
    return claimed;
  }

  /**
   * Stores everything that others need to go on with the sessions. Resolves to whether Redis has it: then nothing that is told or
   * published to them here counts any more.
   */
  async handOver(): Promise<boolean> {
    await Promise.all([...this.#sessions.values()].map((session) => session.write()));
    if (!this.#isStored) return false;
    await this.#journal?.close();
    if (!this.#isStored) this.#journal?.reopen();
    return this.#isStored;
  }

  /**
   * After `handOver` and `leave`: goes on under another lease with the sessions that stay. Resolves when others have claimed those that
   * were left, or, if nobody does, this node has claimed them again. Never rejects.
   */
  async moveOn(): Promise<void> {
    while (this.#renewing) await this.#renewing;
    this.#renewing = this.#moveOn()
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        this.#renewing = undefined;
      });
    await this.#renewing;
    this.#journal?.reopen();
    this.#journal?.begin();
  }

  async #moveOn(): Promise<void> {
    const former = await this.lease.renew(this.ownership.text(), true);
    this.#takeKeys(this.lease.owner!, undefined);
    await this.own.claim();
    this.#claimedFor = this.lease.owner;
    if (former === undefined) return;
    await this.lease.abandon(former, this.ownership.text(true));
    this.#left = 0;
    if (await this.owners.haveInherited(former, this.lease.ms)) return;
    const admits = this.#admits;
    this.#admits = () => true;
    await this.sweep();
    this.#admits = admits;
  }

  get #isStored(): boolean {
    return this.problem === undefined && this.lease.isHeld && this.own.isComplete;
  }

  /** The node is about to end: what is left of its sessions is for others. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#renewing;
    await this.#journal?.close();
    try {
      const isEmpty = this.#sessions.size === 0 && this.#left === 0;
      await this.lease.release(isEmpty ? undefined : this.ownership.text(true));
    } catch (error) {
      this.#failed(error);
    }
  }

  /** A session of `handOver` ends here, without a word to back ends. */
  leave(sid: string): void {
    const session = this.#sessions.get(sid);
    if (!session) return;
    this.#left += 1;
    this.metrics.counters.handed_over.value += 1;
    this.#sessions.delete(sid);
    session.fence(true);
  }

  /** From now on departures that nobody has answered are left to others. */
  leaveRest(): void {
    this.#isClosing = true;
  }
}

function nodeOf(boot: string): string {
  return boot.split('#', 1)[0]!;
}
