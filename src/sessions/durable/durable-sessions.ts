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
import type { Counter } from '../../observe/metrics.ts';
import { textOf } from '../../observe/thrown.ts';
import type { RedisCommand, RunCommands } from './commands.ts';
import { DurableSession, type RecordSource } from './durable-session.ts';
import { Keys } from './keys.ts';
import { Lease } from './lease.ts';
import { claimCommand } from './scripts.ts';

export interface DurableSetup {
  readonly run: RunCommands;
  readonly cluster: string;
  /** Of this boot: see `tagOf`. */
  readonly tag: string;
  readonly leaseMs: number;
  /** ms; monotonic. */
  readonly now?: () => number;
  readonly log: Log;
  /** Sessions of other nodes that were claimed; own ones that others had claimed. */
  readonly counters: Readonly<Record<'claimed' | 'claims_lost', Counter>>;
}

/** A session whose node is gone, and which is this node's now. */
export interface Claimed {
  readonly sid: string;
  readonly epoch: number;
  readonly contents: unknown;
}

/** Takes a claimed session; returns what keeps its record. */
export type Adopt = (claimed: Claimed) => RecordSource;

/** Records that are looked at, or claimed, with one round trip. */
const batchSize = 100;

export class DurableSessions {
  readonly #setup: DurableSetup;
  readonly #keys: Keys;
  readonly #lease: Lease;
  readonly #sessions = new Map<string, DurableSession>();
  /** The boots of whose sessions this node may own some. */
  readonly #tags: Set<string>;
  #adopt: Adopt | undefined;
  #problem: string | undefined = 'Redis has not answered yet';
  #renewing: Promise<void> | undefined;
  #sweeping = false;
  #isClosing = false;

  constructor(setup: DurableSetup) {
    const { run, cluster, tag, leaseMs, now = () => performance.now() } = setup;
    this.#setup = setup;
    this.#keys = new Keys(cluster);
    this.#lease = new Lease(leaseMs, run, this.#keys, now);
    this.#tags = new Set([tag]);
  }

  /** Why sessions are not durable now; undefined if they are. */
  get problem(): string | undefined {
    return this.#problem;
  }

  get size(): number {
    return this.#sessions.size;
  }

  get leaseMs(): number {
    return this.#lease.ms;
  }

  /** Whether the node stops: records of what is still to be told are left to others. */
  get isClosing(): boolean {
    return this.#isClosing;
  }

  /** @param adopt what becomes of claimed sessions */
  serve(adopt: Adopt): void {
    this.#adopt = adopt;
  }

  /** Takes a session in, before any back end hears of it. Resolves when its record is stored, or Redis is away. */
  async open(source: RecordSource): Promise<void> {
    await this.#add(source, this.#lease.owner, 0).write();
  }

