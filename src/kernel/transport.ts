/**
 * The seam between the kernel and the distribution layer. The kernel speaks to other nodes only through `Transport`; what
 * comes in from other nodes reaches local actors only through the methods of `Kernel` (`whereis`, `local`, `watch`,
 * `signalExit`, `signalLinkExit`, `signalDown`, `linkFrom`, `unlinkFrom`).
 */
import type { AnyRef, ExitReason, From, NodeName } from './types.ts';

/** Somebody on another node: an actor, or whoever is registered there under a name. */
export type RemoteTarget = AnyRef | NamedTarget;

export interface NamedTarget {
  readonly node: NodeName;
  readonly name: string;
}

/** What became of an offer: there is no room for it now (or no connection), or it can never be sent. */
export type Offered = 'sent' | 'later' | 'never';

export interface Transport {
  /**
   * Sends if the node is connected or being connected; otherwise the message is dropped and false returned. One that cannot be a
   * term is dropped as well, but logged and counted here.
   */
  send(to: RemoteTarget, message: unknown): boolean;
  /**
   * As `send`, but not where so much waits for that node already that it would get the connection dropped: for what anybody may
   * cause, and whoever offers it can keep.
   */
  offer(to: RemoteTarget, message: unknown): Offered;
  /** What was sent to that node leaves now, and not at the end of this round of the event loop. */
  flush(node: NodeName): void;
  /**
   * A `gen_server:call`. Answers through `from`: the reply, or what `callFailure` says of the callee's end.
   * The deadline belongs to the caller: `from.settled` is called once the call has ended in any way, so that what is kept
   * for it can be forgotten and a late reply lands nowhere.
   */
  call(to: RemoteTarget, message: unknown, from: PendingFrom): void;
  /** Who bears that name; undefined if nobody does, or the node is not connected. */
  whereis(target: NamedTarget, found: (pid: AnyRef | undefined) => void): void;
  /** `gen_server:stop`. `ended` is called once: with the exit reason, `noproc` if nobody is there, or `noconnection`. */
  stop(target: RemoteTarget, reason: ExitReason, ended: (reason: ExitReason) => void): void;
  link(from: AnyRef, to: AnyRef): void;
  unlink(from: AnyRef, to: AnyRef): void;
  /** `erlang:exit/2`: a link between the two, if there is one, stays. */
  exit(from: AnyRef, to: AnyRef, reason: ExitReason): void;
  /** One end of a link has ended, so the link has. */
  linkExit(from: AnyRef, to: AnyRef, reason: ExitReason): void;
  /** Ends, exactly once, in `kernel.signalDown(watcher, monitor, …)`: also when the node is not there (`noconnection`). */
  monitor(watcher: AnyRef, monitor: number, target: RemoteTarget): void;
  demonitor(watcher: AnyRef, monitor: number, target: RemoteTarget): void;
}

/** A waiting caller that tells the transport when it stops waiting. */
export interface PendingFrom extends From {
  settled: (() => void) | undefined;
}
