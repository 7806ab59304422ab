/**
 * What all supervisors share: they trap exits, answer the calls of `src/kernel/supervision.ts`, count restarts, report, and
 * can be looked at.
 *
 * A supervisor that has restarted too often ends with `shutdown` after it has stopped its children, so that its own
 * supervisor decides. Nobody is above the root: who started it watches it (`kernel.onExit`) and ends the process.
 */
import { Actor } from '../kernel/actor.ts';
import type { ChildCounts, ChildInfo, ChildSpec, SupervisorMessage } from '../kernel/supervision.ts';
import { type AnyRef, describeReason, type ExitReason, type From, isPlanned } from '../kernel/types.ts';
import { events } from '../observe/events.ts';
import { Child } from './child.ts';
import { RestartIntensity } from './restart-intensity.ts';
import { shutDown } from './shut-down.ts';

export interface RestartLimits {
  /** Restarts allowed within the period. Default 1 (OTP's). */
  readonly intensity?: number;
  /** Default 5000 ms (OTP's). */
  readonly periodMs?: number;
}

/** To oneself: restart once more a child whose restart failed. By message, so that others are served between the tries. */
export interface TryAgain {
  readonly type: 'try_again';
  readonly child: Child;
}

/** Rows of `children` in an inspection, unless more are asked for. */
const inspectedChildren = 20;

export abstract class SupervisorBase extends Actor<SupervisorMessage | TryAgain> {
  readonly restarts: RestartIntensity;
  abstract readonly strategy: string;

  constructor(limits: RestartLimits) {
    super();
    this.restarts = new RestartIntensity(limits.intensity ?? 1, limits.periodMs ?? 5000);
  }

  override get trapsExits(): boolean {
    return true;
  }

  /** Other nodes may look; what starts children is no term. */
  override admits(message: unknown): boolean {
    return isSupervisorMessage(message) && (message.type === 'which_children' || message.type === 'count_children');
  }

  /** Supervisors that crash take their children with them, so they believe no shape, wherever it comes from. */
  override receive(message: SupervisorMessage | TryAgain, from: From | undefined): void | Promise<void> {
    if (isSupervisorMessage(message)) return this.serve(message, from);
    this.unexpected(message, from);
  }

  protected serve(message: SupervisorMessage | TryAgain, from: From | undefined): void | Promise<void> {
    switch (message.type) {
      case 'start_child':
        return this.startChild(message.child, from);
      case 'terminate_child':
        return this.terminateChild(message.child, from);
      case 'restart_child':
        return this.restartChild(message.id, from);
      case 'delete_child':
        return this.deleteChild(message.id, from);
      case 'which_children':
        return from?.reply(this.children());
      case 'count_children':
        return from?.reply(this.count());
      case 'try_again':
        return this.tryAgain(message.child);
    }
  }

  protected abstract startChild(spec: ChildSpec<never>, from: From | undefined): void | Promise<void>;
  protected abstract terminateChild(child: string | AnyRef, from: From | undefined): void | Promise<void>;
  protected abstract restartChild(id: string, from: From | undefined): void | Promise<void>;
  protected abstract deleteChild(id: string, from: From | undefined): void;
  protected abstract tryAgain(child: Child): void | Promise<void>;

  /** The first `limit` children. */
  abstract children(limit?: number): ChildInfo[];
  abstract count(): ChildCounts;

  /** The number of children, whatever they are doing. */
  abstract get size(): number;

  override inspect(): Record<string, unknown> {
    const { allowed, periodMs } = this.restarts;
    return {
      strategy: this.strategy,
      intensity: { used: this.restarts.used(), allowed, periodMs },
      count: this.count(),
      children: this.children(inspectedChildren).map((child) => ({ ...child, ref: child.ref?.toString() })),
    };
  }

  /** Counts a restart; after one too many the supervisor ends. */
  protected mayRestart(child: Child): boolean {
    if (this.restarts.add()) return true;
    const { allowed, periodMs } = this.restarts;
    this.kernel.log.error(`${this.cell.label} gives up: more than ${allowed} restarts within ${periodMs} ms`, {
      supervisor: this.cell.label,
      child: child.id,
    });
    this.stop('shutdown');
    return false;
  }

  /** A child has been started again. */
  protected restarted(child: Child): void {
    child.restarted();
    if (!events.restart.hasSubscribers) return;
    const { id, restarts, running } = child;
    events.restart.publish({
      node: this.kernel.node,
      supervisor: this.cell.label,
      child: id,
      pid: running?.toString(),
      reason: child.info().lastExit?.reason,
      restarts,
    });
  }

  /** Ends a child, if it runs; reports it if it did not go as it should. */
  protected async shutDown(child: Child, ref: AnyRef | undefined = child.running): Promise<void> {
    child.ref = undefined;
    if (!ref) return;
    this.unlink(ref);
    const reason = await shutDown(this.kernel, this.self, ref, child.shutdown);
    child.ended(reason);
    const expected = child.shutdown === 'brutal_kill' ? reason === 'killed' : isPlanned(reason);
    if (!expected && reason !== 'noproc') this.report(child.id, 'did not shut down properly', reason);
  }

  protected report(child: string, what: string, reason: ExitReason | unknown): void {
    if (this.kernel.log.excess(`a child ${what}`, this.cell.label, 'error')) return;
    const text = reason instanceof Error ? reason.message : describeReason(reason as ExitReason);
    this.kernel.log.error(`${this.cell.label}: child ${child} ${what}: ${text}`, {
      supervisor: this.cell.label,
      child,
      reason: text,
    });
  }
}

function isSupervisorMessage(message: unknown): message is SupervisorMessage | TryAgain {
  const { type, child, id } = Object(message) as Record<string, unknown>;
  switch (type) {
    case 'start_child': {
      const spec = Object(child) as Record<string, unknown>;
      return typeof spec.id === 'string' && typeof spec.start === 'function';
    }
    case 'terminate_child':
      return typeof child === 'string' || (typeof child === 'object' && child !== null);
    case 'restart_child':
    case 'delete_child':
      return typeof id === 'string';
    case 'try_again':
      return child instanceof Child;
    default:
      return type === 'which_children' || type === 'count_children';
  }
}
