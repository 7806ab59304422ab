/** The state of a client whose session outlives its node: what is not kept elsewhere is part of the session's record. */
import { HiveError } from '../../observe/errors.ts';
import type { ClientState, SessionClaim, State } from '../../plugins/types.ts';
import type { DurableSession } from '../../sessions/durable/durable-session.ts';
import type { DurableSessions } from '../../sessions/durable/durable-sessions.ts';

/** What its state manager must know of a session that may change its node. */
export class Claim implements SessionClaim {
  /** Once it is there. */
  session: DurableSession | undefined;
  readonly #epoch: number;

  constructor(epoch = 0) {
    this.#epoch = epoch;
  }

  get epoch(): number {
    return this.session?.epoch ?? this.#epoch;
  }
}

export class DurableState implements ClientState {
  readonly #state: ClientState;
  readonly #session: DurableSession;
  readonly #sessions: DurableSessions;
  readonly #isInRecord: boolean;

  /** @param isInRecord whether the record is where the state is kept */
  constructor(state: ClientState, session: DurableSession, sessions: DurableSessions, isInRecord: boolean) {
    this.#state = state;
    this.#session = session;
    this.#sessions = sessions;
    this.#isInRecord = isInRecord;
  }

  get(): State | Promise<State> {
    return this.#state.get();
  }

  async set(pairs: State): Promise<void> {
    try {
      await this.#state.set(pairs);
    } catch (error) {
      // Another node has the session, and this one is about to learn of it.
      if (error instanceof HiveError && error.code === 'stopped') void this.#session.write();
      throw error;
    }
    if (this.#isInRecord) await this.#session.write();
  }

  /** While the node stops, what is left is for the node that tells of the departure. */
  async cleanup(): Promise<void> {
    // A session that somebody else has claimed is his, and so is its state.
    if (this.#sessions.isClosing || this.#session.isOver) this.release();
    else await this.#sessions.remove(this.#session, this.#state);
  }

  release(): void {
    this.#state.release?.();
  }
}

/** The state of a claimed session, which is still being fetched. Whoever uses it learns of a failure, and the next one tries again. */
export class AdoptedState implements ClientState {
  readonly #open: () => Promise<ClientState>;
  #opening: Promise<ClientState> | undefined;

  constructor(open: () => Promise<ClientState>) {
    this.#open = open;
    this.#opened().catch(() => {});
  }

  #opened(): Promise<ClientState> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async get(): Promise<State> {
    return (await this.#opened()).get();
  }

  async set(pairs: State): Promise<void> {
    await (await this.#opened()).set(pairs);
  }

  async cleanup(): Promise<void> {
    await (await this.#opened()).cleanup();
  }

  release(): void {
    this.#opening?.then(
      (state) => state.release?.(),
      () => {},
    );
  }
}
