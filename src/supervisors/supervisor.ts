/**
 * The OTP supervisor: a fixed order of children, started one after the other (each start includes the child's `init`), and
 * stopped in reverse.
 *
 *   one_for_one    a child that ends is restarted alone
 *   one_for_all    all others are stopped (in reverse) and all started again
 *   rest_for_one   the same for those that were started after it
 *
 * Like OTP's it does one thing at a time: while it starts or stops a child, further requests wait. Told to stop while a
 * child's `init` hangs, it gives that child the time of its `shutdown`.
 */
import { Cell } from '../kernel/cell.ts';
import type { ChildCounts, ChildInfo, ChildSpec } from '../kernel/supervision.ts';
import type { AnyRef, Exit, ExitReason, From } from '../kernel/types.ts';
import { isPlanned } from '../kernel/types.ts';
import { HiveError, toHiveError } from '../observe/errors.ts';
import { type AutoShutdown, Child, checkChildSpec } from './child.ts';
import { shutDown } from './shut-down.ts';
import { type RestartLimits, SupervisorBase } from './supervisor-base.ts';

export type Strategy = 'one_for_one' | 'one_for_all' | 'rest_for_one';

export interface SupervisorOptions extends RestartLimits {
  /** Default `one_for_one`. */
  readonly strategy?: Strategy;
  /** Whether the end of one, or of the last, significant child ends the supervisor too (with `shutdown`). Default `never`. */
  readonly autoShutdown?: AutoShutdown;
  readonly children: readonly ChildSpec<never>[];
}

export class Supervisor extends SupervisorBase {
  readonly strategy: Strategy;
  readonly #autoShutdown: AutoShutdown;
  readonly #specs: readonly ChildSpec<never>[];
  /** By id, in the order of their start. */
  readonly #children = new Map<string, Child>();

  constructor(options: SupervisorOptions) {
    super(options);
    this.strategy = options.strategy ?? 'one_for_one';
    this.#autoShutdown = options.autoShutdown ?? 'never';
    this.#specs = options.children;
  }