  #add(source: RecordSource, owner: string | undefined, epoch: number): DurableSession {
    const keys = this.#keys.ofBoot(tagOfSid(source.sid));
    const failed = (error: unknown) => this.#failed(error);
    const session = new DurableSession({ source, keys, run: this.#setup.run, owner, epoch, failed });
    this.#sessions.set(source.sid, session);
    source.kept(session);
    return session;
  }

  /** The session has ended, and back ends know it. */
  async remove(session: DurableSession): Promise<void> {
    if (this.#sessions.get(session.sid) === session) this.#sessions.delete(session.sid);
    await session.remove();
  }

  /**
   * Whether sessions are still this node's: at once, unless the node has stood still for longer than its lease. Then it asks; and if Redis
   * is away, nobody else can have claimed them for having seen that.
   */
  certainty(): Promise<void> | undefined {
    if (this.#lease.isHeld || this.#problem !== undefined) return undefined;
    return this.renew();
  }

  /** Renews the lease; with a new one, claims the node's own sessions. Never rejects. */
  renew(): Promise<void> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #renew(): Promise<void> {
    if (this.#isClosing) return;
    try {
      if (this.#lease.owner === undefined) await this.#checkEviction();
      const former = await this.#lease.renew([...this.#tags].join());
      await this.#claimOwn(former);
      if (this.#problem !== undefined) this.#setup.log.notice('Sessions are durable');
      this.#problem = undefined;
    } catch (error) {
      this.#failed(error);
    }
  }

  /** A Redis that drops keys when its memory is full drops leases, and nodes that live would be taken for dead. */
  async #checkEviction(): Promise<void> {
    const [info] = await this.#setup.run([['info', 'memory']]);
    const policy = /^maxmemory_policy:(\S+)/m.exec(String(info))?.[1];
    if (policy !== undefined && policy !== 'noeviction') {
      throw new Error(`Redis may drop what it holds: its maxmemory-policy is ${policy} and must be noeviction`);
    }
  }

  #failed(error: unknown): void {
    const isNew = this.#problem === undefined;
    this.#problem = textOf(error);
    if (isNew) this.#setup.log.warning(`Sessions are not durable: ${this.#problem}`);
  }

  /** Sessions of a lease before the present one, and those that could not be stored: most are this node's still. */
  async #claimOwn(former: string | undefined): Promise<void> {
    const owner = this.#lease.owner!;
    const stale = [...this.#sessions.values()].filter((session) => session.owner !== owner);
    if (former !== undefined && stale.length > 0) {
      this.#setup.log.warning('The lease was lost; the sessions are claimed anew', { sessions: stale.length });
    }
    for (let at = 0; at < stale.length; at += batchSize) {
      const batch = stale.slice(at, at + batchSize);
      const commands = batch.map(({ sid, keys, owner: before }) => claimCommand(keys, sid, before ?? '', owner));
      const answers = await this.#setup.run(commands);
      const written: Promise<boolean>[] = [];
      for (const [i, session] of batch.entries()) {
        const answer = answers[i];
        if (answer === 0) {
          this.#setup.counters.claims_lost.value += 1;
          this.#sessions.delete(session.sid);
          session.fence();
          continue;
        }
        session.owner = owner;
        session.epoch = Array.isArray(answer) ? Number(answer[0]) : session.epoch;
        // It may have ended meanwhile, and its record not been found.
        if (session.isOver) await session.erase();
        else written.push(session.write());
      }
      await Promise.all(written);
    }
  }

  /** Claims sessions whose nodes are gone. Never rejects. */
  async sweep(): Promise<void> {
    if (this.#sweeping || this.#isClosing || !this.#adopt || !this.#lease.isSettled) return;
    this.#sweeping = true;
    try {
      for (const [owner, tags] of await this.#deadOwners()) await this.#inherit(owner, tags);
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#sweeping = false;
    }
  }

  async #deadOwners(): Promise<[string, string[]][]> {
    const { run } = this.#setup;
    const [flat] = await run([['hgetall', this.#keys.owners]]);
    const owners = pairsOf(flat).filter(([owner]) => owner !== this.#lease.owner);
    if (owners.length === 0) return [];
    const alive = await run(owners.map(([owner]): RedisCommand => ['exists', this.#keys.lease(owner)]));
    return owners.filter((_, i) => alive[i] === 0).map(([owner, tags]) => [owner, tags.split(',')]);
  }

  async #inherit(dead: string, tags: readonly string[]): Promise<void> {
    const { run, log } = this.#setup;
    let claimed = 0;
    for (const tag of tags) {
      if (!this.#tags.has(tag)) {
        this.#tags.add(tag);
        // Whoever inherits from this node must know where to look, before there is something.
        await run([['hset', this.#keys.owners, this.#lease.owner!, [...this.#tags].join()]]);
      }
      const { sessions } = this.#keys.ofBoot(tag);
      let cursor = '0';
      do {
        const [scanned] = await run([['hscan', sessions, cursor, 'count', batchSize]]);
        const [next, flat] = scanned as [string, string[]];
        cursor = String(next);
        const orphans = pairsOf(flat).filter(([, record]) => record.startsWith(`${dead}|`));
        claimed += await this.#claim(
          dead,
          tag,
          orphans.map(([sid]) => sid),
        );
        if (!this.#lease.isHeld) return;
      } while (cursor !== '0');
    }
    if (claimed > 0) log.notice('Sessions of a node that is gone were claimed', { sessions: claimed });
    await run([['hdel', this.#keys.owners, dead]]);
  }

  async #claim(dead: string, tag: string, sids: readonly string[]): Promise<number> {
    if (sids.length === 0) return 0;
    const owner = this.#lease.owner!;
    const keys = this.#keys.ofBoot(tag);
    const answers = await this.#setup.run(sids.map((sid) => claimCommand(keys, sid, dead, owner)));
    let claimed = 0;
    for (const [i, sid] of sids.entries()) {
      const answer = answers[i];
      if (!Array.isArray(answer)) continue;
      claimed += 1;
      const epoch = Number(answer[0]);
      const source = this.#adopt!({ sid, epoch, contents: JSON.parse(String(answer[1])) });
      this.#add(source, owner, epoch);
    }
    this.#setup.counters.claimed.value += claimed;
    return claimed;
  }

  /** The node is about to end: what is left of its sessions is for others. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#renewing;
    try {
      await this.#lease.release(this.#sessions.size === 0);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** From now on departures that nobody has answered are left to others. */
  leaveRest(): void {
    this.#isClosing = true;
  }
}

function tagOfSid(sid: string): string {
  return sid.slice(0, 8);
}

function pairsOf(flat: unknown): [string, string][] {
  const pairs: [string, string][] = [];
  if (!Array.isArray(flat)) return Object.entries(Object(flat)) as [string, string][];
  for (let at = 0; at + 1 < flat.length; at += 2) pairs.push([String(flat[at]), String(flat[at + 1])]);
  return pairs;
}
