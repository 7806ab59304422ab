/**
 * One dynamic supervisor that is many: its children are spread over partitions, each a dynamic supervisor of its own, so
 * that none has to do with more than its share of starts and ends, and a fault in one leaves the others' children alone.
 *
 *   PartitionSupervisor ──▶ 0: DynamicSupervisor ──▶ children
 *                       ──▶ 1: DynamicSupervisor ──▶ children
 *                       ──▶ …
 *
 * It understands what a dynamic supervisor understands. `start_child` goes to the partitions in turn, which answer the
 * caller themselves; when it ends, all partitions end at the same time.
 */
import { Cell } from '../kernel/cell.ts';
import type { ChildCounts, ChildSpec, SupervisorMessage } from '../kernel/supervision.ts';
import type { AnyRef, From } from '../kernel/types.ts';
import { HiveError } from '../observe/errors.ts';
import type { Child } from './child.ts';
import { DynamicSupervisor, type DynamicSupervisorOptions } from './dynamic-supervisor.ts';
import { Supervisor } from './supervisor.ts';
import type { RestartLimits, TryAgain } from './supervisor-base.ts';

export interface PartitionSupervisorOptions extends RestartLimits {
  /** Default 64: a few hundred children each when a node is full. */
  readonly partitions?: number;
  /** What each partition allows. */
  readonly partition?: DynamicSupervisorOptions;
}

const defaultPartitions = 64;

type TerminateChild = Extract<SupervisorMessage, { readonly type: 'terminate_child' }>;

export class PartitionSupervisor extends Supervisor {
  /** The present incarnations. */
  readonly #partitions: DynamicSupervisor[];
  #next = 0;

  constructor(options: PartitionSupervisorOptions = {}) {
    const partitions: DynamicSupervisor[] = [];
    const children: ChildSpec<never>[] = [];
    for (let i = 0; i < (options.partitions ?? defaultPartitions); i += 1) {
      const start = (): DynamicSupervisor => {
        const partition = new DynamicSupervisor(options.partition);
        partitions[i] = partition;
        return partition;
      };
      children.push({ id: String(i), type: 'supervisor', start });
    }
    super({ intensity: options.intensity, periodMs: options.periodMs, children });
    this.#partitions = partitions;
  }

  protected override serve(message: SupervisorMessage | TryAgain, from: From | undefined): void | Promise<void> {
    switch (message.type) {
      case 'start_child':
        return forward(this.#pick(), message, from);
      case 'terminate_child':
        return this.#terminate(message, from);
      case 'restart_child':
      case 'delete_child':
        return from?.fail(new HiveError('not_found', 'Children of partitions are known by their references only.'));
      case 'which_children':
        return from?.reply(this.#partitions.flatMap((partition) => partition.children()));
      case 'count_children':
        return from?.reply(this.#countAll());
      case 'try_again':
        return super.serve(message, from);
    }
  }

  /** The next partition that runs. */
  #pick(): DynamicSupervisor | undefined {
    for (let tries = this.#partitions.length; tries > 0; tries -= 1) {
      const partition = this.#partitions[this.#next];
      this.#next = (this.#next + 1) % this.#partitions.length;
      if (partition?.alive) return partition;
    }
    return undefined;
  }

  #terminate(message: TerminateChild, from: From | undefined): void {
    const { child } = message;
    const partition = this.#partitionOf(child);
    // It has ended with its partition.
    if (!partition && child instanceof Cell && !child.alive) return from?.reply(undefined);
    forward(partition, message, from);
  }

  #partitionOf(child: string | AnyRef): DynamicSupervisor | undefined {
    const parent = child instanceof Cell ? child.parent?.actor : undefined;
    return this.#partitions.find((partition) => partition === parent);
  }

  #countAll(): ChildCounts {
    const all = { specs: 0, active: 0, supervisors: 0, workers: 0 };
    for (const partition of this.#partitions) {
      const { specs, active, supervisors, workers } = partition.count();
      all.specs += specs;
      all.active += active;
      all.supervisors += supervisors;
      all.workers += workers;
    }
    return all;
  }

  protected override async stopChildren(children: readonly Child[]): Promise<void> {
    await Promise.all(children.map((child) => this.shutDown(child)));
  }

  override inspect(): Record<string, unknown> {
    return { ...super.inspect(), all: this.#countAll() };
  }
}

function forward(to: DynamicSupervisor | undefined, message: SupervisorMessage, from: From | undefined): void {
  if (!to) from?.fail(new HiveError('not_found', 'There is no such child, or no partition is running.'));
  else if (from) to.self.call(message, from);
  else to.self.tell(message);
}