  /** Fails with the code of the child that could not start, and a description that names it, level by level. */
  override async init(): Promise<void> {
    for (const spec of this.#specs) this.#children.set(spec.id, this.#check(spec));
    const failed = await this.#startAll([...this.#children.values()]);
    if (!failed) return;
    await this.stopChildren([...this.#children.values()]);
    const { code, message } = toHiveError(failed.error, 'hive_error');
    throw new HiveError(code, `${failed.child.id}: ${message}`, { cause: failed.error });
  }

  override terminate(_reason: ExitReason): Promise<void> {
    return this.stopChildren([...this.#children.values()]);
  }

  override handleExit({ ref, reason }: Exit): void | Promise<void> {
    const child = this.#find(ref);
    if (!child) return; // it was stopped, or failed to start: whoever did it knows
    child.ended(reason);
    if (!isPlanned(reason) || child.restart === 'permanent') this.report(child.id, 'ended', reason);
    if (child.restartsAfter(reason)) return this.#restart(child);
    if (child.restart === 'temporary') this.#remove(child);
    if (child.significant) this.#significantEnded(child);
  }

  #significantEnded(child: Child): void {
    if (this.#autoShutdown === 'all_significant') {
      for (const other of this.#children.values()) if (other.significant && other.ref !== undefined) return;
    }
    this.kernel.log.info(`${this.cell.label} shuts down: its significant child ${child.id} has ended`);
    this.stop('shutdown');
  }

  async #restart(child: Child): Promise<void> {
    if (!this.mayRestart(child)) return;
    child.ref = 'restarting';
    const group = this.#restartedWith(child);
    await this.stopChildren(group.filter((other) => other !== child));
    const failed = await this.#startAll(
      group.filter((other) => this.#has(other)),
      true,
    );
    if (!failed || this.signal.aborted) return;
    this.report(failed.child.id, 'failed to restart', failed.error);
    child.ref = child.running;
    failed.child.ref = 'restarting';
    this.send(this.self, { type: 'try_again', child: failed.child });
  }

  #restartedWith(child: Child): Child[] {
    if (this.strategy === 'one_for_one') return [child];
    const all = [...this.#children.values()];
    return this.strategy === 'one_for_all' ? all : all.slice(all.indexOf(child));
  }

  protected override tryAgain(child: Child): void | Promise<void> {
    // It may have been terminated or deleted meanwhile, or restarted with others.
    if (child.ref === 'restarting' && this.#has(child)) return this.#restart(child);
  }

  /** Starts children in order, up to the first that fails; that one is returned with its error. */
  async #startAll(children: readonly Child[], again = false): Promise<{ child: Child; error: unknown } | undefined> {
    for (const child of children) {
      try {
        await this.#start(child);
      } catch (error) {
        return { child, error };
      }
      if (again) this.restarted(child);
    }
    return undefined;
  }

  async #start(child: Child): Promise<void> {
    const { signal } = this;
    if (signal.aborted) throw new HiveError('not_running', 'Its supervisor was told to stop.');
    const actor = child.make();
    const starting = this.spawn(actor, { label: child.id, name: child.name });
    const giveUp = (): void => void shutDown(this.kernel, this.self, actor.self, child.shutdown);
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      child.ref = await starting;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
    if (child.ref === undefined && child.restart === 'temporary') this.#remove(child);
  }

  /** Stops children in reverse order; temporary ones are forgotten. */
  protected async stopChildren(children: readonly Child[]): Promise<void> {
    for (const child of [...children].reverse()) {
      await this.shutDown(child);
      if (child.restart === 'temporary') this.#remove(child);
    }
  }

  #remove(child: Child): void {
    if (this.#has(child)) this.#children.delete(child.id);
  }

  #has(child: Child): boolean {
    return this.#children.get(child.id) === child;
  }

  // --- requests

  /** A child of that specification; throws if it is faulty or its id is in use. */
  #check(spec: ChildSpec<never>): Child {
    const restart = spec.restart ?? 'permanent';
    checkChildSpec(spec, restart, this.#autoShutdown);
    const present = this.#find(spec.id);
    if (!present) return new Child(spec, restart);
    if (present.ref === undefined) throw new HiveError('already_present', `A child ${spec.id} exists already.`);
    throw new HiveError('already_started', `The child ${spec.id} is running already.`);
  }

  protected override async startChild(spec: ChildSpec<never>, from: From | undefined): Promise<void> {
    let child: Child;
    try {
      child = this.#check(spec);
      this.#children.set(child.id, child);
    } catch (error) {
      return from?.fail(error);
    }
    try {
      await this.#start(child);
      from?.reply(child.running);
    } catch (error) {
      this.#remove(child);
      from?.fail(error);
    }
  }

  protected override async terminateChild(id: string | AnyRef, from: From | undefined): Promise<void> {
    const child = typeof id === 'string' ? this.#find(id) : undefined;
    if (!child) return from?.fail(notFound(id));
    await this.stopChildren([child]);
    from?.reply(undefined);
  }

  protected override async restartChild(id: string, from: From | undefined): Promise<void> {
    const child = this.#stopped(id, from);
    if (!child) return;
    try {
      await this.#start(child);
      this.restarted(child);
      from?.reply(child.running);
    } catch (error) {
      from?.fail(error);
    }
  }

  protected override deleteChild(id: string, from: From | undefined): void {
    const child = this.#stopped(id, from);
    if (!child) return;
    this.#remove(child);
    from?.reply(undefined);
  }

  /** The child of that id if it is stopped, else the caller is told why not. */
  #stopped(id: string, from: From | undefined): Child | undefined {
    const child = this.#find(id);
    if (!child) from?.fail(notFound(id));
    else if (child.ref === 'restarting') from?.fail(new HiveError('restarting', `The child ${id} is being restarted.`));
    else if (child.ref) from?.fail(new HiveError('running', `The child ${id} is running.`));
    else return child;
    return undefined;
  }

  /** By id, or by the reference of the incarnation that is running, which bears the child's id as label. */
  #find(child: string | AnyRef): Child | undefined {
    if (typeof child === 'string') return this.#children.get(child);
    const candidate = child instanceof Cell ? this.#children.get(child.label) : undefined;
    return candidate?.ref === child ? candidate : undefined;
  }

  override get size(): number {
    return this.#children.size;
  }

  override children(limit = Number.POSITIVE_INFINITY): ChildInfo[] {
    const rows: ChildInfo[] = [];
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
    const specs = this.#children.size;
    return { specs, active, supervisors, workers: specs - supervisors };
  }
}

function notFound(child: string | AnyRef): HiveError {
  return new HiveError('not_found', `There is no child ${child}.`);
}
