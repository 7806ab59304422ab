/** The kernel's way to other nodes: finds the session of the node and hands over; without one, says so at once. */
import type { Kernel } from '../kernel/kernel.ts';
import type { NamedTarget, Offered, PendingFrom, RemoteTarget, Transport } from '../kernel/transport.ts';
import type { AnyRef, ExitReason, NodeName } from '../kernel/types.ts';
import { HiveError } from '../observe/errors.ts';
import type { DistSession } from './dist-session.ts';

export class DistributionTransport implements Transport {
  readonly #kernel: Kernel;
  readonly #find: (node: NodeName) => DistSession | undefined;

  /** @param find the session of a node that is connected or being connected */
  constructor(kernel: Kernel, find: (node: NodeName) => DistSession | undefined) {
    this.#kernel = kernel;
    this.#find = find;
  }

  send(to: RemoteTarget, message: unknown): boolean {
    return this.#find(to.node)?.send(to, message) ?? false;
  }

  offer(to: RemoteTarget, message: unknown): Offered {
    return this.#find(to.node)?.offer(to, message) ?? 'later';
  }

  flush(node: NodeName): void {
    this.#find(node)?.outbox.flush();
  }

  call(to: RemoteTarget, message: unknown, from: PendingFrom): void {
    const session = this.#find(to.node);
    if (session) session.call(to, message, from);
    else if (to.node === this.#kernel.node) from.fail(new HiveError('not_running', `The actor ${to} is not running.`));
    else from.fail(new HiveError('cluster_error', `${to.node} is not connected.`));
  }

  whereis(target: NamedTarget, found: (pid: AnyRef | undefined) => void): void {
    const session = this.#find(target.node);
    if (session) session.whereis(target.name, found);
    else queueMicrotask(() => found(undefined));
  }

  stop(target: RemoteTarget, reason: ExitReason, ended: (reason: ExitReason) => void): void {
    const session = this.#find(target.node);
    if (session) session.stop(target, reason, ended);
    else queueMicrotask(() => ended(this.#absence(target.node)));
  }

  link(from: AnyRef, to: AnyRef): void {
    const session = this.#find(to.node);
    if (session) session.link(from, to);
    else queueMicrotask(() => this.#kernel.signalLinkExit(to, from, this.#absence(to.node)));
  }

  unlink(from: AnyRef, to: AnyRef): void {
    this.#find(to.node)?.unlink(from, to);
  }

  exit(from: AnyRef, to: AnyRef, reason: ExitReason): void {
    this.#find(to.node)?.exit(from, to, reason);
  }

  linkExit(from: AnyRef, to: AnyRef, reason: ExitReason): void {
    this.#find(to.node)?.linkExit(from, to, reason);
  }

  monitor(watcher: AnyRef, monitor: number, target: RemoteTarget): void {
    const session = this.#find(target.node);
    if (session) return session.monitor(watcher, monitor, target);
    const ref = 'serial' in target ? target : this.#kernel.remote<never>(target.node, target.name);
    queueMicrotask(() => this.#kernel.signalDown(watcher, { monitor, ref, reason: this.#absence(target.node) }));
  }

  demonitor(watcher: AnyRef, monitor: number, target: RemoteTarget): void {
    this.#find(target.node)?.demonitor(watcher, monitor, target);
  }

  #absence(node: NodeName): ExitReason {
    return node === this.#kernel.node ? 'noproc' : 'noconnection';
  }
}
