/**
 * What concerns all sessions of a user, on whichever nodes they are: all nodes are asked which they have, and then each session is told
 * as if by its id, so that one that moves to another node meanwhile is reached there, and none twice.
 */
import type { Config } from '../../config/types.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { HiveError, toHiveError } from '../../observe/errors.ts';
import type { Log } from '../../observe/logger.ts';
import type { Counter, Metrics } from '../../observe/metrics.ts';
import type { ActionCall } from '../../protocol/backend/action-call.ts';
import type { EventPacket } from '../../protocol/packet.ts';
import type { Reached, UserOutcome, UsersHost } from '../../web/api/api-host.ts';
import type { UserSession, Users } from '../client/users.ts';
import { multiCall } from '../cluster/multi-call.ts';
import type { ClusterView } from '../contracts.ts';
import { type RouterAnswer, type RouterMessage, routerName, type UserRow } from './wire-messages.ts';

/** What can be done to one session, wherever it is. All reject with HiveErrors; `bad_session_id` if it has ended. */
interface SessionCalls {
  send(sid: string, event: EventPacket): Promise<void>;
  runActions(sid: string, actions: readonly ActionCall[]): Promise<void>;
  disconnect(sid: string): Promise<void>;
}

export interface UserControlSetup {
  readonly kernel: Kernel;
  readonly cluster: ClusterView;
  readonly router: SessionCalls;
  /** Those of this node; undefined if the configuration does not say whose sessions they are. */
  readonly users: Users | undefined;
  readonly config: Pick<Config['clients'], 'max_sessions_per_user' | 'surplus_session'>;
  readonly log: Log;
  readonly metrics: Metrics;
}

export class UserControl implements UsersHost {
  readonly #setup: UserControlSetup;

  constructor(setup: UserControlSetup) {
    this.#setup = setup;
    const { users, config, metrics } = setup;
    if (!users) return;
    const counters = metrics.counters('clients.users', ['refused', 'replaced']);
    const { max_sessions_per_user: most, surplus_session: surplus } = config;
    if (most > 0) users.admission = (session) => this.#admit(session, most, surplus === 'replace', counters);
  }

  send(user: string, event: EventPacket): Promise<UserOutcome> {
    return this.#each(user, (sid) => this.#setup.router.send(sid, event));
  }

  runActions(user: string, actions: readonly ActionCall[]): Promise<UserOutcome> {
    return this.#each(user, (sid) => this.#setup.router.runActions(sid, actions));
  }

  disconnect(user: string): Promise<UserOutcome> {
    return this.#each(user, (sid) => this.#setup.router.disconnect(sid));
  }

  async #each(user: string, tell: (sid: string) => Promise<void>): Promise<UserOutcome> {
    const { rows, ...reached } = await this.#sessionsOf(user);
    const failed: UserOutcome['failed'][number][] = [];
    let sessions = 0;
    const one = async ([sid]: UserRow): Promise<void> => {
      try {
        await tell(sid);
        sessions += 1;
      } catch (thrown) {
        const { code: error, message: description } = toHiveError(thrown);
        // It has ended since it was listed.
        if (error !== 'bad_session_id') failed.push({ sid, error, description });
      }
    };
    await Promise.all(rows.map(one));
    return { sessions, failed, ...reached };
  }

  /** Of all connected nodes, by session id: one that is just moving may be at two. */
  async #sessionsOf(user: string): Promise<Reached & { readonly rows: readonly UserRow[] }> {
    const message: RouterMessage = { type: 'user', user };
    const { replies, missing } = await multiCall<RouterMessage, RouterAnswer>(this.#setup, routerName, message);
    const bySid = new Map<string, UserRow>();
    for (const answer of replies.values()) {
      if ('sessions' in answer) for (const row of answer.sessions) bySid.set(row[0], row);
    }
    return { rows: [...bySid.values()], nodes: [...replies.keys()].sort(), missing: [...missing].sort() };
  }

  // --- how many a user may have

  /**
   * Admits a session as one of a user's `most`. It is in the table of its node already, so that of two that are admitted at the same moment
   * each sees the other, and both agree on who was first.
   * @param replaces whether it takes the place of the oldest ones
   * @throws HiveError (rejection) `limit_exceeded`
   */
  async #admit(
    { sid, user, since }: UserSession,
    most: number,
    replaces: boolean,
    { refused, replaced }: Record<'refused' | 'replaced', Counter>,
  ): Promise<void> {
    const { rows } = await this.#sessionsOf(user);
    const before = rows.filter((row) => row[0] !== sid && isBefore(row, [sid, since, false]));
    const surplus = before.length + 1 - most;
    if (surplus <= 0) return;
    if (!replaces) {
      refused.value += 1;
      const limit = `A user has ${most} sessions at most (clients.max_sessions_per_user).`;
      throw new HiveError('limit_exceeded', limit);
    }
    replaced.value += surplus;
    const oldest = before.sort((a, b) => (isBefore(a, b) ? -1 : 1)).slice(0, surplus);
    await Promise.all(oldest.map(([old]) => this.#setup.router.disconnect(old).catch(isGone)));
  }
}

/** Those that are settled come first, then those that began first; of two of one moment, that with the lesser id. */
function isBefore([sid, since, isSettled]: UserRow, [otherSid, otherSince, isOtherSettled]: UserRow): boolean {
  if (isSettled !== isOtherSettled) return isSettled;
  return since === otherSince ? sid < otherSid : since < otherSince;
}

/** @throws HiveError unless it has ended already */
function isGone(error: unknown): void {
  if (!(error instanceof HiveError && error.code === 'bad_session_id')) throw error;
}
