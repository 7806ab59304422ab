/**
 * `hive_sessions`: renews the node's lease, and claims the sessions of nodes that are gone. What it keeps is in the node's table of
 * durable sessions. Messages, from itself: `renew`, `sweep`; from other nodes: `lives` (call), whether it is that boot.
 */
import { Actor } from '../../kernel/actor.ts';
import type { Call, From } from '../../kernel/types.ts';
import type { Adopter } from '../../sessions/durable/adopter.ts';
import type { DurableSessions } from '../../sessions/durable/durable-sessions.ts';

/** The name under which it is registered. */
export const keeperName = 'hive_sessions';

/** What nodes ask one another, and are answered with `true` or `false`. */
export type AskedOfKeeper = { readonly type: 'lives'; readonly boot: string } & Call<boolean>;

type KeeperMessage = { readonly type: 'renew' | 'sweep' } | AskedOfKeeper;

const maxSweepMs = 1000;
/** For the first lease. */
const maxStartMs = 2000;
const startPauseMs = 50;

export class SessionKeeper extends Actor<KeeperMessage> {
  readonly #sessions: DurableSessions;
  readonly #adopter: Adopter;
  readonly #admits: () => boolean;
  readonly #startMs: number;

  /**
   * @param admits as of `DurableSessions.serve`
   * @param startMs how long it waits for Redis when it starts
   */
  constructor(
    sessions: DurableSessions,
    adopter: Adopter,
    admits: () => boolean = () => true,
    startMs: number = maxStartMs,
  ) {
    super();
    this.#sessions = sessions;
    this.#adopter = adopter;
    this.#admits = admits;
    this.#startMs = startMs;
  }

  /**
   * Waits for Redis, but not long: the node serves without it. Clients come as soon as it is ready, and some of them return to sessions
   * of a node before it: by then it must know the secret of their pids.
   */
  override async init(): Promise<void> {
    this.#sessions.serve(this.#adopter, this.#admits);
    const { wheel } = this.kernel;
    const pause = (ms: number) => new Promise<void>((resolve) => wheel.schedule(ms, resolve));
    const patience = this.#startMs > 0 && pause(this.#startMs);
    for (const until = performance.now() + this.#startMs; ; ) {
      await Promise.race([this.#sessions.renew(), patience]);
      if (this.#sessions.problem === undefined || performance.now() >= until) break;
      await pause(startPauseMs);
    }
    this.after(this.#sessions.lease.ms / 3, { type: 'renew' });
    this.send(this.self, { type: 'sweep' });
  }

  override admits(message: unknown): boolean {
    const { type, boot } = Object(message) as Record<string, unknown>;
    return type === 'lives' && typeof boot === 'string';
  }

  receive(message: KeeperMessage, from: From<boolean> | undefined): void {
    const { ms: leaseMs } = this.#sessions.lease;
    switch (message.type) {
      case 'renew':
        void this.#sessions.renew().then(() => this.#sessions.measure());
        this.after(leaseMs / 3, message);
        break;
      case 'sweep':
        void this.#sessions.sweep();
        this.after(Math.min(maxSweepMs, leaseMs / 4), message);
        break;
      case 'lives':
        from?.reply(message.boot === `${this.kernel.node}#${this.kernel.creation}`);
        break;
      default:
        this.unexpected(message, from);
    }
  }

  override inspect(): Record<string, unknown> {
    const { size, problem = null, lease, metrics } = this.#sessions;
    const { owner = null, isHeld, leftMs } = lease;
    const { sweeps, claimed } = metrics.counters;
    return {
      sessions: size,
      problem,
      lease: { owner, held: isHeld, leftMs: Math.round(leftMs) },
      sweeps: sweeps.value,
      claimed: claimed.value,
    };
  }
}
