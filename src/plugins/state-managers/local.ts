/** `sm.local`: the state of a session lives in the memory of its node, and ends with the session or the node. */
import { Type } from 'typebox';
import type { ClientState, State, StateManagerPlugin } from '../types.ts';
import { StateCounters } from './counters.ts';

export const localStateManager: StateManagerPlugin = {
  args: Type.Unknown({ description: 'Not used.' }),
  create(_args, { metrics }) {
    const counters = new StateCounters(metrics);
    return {
      open(_sid, initial) {
        counters.count('init');
        return new LocalState(initial, counters);
      },
    };
  },
};

/** A change makes a new object, so one that was given out stays as it was. */
class LocalState implements ClientState {
  #pairs: State;
  readonly #counters: StateCounters;

  constructor(initial: State, counters: StateCounters) {
    this.#pairs = initial;
    this.#counters = counters;
  }

  get(): State {
    this.#counters.count('get');
    return this.#pairs;
  }

  set(pairs: State): void {
    this.#counters.count('set');
    this.#pairs = { ...this.#pairs, ...pairs };
  }

  cleanup(): void {
    this.#counters.count('cleanup');
    this.#pairs = {};
  }
}
