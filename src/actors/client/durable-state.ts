/** The state of a client whose session outlives its node: what is not kept elsewhere is part of the session's record. */
import type { ClientState, State } from '../../plugins/types.ts';
import type { DurableSession } from '../../sessions/durable/durable-session.ts';
import type { DurableSessions } from '../../sessions/durable/durable-sessions.ts';

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
    await this.#state.set(pairs);
    if (this.#isInRecord) await this.#session.write();
  }

  /** While the node stops, what is left is for the node that tells of the departure. */
  async cleanup(): Promise<void> {
    if (this.#sessions.isClosing) return;
    // A session that somebody else has claimed is his, and so is its state.
    if (!this.#session.isOver) await this.#state.cleanup();
    await this.#sessions.remove(this.#session);
  }
}

/** The state of a claimed session, which is still being fetched. */
export class AdoptedState implements ClientState {
  readonly #opening: Promise<ClientState>;

  constructor(opening: Promise<ClientState>) {
    this.#opening = opening;
    // Whoever uses it learns of a failure.
    opening.catch(() => {});
  }

  async get(): Promise<State> {
    return (await this.#opening).get();
  }

  async set(pairs: State): Promise<void> {
    await (await this.#opening).set(pairs);
  }

  async cleanup(): Promise<void> {
    await (await this.#opening).cleanup();
  }
}
