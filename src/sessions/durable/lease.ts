/**
 * The lease of a node: as long as its key is there, nobody else touches the node's sessions. It is renewed every third of its time. One
 * that is gone never comes back: the node takes a new one under another name, and claims its own sessions as anybody would.
 *
 *   none ──renew──▶ held ──renew──▶ held ──(Redis has dropped it)──renew──▶ held, as another owner
 */
import { randomBytes } from 'node:crypto';
import type { RunCommands } from './commands.ts';
import type { Keys } from './keys.ts';

export class Lease {
  readonly ms: number;
  readonly #run: RunCommands;
  readonly #keys: Keys;
  readonly #now: () => number;
  #owner: string | undefined;
  #until = 0;
  #since = 0;
  /** When it was renewed last, whether that was answered or not. */
  #sentAt = Number.NEGATIVE_INFINITY;

  /** @param now ms; monotonic */
  constructor(ms: number, run: RunCommands, keys: Keys, now: () => number) {
    this.ms = ms;
    this.#run = run;
    this.#keys = keys;
    this.#now = now;
  }

  /** The name under which the node owns sessions; undefined before the first lease. */
  get owner(): string | undefined {
    return this.#owner;
  }

  /** Whether it certainly is there. */
  get isHeld(): boolean {
    return this.#now() < this.#until;
  }

  /** How long it is there for certain, ms. */
  get leftMs(): number {
    return Math.max(0, this.#until - this.#now());
  }

  /** How long it has not been, ms. */
  get overMs(): number {
    return Math.max(0, this.#now() - this.#until);
  }

  /** Whether it has been held for one whole lease: only then it is certain that others have lost theirs and not Redis has stood still. */
  get isSettled(): boolean {
    return this.isHeld && this.#now() - this.#since >= this.ms;
  }

  /**
   * Renews it, or takes a new one.
   * @param tags the boots whose sessions it owns
   * @param isAnew takes a new one in any case
   * @returns the former owner, if the lease was lost
   */
  async renew(tags: string, isAnew = false): Promise<string | undefined> {
    const former = this.#owner;
    if (former !== undefined && !isAnew && (await this.#prolong(former))) return undefined;
    this.#until = 0;
    const owner = randomBytes(12).toString('base64url');
    const sentAt = this.#now();
    this.#sentAt = sentAt;
    await this.#run([
      ['hset', this.#keys.owners, owner, tags],
      ['set', this.#keys.lease(owner), '1', 'px', this.ms],
    ]);
    this.#owner = owner;
    this.#since = sentAt;
    this.#until = sentAt + this.ms;
    return former;
  }

  /** Renews it if it is there and due, while what else goes with a renewal takes long. */
  async extend(): Promise<void> {
    if (this.#owner !== undefined && this.#now() - this.#sentAt >= this.ms / 4) await this.#prolong(this.#owner);
  }

  async #prolong(owner: string): Promise<boolean> {
    const wasHeld = this.isHeld;
    const sentAt = this.#now();
    this.#sentAt = sentAt;
    const [present] = await this.#run([['pexpire', this.#keys.lease(owner), this.ms]]);
    if (present !== 1 || owner !== this.#owner) return false;
    this.#until = Math.max(this.#until, sentAt + this.ms);
    if (!wasHeld) this.#since = sentAt;
    return true;
  }

  /** Gives a former one up: what it owns can be claimed at once. */
  async abandon(former: string, ownership: string): Promise<void> {
    await this.#run([['hset', this.#keys.owners, former, ownership]]);
    await this.#run([['del', this.#keys.lease(former)]]);
  }

  /** Gives it up. @param ownership what is left, to be claimed at once by whoever sees it; undefined: nothing */
  async release(ownership: string | undefined): Promise<void> {
    const owner = this.#owner;
    this.#until = 0;
    if (owner === undefined) return;
    if (ownership !== undefined) return this.abandon(owner, ownership);
    await this.#run([['del', this.#keys.lease(owner)]]);
    const { journal, last } = this.#keys.ofOwner(owner);
    await this.#run([['del', journal, last]]);
    await this.#run([['hdel', this.#keys.owners, owner]]);
  }
}
