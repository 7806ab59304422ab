/**
 * Who is which user: the sessions of a node by the id that their state has under the key `clients.user`. The table belongs to the node and
 * not to an actor; a session is in it from its start until its actor has ended.
 *
 *   state.set({ user_id: 'ann' }) ──▶ table: here from now on ──▶ not too many? ──▶ stored ──▶ settled
 *                                                                    └──▶ refused, or the oldest ends
 */
import { type SmallSet, valuesOf, withoutValue, withValue } from '../../kernel/small-set.ts';
import type { Log } from '../../observe/logger.ts';
import type { Counter, Metrics } from '../../observe/metrics.ts';
import type { ClientState, State } from '../../plugins/types.ts';

/** One session of a user. */
export interface UserSession {
  readonly sid: string;
  readonly user: string;
  /** When it became his, ms since 1970. */
  readonly since: number;
  /** It is known that there is room for it. */
  isSettled: boolean;
}

/** Sees to it that a user has no more sessions than he may have. @throws HiveError (rejection) `limit_exceeded` */
export type Admission = (session: UserSession) => Promise<void>;

export interface UsersSetup {
  /** `clients.user`: the key of states that holds the user's id. */
  readonly key: string;
  readonly log: Log;
  readonly metrics: Metrics;
}

export class Users {
  readonly #setup: UsersSetup;
  readonly #bySid = new Map<string, UserSession>();
  readonly #byUser = new Map<string, SmallSet<string>>();
  readonly #badIds: Counter;
  /** Absent if users may have any number of sessions. */
  admission: Admission | undefined;

  constructor(setup: UsersSetup) {
    this.#setup = setup;
    setup.metrics.gauge('clients.users.present', () => this.#byUser.size);
    setup.metrics.gauge('clients.users.sessions', () => this.#bySid.size);
    this.#badIds = setup.metrics.counter('clients.users.bad_ids');
  }

  /** Whose session it is. */
  userOf(sid: string): string | undefined {
    return this.#bySid.get(sid)?.user;
  }

  /** The sessions of a user on this node. */
  of(user: string): readonly UserSession[] {
    return valuesOf(this.#byUser.get(user)).map((sid) => this.#bySid.get(sid)!);
  }

  /** What is to be found in a state; undefined for nobody. */
  userIn(state: State): string | undefined {
    const id = state[this.#setup.key];
    if (id === undefined || id === null || id === '') return undefined;
    if (typeof id === 'string') return id;
    if (typeof id === 'number' && Number.isFinite(id)) return String(id);
    this.#badIds.value += 1;
    const { key, log } = this.#setup;
    if (!log.excess('states with an unusable id of a user', key)) {
      log.warning(`The state of a session has neither text nor a number under ${key}: it belongs to no user`);
    }
    return undefined;
  }

  /** A session that is known to be that user's, or nobody's. */
  put(sid: string, user: string | undefined): void {
    this.#enter(sid, user, true);
  }

  remove(sid: string): void {
    this.#enter(sid, undefined, true);
  }

  #enter(sid: string, user: string | undefined, isSettled: boolean): UserSession | undefined {
    const before = this.#bySid.get(sid);
    if (before?.user === user) return before;
    if (before) {
      this.#bySid.delete(sid);
      const others = withoutValue(this.#byUser.get(before.user), sid);
      if (others === undefined) this.#byUser.delete(before.user);
      else this.#byUser.set(before.user, others);
    }
    if (user === undefined) return undefined;
    const session = { sid, user, since: Date.now(), isSettled };
    this.#bySid.set(sid, session);
    this.#byUser.set(user, withValue(this.#byUser.get(user), sid));
    return session;
  }

  /**
   * Makes the session that of the user in these pairs, and has them stored. If they cannot be, or he has too many sessions, it is whose it
   * was before.
   */
  change(sid: string, pairs: State, store: () => void | Promise<void>): void | Promise<void> {
    if (!Object.hasOwn(pairs, this.#setup.key)) return store();
    const user = this.userIn(pairs);
    const former = this.#bySid.get(sid);
    if (former?.user === user) return store();
    if (user === undefined) return this.#leave(former!, store);
    const { admission } = this;
    const session = this.#enter(sid, user, admission === undefined)!;
    if (admission) return this.#admit(session, former, admission, store);
    try {
      const pending = store();
      if (!(pending instanceof Promise)) return pending;
      return pending.catch((error: unknown) => this.#undo(session, former, error));
    } catch (error) {
      this.#undo(session, former, error);
    }
  }

  #leave(former: UserSession, store: () => void | Promise<void>): void | Promise<void> {
    const left = (): void => {
      if (this.#bySid.get(former.sid) === former) this.remove(former.sid);
    };
    const pending = store();
    if (pending instanceof Promise) return pending.then(left);
    left();
  }

  async #admit(
    session: UserSession,
    former: UserSession | undefined,
    admission: Admission,
    store: () => void | Promise<void>,
  ): Promise<void> {
    try {
      await admission(session);
      session.isSettled = true;
      await store();
    } catch (error) {
      this.#undo(session, former, error);
    }
  }

  /** Unless it has ended, or become somebody else's, meanwhile. */
  #undo(session: UserSession, former: UserSession | undefined, error: unknown): never {
    if (this.#bySid.get(session.sid) === session) this.#enter(session.sid, former?.user, true);
    throw error;
  }
}

/** The state of a session, of which the table of users learns whose it is. */
export class UserState implements ClientState {
  readonly #sid: string;
  readonly #state: ClientState;
  readonly #users: Users;
  readonly #changed: () => Promise<unknown> | undefined;

  /** @param changed the session is another user's now; resolves when that is stored, where it outlives the node */
  constructor(sid: string, state: ClientState, users: Users, changed: () => Promise<unknown> | undefined) {
    this.#sid = sid;
    this.#state = state;
    this.#users = users;
    this.#changed = changed;
  }

  get(): State | Promise<State> {
    return this.#state.get();
  }

  set(pairs: State): void | Promise<void> {
    const user = this.#users.userOf(this.#sid);
    const pending = this.#users.change(this.#sid, pairs, () => this.#state.set(pairs));
    const told = (): void | Promise<void> => {
      if (this.#users.userOf(this.#sid) === user) return;
      return this.#changed()?.then(() => {});
    };
    return pending instanceof Promise ? pending.then(told) : told();
  }

  cleanup(): void | Promise<void> {
    return this.#state.cleanup();
  }

  release(): void {
    this.#state.release?.();
  }
}
