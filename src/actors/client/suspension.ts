/**
 * A session without a connection, which its client may take up again: since when and why, and when that is over. The sessions that are
 * suspended now are in the order in which they lost their connections: if their slots are needed, the first one goes.
 */
import { Timer } from '../../kernel/timers.ts';
import type { CloseReason } from '../../web/client/client-handle.ts';
import type { SuspensionView } from '../../web/monitor/monitor-host.ts';

/** Why a session ends to which nobody has returned: its window is over; a new client needs its slot. */
export type Unreturned = 'expired' | 'evicted';

export interface Suspendable {
  giveUp(why: Unreturned): void;
}

export class Suspension extends Timer {
  /** Why the connection ended. */
  readonly reason: CloseReason;
  /** Events with which its client is caught up when it returns. */
  missed = 0;
  readonly #since: number;
  readonly #session: Suspendable;

  /** @param agoMs how long ago it began: at another node */
  constructor(session: Suspendable, reason: CloseReason, agoMs = 0) {
    super();
    this.#session = session;
    this.#since = performance.now() - agoMs;
    this.reason = reason;
  }

  get ageMs(): number {
    return Math.round(performance.now() - this.#since);
  }

  view(windowMs: number): SuspensionView {
    const { reason, ageMs } = this;
    return { reason, agoMs: ageMs, leftMs: Math.max(0, windowMs - ageMs) };
  }

  override expire(): void {
    this.#session.giveUp('expired');
  }
}

export class SuspendedSessions {
  readonly #sessions = new Set<Suspendable>();

  get size(): number {
    return this.#sessions.size;
  }

  add(session: Suspendable): void {
    this.#sessions.add(session);
  }

  delete(session: Suspendable): void {
    this.#sessions.delete(session);
  }

  /** Ends the session that has waited longest. */
  giveUpOne(): void {
    for (const session of this.#sessions) return session.giveUp('evicted');
  }
}
