/**
 * Who is told when a signal is aborted. To add and remove a listener takes Node about two microseconds, and a request to a pool
 * would need two of them. So each signal gets one listener, with its first watcher, and the watchers are kept here.
 */
import { type SmallSet, valuesOf, withoutValue, withValue } from './small-set.ts';

export interface AbortWatcher {
  /** The signal is aborted. Called once. Must not throw. */
  aborted(): void;
}

class Watchers {
  all: SmallSet<AbortWatcher>;

  handleEvent(): void {
    const told = valuesOf(this.all);
    this.all = undefined;
    for (const watcher of told) watcher.aborted();
  }
}

const watched = new WeakMap<AbortSignal, Watchers>();

/** Does nothing without a signal, and with one that is aborted already. */
export function watchAbort(signal: AbortSignal | undefined, watcher: AbortWatcher): void {
  if (!signal || signal.aborted) return;
  let watchers = watched.get(signal);
  if (!watchers) {
    watchers = new Watchers();
    watched.set(signal, watchers);
    signal.addEventListener('abort', watchers, { once: true });
  }
  watchers.all = withValue<AbortWatcher>(watchers.all, watcher);
}

export function unwatchAbort(signal: AbortSignal | undefined, watcher: AbortWatcher): void {
  const watchers = signal && watched.get(signal);
  if (watchers) watchers.all = withoutValue<AbortWatcher>(watchers.all, watcher);
}
