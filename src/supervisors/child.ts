/** A child as its supervisor keeps it: the specification with its defaults filled in, and what has happened to it. */
import type { Actor } from '../kernel/actor.ts';
import { Cell } from '../kernel/cell.ts';
import type { ChildInfo, ChildSpec, Restart, ShutdownLimit } from '../kernel/supervision.ts';
import { type AnyRef, describeReason, type ExitReason, isPlanned } from '../kernel/types.ts';
import { HiveError } from '../observe/errors.ts';

/** Time for a worker to end after it was told to, ms (OTP's default). */
const workerShutdownMs = 5000;

export type AutoShutdown = 'never' | 'any_significant' | 'all_significant';

export class Child {
  readonly id: string;
  readonly name: string | undefined;
  readonly restart: Restart;
  readonly shutdown: ShutdownLimit;
  readonly type: 'worker' | 'supervisor';
  readonly significant: boolean;
  /** Undefined while it is not running; `restarting` while a failed restart waits for the next try. */
  ref: AnyRef | 'restarting' | undefined;
  restarts = 0;
  #lastExit: { readonly reason: string; readonly at: number; readonly since: number } | undefined;
  #start: (() => Actor<never>) | undefined;

  constructor(spec: ChildSpec<never>, restart: Restart) {
    this.id = spec.id;
    this.name = spec.name;
    this.restart = restart;
    this.type = spec.type ?? 'worker';
    this.shutdown = spec.shutdown ?? (this.type === 'supervisor' ? 'infinity' : workerShutdownMs);
    this.significant = spec.significant ?? false;
    this.#start = spec.start;
  }

  /** The actor of a new incarnation. A temporary child has only one: what its start holds on to is let go. */
  make(): Actor<never> {
    const start = this.#start;
    if (!start) throw new Error(`the temporary child ${this.id} cannot be started twice`);
    if (this.restart === 'temporary') this.#start = undefined;
    return start();
  }

  /** The reference of the running child. */
  get running(): AnyRef | undefined {
    return this.ref === 'restarting' ? undefined : this.ref;
  }

  /** Whether it is restarted after an end of its own. */
  restartsAfter(reason: ExitReason): boolean {
    return this.restart === 'permanent' || (this.restart === 'transient' && !isPlanned(reason));
  }

  /** A further incarnation has started. */
  restarted(): void {
    this.restarts += 1;
    if (this.ref instanceof Cell) this.ref.restarts = this.restarts;
  }

  /** Its incarnation is over. */
  ended(reason: ExitReason): void {
    this.ref = undefined;
    this.#lastExit = { reason: describeReason(reason), at: Date.now(), since: performance.now() };
  }

  info(): ChildInfo {
    const { id, ref, type, restart, restarts } = this;
    const exit = this.#lastExit;
    const lastExit = exit && { reason: exit.reason, at: exit.at, agoMs: Math.round(performance.now() - exit.since) };
    return { id, ref, type, restart, restarts, lastExit };
  }
}

/** Throws for a specification that contradicts itself or its supervisor. */
export function checkChildSpec(spec: ChildSpec<never>, restart: Restart, autoShutdown: AutoShutdown): void {
  const { id, shutdown, significant } = spec;
  if (typeof shutdown === 'number' && !(shutdown >= 0 && Number.isFinite(shutdown))) {
    throw new HiveError('hive_error', `Child ${id}: a shutdown of ${shutdown} ms is not possible.`);
  }
  if (!significant) return;
  if (autoShutdown === 'never') {
    throw new HiveError('hive_error', `Child ${id}: significant children need a supervisor with auto-shutdown.`);
  }
  if (restart === 'permanent') {
    throw new HiveError('hive_error', `Child ${id}: a permanent child cannot be significant.`);
  }
}
