/** Those who are told when an actor of this node ends. */
import { type SmallSet, withoutValue, withValue } from './small-set.ts';
import type { AnyRef, Down, ExitReason } from './types.ts';

/** Called once when an actor ends. Who watches many gives an object that it has anyway: a closure for each costs more. */
export type ExitListener = ((reason: ExitReason) => void) | { ended(reason: ExitReason): void };

export function notify(watcher: ExitListener, reason: ExitReason): void {
  if (typeof watcher === 'function') watcher(reason);
  else watcher.ended(reason);
}

/** A listener that is registered with an actor, until it is disposed of. */
export class Listening implements Disposable {
  readonly #to: Monitored;
  readonly #listener: ExitListener;

  constructor(to: Monitored, listener: ExitListener) {
    this.#to = to;
    this.#listener = listener;
    to.exitListeners = withValue(to.exitListeners, listener);
  }

  [Symbol.dispose](): void {
    this.#to.exitListeners = withoutValue(this.#to.exitListeners, this.#listener);
  }
}

/** What has ended, or has still to begin: a registration with an actor that is dead, a monitor. */
export const nothing: Disposable = { [Symbol.dispose]() {} };

/** The actor that has a monitor. */
export interface Monitoring {
  signalDown(down: Down): void;
}

/** The actor that is monitored. */
export interface Monitored {
  exitListeners: SmallSet<ExitListener>;
}

/** A monitor between two actors of this node: the one object that both keep. */
export class LocalMonitor implements Disposable {
  readonly #owner: Monitoring;
  readonly #id: number;
  readonly #target: Monitored;
  /** The reference that was monitored: a name, perhaps. */
  readonly #ref: AnyRef;

  constructor(watcher: Monitoring, id: number, target: Monitored, ref: AnyRef) {
    this.#owner = watcher;
    this.#id = id;
    this.#target = target;
    this.#ref = ref;
  }

  ended(reason: ExitReason): void {
    this.#owner.signalDown({ monitor: this.#id, ref: this.#ref, reason });
  }

  [Symbol.dispose](): void {
    this.#target.exitListeners = withoutValue<ExitListener>(this.#target.exitListeners, this);
  }
}
