/** A place to try supervisors in: children that record their lives, and the supervisor's calls as methods. */
import type { ChildCounts, ChildInfo, ChildSpec, SupervisorMessage } from '../../src/kernel/supervision.ts';
import type { AnyRef, ExitReason, Ref } from '../../src/kernel/types.ts';
import { HiveError } from '../../src/observe/errors.ts';
import { DynamicSupervisor, type DynamicSupervisorOptions } from '../../src/supervisors/dynamic-supervisor.ts';
import { Supervisor, type SupervisorOptions } from '../../src/supervisors/supervisor.ts';
import { Puppet, type PuppetOptions, TestKernel } from './actors.ts';

export type Supervised = Ref<SupervisorMessage>;

export const failsWith = (code: string) => (error: unknown) => error instanceof HiveError && error.code === code;

export class World {
  readonly kernel = new TestKernel();
  /** `start a`, `stop a` in the order in which it happened. */
  readonly events: string[] = [];
  readonly #incarnations = new Map<string, Puppet[]>();

  /** The specification of a child that traps exits and records its starts and stops. */
  worker(id: string, spec: Partial<ChildSpec<never>> = {}, options: PuppetOptions = {}): ChildSpec<never> {
    const start = (): Puppet => {
      const puppet = new Puppet({
        traps: true,
        ...options,
        init: (self) => {
          this.events.push(`start ${id}`);
          return options.init?.(self);
        },
        terminate: (self) => {
          this.events.push(`stop ${id}`);
          return options.terminate?.(self);
        },
      });
      const incarnations = this.#incarnations.get(id) ?? [];
      this.#incarnations.set(id, [...incarnations, puppet]);
      return puppet;
    };
    return { id, start, ...spec };
  }

  /** A child whose start works as often as said, and throws from then on. */
  failing(id: string, starts: number, spec: Partial<ChildSpec<never>> = {}): ChildSpec<never> {
    const worker = this.worker(id, spec);
    let left = starts;
    return {
      ...worker,
      start: () => {
        left -= 1;
        if (left < 0) throw new Error(`${id} cannot start`);
        return worker.start();
      },
    };
  }

  supervise(options: SupervisorOptions): Promise<Supervised> {
    return this.kernel.run(new Supervisor(options), { label: 'sup' });
  }

  superviseDynamically(options: DynamicSupervisorOptions = {}): Promise<Supervised> {
    return this.kernel.run(new DynamicSupervisor(options), { label: 'sup' });
  }

  /** All incarnations of a child. */
  incarnations(id: string): readonly Puppet[] {
    return this.#incarnations.get(id) ?? [];
  }

  /** The last incarnation of a child. */
  puppet(id: string): Puppet {
    const puppet = this.incarnations(id).at(-1);
    if (!puppet) throw new Error(`${id} was never started`);
    return puppet;
  }

  ref(id: string): AnyRef {
    return this.puppet(id).self;
  }

  /** Has the last incarnation of a child end; what it does to the supervisor has happened before the next call to that is answered. */
  end(id: string, reason: ExitReason = 'abnormal'): Promise<ExitReason> {
    return this.kernel.stop(this.ref(id), reason);
  }

  startChild(supervisor: Supervised, child: ChildSpec<never>): Promise<AnyRef | undefined> {
    return this.kernel.ask(supervisor, { type: 'start_child', child });
  }

  terminateChild(supervisor: Supervised, child: string | AnyRef): Promise<void> {
    return this.kernel.ask(supervisor, { type: 'terminate_child', child });
  }

  restartChild(supervisor: Supervised, id: string): Promise<AnyRef | undefined> {
    return this.kernel.ask(supervisor, { type: 'restart_child', id });
  }

  deleteChild(supervisor: Supervised, id: string): Promise<void> {
    return this.kernel.ask(supervisor, { type: 'delete_child', id });
  }

  children(supervisor: Supervised): Promise<ChildInfo[]> {
    return this.kernel.ask(supervisor, { type: 'which_children' });
  }

  /** The row of one child. */
  async child(supervisor: Supervised, id: string): Promise<ChildInfo | undefined> {
    return (await this.children(supervisor)).find((row) => row.id === id);
  }

  /** The ids of the children in order. */
  async ids(supervisor: Supervised): Promise<(string | undefined)[]> {
    return (await this.children(supervisor)).map(({ id }) => id);
  }

  count(supervisor: Supervised): Promise<ChildCounts> {
    return this.kernel.ask(supervisor, { type: 'count_children' });
  }

  ended(ref: AnyRef): Promise<ExitReason> {
    return this.kernel.ended(ref);
  }

  /** What was logged as errors. */
  get reports(): string[] {
    return this.kernel.lines.filter(({ level }) => level === 'error').map(({ message }) => message);
  }
}
