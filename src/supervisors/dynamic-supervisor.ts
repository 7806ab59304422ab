/**
 * A supervisor of any number of children that are started at run time and do not depend on each other (OTP's
 * simple_one_for_one, in the shape of Elixir's DynamicSupervisor): there is no order, a child that ends is restarted alone,
 * all are stopped at the same time.
 *
 * Unlike the others it never waits for a child: a slow `init` or a slow end delays only whoever asked for it. Each child costs
 * one entry in a map. Children are `temporary` unless they say otherwise, known by their references only, and their ids,
 * which need not be unique, are for people.
 */
import { Cell } from '../kernel/cell.ts';
import type { ChildCounts, ChildInfo, ChildSpec } from '../kernel/supervision.ts';
import { type AnyRef, type Exit, type ExitReason, type From, isPlanned } from '../kernel/types.ts';
import { HiveError } from '../observe/errors.ts';
import { Child, checkChildSpec } from './child.ts';
import { type RestartLimits, SupervisorBase } from './supervisor-base.ts';

export interface DynamicSupervisorOptions extends RestartLimits {
  /** `start_child` fails with `overloaded` beyond it. Default: no limit. */
  readonly maxChildren?: number;
}

export class DynamicSupervisor extends SupervisorBase {
  readonly strategy = 'simple_one_for_one';
  readonly #maxChildren: number;
  /** All that run, start or end. Those that start have no `ref` yet. */
  readonly #children = new Map<AnyRef, Child>();
  /** Children whose restart failed, with the references of their last incarnations. */
  readonly #restarting = new Map<Child, AnyRef>();

  constructor(options: DynamicSupervisorOptions = {}) {
    super(options);
    this.#maxChildren = options.maxChildren ?? Number.POSITIVE_INFINITY;
  }

  override async terminate(_reason: ExitReason): Promise<void> {
    await Promise.all(Array.from(this.#children, ([ref, child]) => this.shutDown(child, ref)));
  }

  override handleExit({ ref, reason }: Exit): void {
    const child = this.#children.get(ref);
    if (child?.ref !== ref) return; // failed to start, or is being stopped
    this.#children.delete(ref);
    child.ended(reason);
    if (!isPlanned(reason) || child.restart === 'permanent') this.report(child.id, 'ended', reason);
    if (child.restartsAfter(reason)) this.#restart(child, ref);
  }

  #restart(child: Child, last: AnyRef): void {
    if (!this.mayRestart(child)) return;
    const failed = (error: unknown): void => {
      if (this.signal.aborted) return;
      this.report(child.id, 'failed to restart', error);
      child.ref = 'restarting';
      this.#restarting.set(child, last);
      this.send(this.self, { type: 'try_again', child });
    };
    this.#start(child, () => this.restarted(child), failed);
  }

  protected override tryAgain(child: Child): void {
    const last = this.#restarting.get(child);
    if (!last) return; // it was terminated meanwhile
    this.#restarting.delete(child);
    this.#restart(child, last);
  }

  /** `started` gets undefined if the child ignored. */
  #start(child: Child, started: (ref: AnyRef | undefined) => void, failed: (error: unknown) => void): void {
    if (child.name !== undefined && this.kernel.whereis(child.name)) {
      return failed(new HiveError('already_started', `An actor named ${child.name} is running already.`));
    }
    let starting: Promise<AnyRef | undefined>;
    let ref: AnyRef;
    try {
      const actor = child.make();
      starting = this.spawn(actor, { label: child.id, name: child.name });
      ref = actor.self;
      this.#children.set(ref, child);
      // Its exit may be handled before the promise is.
      if (actor.cell.status === 'running') child.ref = ref;
    } catch (error) {
      return failed(error);
    }
    starting.then(
      (present) => {
        if (present && this.#children.has(ref)) child.ref = ref;
        if (!present) this.#children.delete(ref);
        started(present);
      },
      (error: unknown) => {
        this.#children.delete(ref);
        failed(error);
      },
    );
  }

  // --- requests

  protected override startChild(spec: ChildSpec<never>, from: From | undefined): void {
    const restart = spec.restart ?? 'temporary';
    try {
      if (this.size >= this.#maxChildren) {
        throw new HiveError(
          'overloaded',
          `${this.cell.label} has ${this.#maxChildren} children, the most it may have.`,
        );
      }
      checkChildSpec(spec, restart, 'never');
    } catch (error) {
      return from?.fail(error);
    }
    this.#start(
      new Child(spec, restart),
      (ref) => from?.reply(ref),
      (error) => from?.fail(error),
    );
  }

  protected override terminateChild(ref: string | AnyRef, from: From | undefined): void {
    if (typeof ref === 'string') return from?.fail(unknownChild(ref));
    const child = this.#children.get(ref);
    if (!child) {
      const isOver = this.#forgetRestarting(ref) || (ref instanceof Cell && !ref.alive);
      return isOver ? from?.reply(undefined) : from?.fail(unknownChild(ref));
    }
    void this.shutDown(child, ref).then(() => {
      this.#children.delete(ref);
      from?.reply(undefined);
    });
  }

  #forgetRestarting(ref: AnyRef): boolean {
    for (const [child, last] of this.#restarting) if (last === ref) return this.#restarting.delete(child);
    return false;
  }

  protected override restartChild(id: string, from: From | undefined): void {
    from?.fail(unknownChild(id));
  }

  protected override deleteChild(id: string, from: From | undefined): void {
    from?.fail(unknownChild(id));
  }

  override get size(): number {
    return this.#children.size + this.#restarting.size;
  }

  override children(limit = Number.POSITIVE_INFINITY): ChildInfo[] {
    const rows: ChildInfo[] = [];
    for (const child of this.#restarting.keys()) {
      if (rows.length < limit) rows.push(child.info());
    }
    for (const child of this.#children.values()) {
      if (rows.length >= limit) break;
      rows.push(child.info());
    }
    return rows;
  }

  override count(): ChildCounts {
    let active = 0;
    let supervisors = 0;
    for (const child of this.#children.values()) {
      if (child.running) active += 1;
      if (child.type === 'supervisor') supervisors += 1;
    }
    for (const child of this.#restarting.keys()) if (child.type === 'supervisor') supervisors += 1;
    const specs = this.size;
    return { specs, active, supervisors, workers: specs - supervisors };
  }
}

function unknownChild(child: string | AnyRef): HiveError {
  return new HiveError(
    'not_found',
    `There is no child ${child}; a dynamic supervisor knows its children by reference only.`,
  );
}
