/** What others in the channels of a client may know of it: whose session it is, and what the templates show of its state. */
import type { ClientState, State } from '../../plugins/types.ts';
import type { PresenceSource, Present } from '../contracts.ts';

export interface ShownSetup {
  readonly sid: string;
  /** Keys of the state that any template shows. */
  readonly keys: ReadonlySet<string>;
  readonly userOf: () => string | undefined;
  readonly isElsewhere: () => boolean;
  /** Called when something of it has changed. */
  readonly changed: () => void;
}

export class Shown implements PresenceSource {
  readonly #setup: ShownSetup;
  #values: State = {};

  constructor(setup: ShownSetup) {
    this.#setup = setup;
  }

  get sid(): string {
    return this.#setup.sid;
  }

  get isElsewhere(): boolean {
    return this.#setup.isElsewhere();
  }

  show(keys: readonly string[]): Present {
    const known = keys.filter((key) => Object.hasOwn(this.#values, key));
    const info = Object.fromEntries(known.map((key) => [key, this.#values[key]]));
    return { user: this.#setup.userOf() ?? null, info };
  }

  /** Watches a state. One that is fetched still is shown when it is there. */
  watch(state: ClientState, first: State | Promise<State>): ClientState {
    if (first instanceof Promise) {
      // Whoever needs the state learns why it is not there.
      first.then(
        (pairs) => this.note({ ...pairs, ...this.#values }),
        () => {},
      );
    } else {
      this.#values = this.#shownOf(first);
    }
    return new ShownState(state, this);
  }

  /** These pairs are in the state now. */
  note(pairs: State): void {
    const shown = this.#shownOf(pairs);
    if (Object.keys(shown).length === 0) return;
    this.#values = { ...this.#values, ...shown };
    this.#setup.changed();
  }

  #shownOf(pairs: State): State {
    const { keys } = this.#setup;
    return Object.fromEntries(Object.entries(pairs).filter(([key]) => keys.has(key)));
  }
}

class ShownState implements ClientState {
  readonly #state: ClientState;
  readonly #shown: Shown;

  constructor(state: ClientState, shown: Shown) {
    this.#state = state;
    this.#shown = shown;
  }

  get(): State | Promise<State> {
    return this.#state.get();
  }

  set(pairs: State): void | Promise<void> {
    const pending = this.#state.set(pairs);
    if (pending instanceof Promise) return pending.then(() => this.#shown.note(pairs));
    this.#shown.note(pairs);
  }

  cleanup(): void | Promise<void> {
    return this.#state.cleanup();
  }

  release(): void {
    this.#state.release?.();
  }
}
